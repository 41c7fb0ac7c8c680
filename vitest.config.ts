import { defaultServerConditions } from 'vite'
import { configDefaults, defineConfig } from 'vitest/config'

const attacks = 'test/hostile/**'
const soak = 'test/soak/**'

// Tests import 'rawhttp' exactly as a user does; the condition makes that name resolve to the sources.
export default defineConfig({
  ssr: { resolve: { conditions: ['rawhttp-source', ...defaultServerConditions] } },
  test: {
    execArgv: ['--conditions=rawhttp-source'],
    // What a test starts leaves nothing in the user's cache, and is the same for the first run and the second.
    env: { NODE_DISABLE_COMPILE_CACHE: '1' },
    reporters: ['default', './test/support/reporter.ts'],
    testTimeout: 30_000,
    coverage: { include: ['core/**', 'plugins/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'rawhttp',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, attacks, soak],
          // From 1 on, since on a machine with two cores vitest puts group 0 behind all others.
          sequence: { groupOrder: 1 },
        },
      },
      // Attacks by hundreds of clients compare figures of one run: they come last, one file at a time, so that an
      // honest client has no other tests beside it. The soak keeps all cores busy by itself.
      {
        extends: true,
        test: {
          name: 'hostile',
          include: [`${attacks}/*.test.ts`, `${soak}/*.test.ts`],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
