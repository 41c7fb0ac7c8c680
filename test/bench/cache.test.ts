import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// CPU time, not time: what else the machine does is not in it.
test('a compressed asset costs from the second request on at most 1.5 times of the plain one in memory', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  const script = join(import.meta.dirname, 'cache.ts')
  const args = ['--conditions=rawhttp-source', script, '--rounds', '3', '--requests', '10000']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const ratio = Number(/^cache, compressed .* (\d+\.\d+) \(/m.exec(stdout)?.[1])
  expect(ratio, stdout).toBeLessThan(1.5)
})
