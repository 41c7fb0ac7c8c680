import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { needTool } from '../support/tools.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark asks every server and prints its table', { timeout: 120_000 }, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-bench-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const json = join(folder, 'bench.json')
  const options = ['--rounds', '1', '--requests', '1000', '--json', json]
  const run = join(import.meta.dirname, 'run.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=rawhttp-source',
    run,
    ...options,
  ])
  expect(stdout).toContain('route /api/hello/bench')
  expect(stdout).toContain('rawhttp --help:')
  expect(JSON.parse(await readFile(json, 'utf8')).cpuMicrosecondsPerRequest).toHaveLength(3)
})
