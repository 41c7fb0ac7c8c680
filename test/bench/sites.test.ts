import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark of many sites prints what a request costs beside one site', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  const script = join(import.meta.dirname, 'sites.ts')
  const args = ['--conditions=rawhttp-source', script, '--rounds', '1', '--requests', '1000', '--sites', '20']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  for (const work of ['a route', 'a file']) {
    const row = new RegExp(`CPU time of ${work}[\\s\\S]*?^20 sites, 200 routes +\\S+ +(\\d+\\.\\d+) \\(`, 'm')
    expect(Number(row.exec(stdout)?.[1]), stdout).toBeGreaterThan(0)
  }
  expect(stdout).toMatch(/^20 sites, 200 routes +\d+ +\d+ +\d+$/m)
})
