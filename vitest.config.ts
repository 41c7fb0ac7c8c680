import { defaultServerConditions } from 'vite'
import { configDefaults, defineConfig } from 'vitest/config'

/** Attacks by hundreds of clients compare figures of one run: they need the machine for themselves. */
const { HOSTILE } = process.env
const attacks = HOSTILE === 'true' ? [] : ['test/hostile/**']

// Tests import 'rawhttp' exactly as a user does; the condition makes that name resolve to the sources.
export default defineConfig({
  ssr: { resolve: { conditions: ['rawhttp-source', ...defaultServerConditions] } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...attacks],
    execArgv: ['--conditions=rawhttp-source'],
    reporters: ['default', './test/support/reporter.ts'],
    testTimeout: 30_000,
    coverage: { include: ['core/**', 'plugins/**'] },
  },
})
