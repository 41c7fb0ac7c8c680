import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Tests import 'rawhttp' exactly as a user does; the condition makes that name resolve to the sources.
export default defineConfig({
  ssr: { resolve: { conditions: ['rawhttp-source', ...defaultServerConditions] } },
  test: {
    include: ['test/**/*.test.ts'],
    execArgv: ['--conditions=rawhttp-source'],
    reporters: ['default', './test/support/reporter.ts'],
    testTimeout: 30_000,
    coverage: { include: ['core/**', 'plugins/**'] },
  },
})
