import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark of workers prints how much more two can answer than one', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  const script = join(import.meta.dirname, 'workers.ts')
  const args = ['--conditions=rawhttp-source', script, '--rounds', '1', '--requests', '4000']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  for (const way of ['two, each with a socket', 'two, with one socket']) {
    const ratio = new RegExp(String.raw`^${way} +\S+ +(\d+\.\d+) \(`, 'm').exec(stdout)?.[1]
    expect(Number(ratio), stdout).toBeGreaterThan(0)
  }
})
