import { defineConfig } from 'vitest/config'

// Modules are loaded by Node itself: vitest's own loader puts a getter in front of each import, which is what one would
// measure then. One file at a time, since the cores are few.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    name: 'micro',
    execArgv: ['--conditions=rawhttp-source'],
    fileParallelism: false,
    testTimeout: 120_000,
    benchmark: { include: ['*.bench.ts'] },
    experimental: { viteModuleRunner: false },
  },
})
