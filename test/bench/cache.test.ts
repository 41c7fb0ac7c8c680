import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark of the cache prints what a compressed asset costs beside one in memory', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  const script = join(import.meta.dirname, 'cache.ts')
  const args = ['--conditions=rawhttp-source', script, '--rounds', '1', '--requests', '1000']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const [, bytes, ratio] = /^cache, compressed +(\d+) +\S+ +(\d+\.\d+) \(/m.exec(stdout) ?? []
  expect(Number(bytes), stdout).toBeLessThan(50_000)
  expect(Number(ratio), stdout).toBeGreaterThan(0)
})
