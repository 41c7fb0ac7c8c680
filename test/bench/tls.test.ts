import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark of TLS prints how honest clients fare behind a flood', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  needTool('openssl', 'openssl')
  const script = join(import.meta.dirname, 'tls.ts')
  const args = ['--conditions=rawhttp-source', script, '--scale', '100']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  for (const flood of [
    '0 (nobody)',
    '20 (stalled)',
    '100 (stalled)',
    '20 (silent)',
    '100 (silent)',
    '100 (whole)',
  ])
    expect(stdout).toMatch(
      new RegExp(String.raw`^behind ${flood.replace(/[()]/g, '\\$&')} +\d+ +\d+ +\d+$`, 'm'),
    )
})
