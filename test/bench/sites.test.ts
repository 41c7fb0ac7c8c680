import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark of many sites and routes prints what a request costs beside one site with ten', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  const script = join(import.meta.dirname, 'sites.ts')
  const args = ['--conditions=rawhttp-source', script, '--rounds', '1', '--requests', '1000', '--sites', '20']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  for (const [work, row] of [
    ['a file', '20 sites, 20 files'],
    ['a route', 'one site, 200 routes'],
    ['a route', '20 sites, 200 routes'],
    ['a route', '20 sites, the same ten paths'],
  ]) {
    const ratio = new RegExp(`CPU time of ${work}[\\s\\S]*?^${row} +\\S+ +(\\d+\\.\\d+) \\(`, 'm').exec(
      stdout,
    )?.[1]
    expect(Number(ratio), stdout).toBeGreaterThan(0)
  }
})
