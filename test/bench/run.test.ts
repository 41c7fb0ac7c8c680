import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { needTool } from '../support/tools.ts'
import { rows } from './all-rows.ts'

const bench = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [
    '--conditions=rawhttp-source',
    join(import.meta.dirname, 'run.ts'),
    ...args,
  ])

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark asks every server, prints its table, and writes it as JSON and as a picture', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  needTool('openssl', 'openssl')
  const git = needTool('git', 'git')
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-bench-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [json, svg] = [join(folder, 'bench.json'), join(folder, 'bench.svg')]
  const { stdout } = await bench(
    ...[
      '--rows',
      'revalidation,handshake-resumed,start',
      '--rounds',
      '1',
      '--requests',
      '300',
      '--warm-up',
      '300',
    ],
    ...['--against', 'HEAD', '--json', json, '--svg', svg],
  )
  const own = ['rawhttp', 'rawhttp at HEAD']
  const written = JSON.parse(await readFile(json, 'utf8'))
  for (const { entries } of written.rows) {
    expect(entries.slice(0, 2).map(({ name }: { name: string }) => name)).toEqual(own)
    expect(entries[0].samples).toHaveLength(1)
  }
  expect(written.rows.map(({ id }: { id: string }) => id)).toContain('handshake-resumed')
  expect(stdout).toMatch(/^ {2}floor \(node:net\) .* <= 1\.15: (met|missed)/m)
  expect(stdout).toMatch(/^ {2}node -e '' .* <= 1\.50 \+ 120: (met|missed), /m)
  expect(stdout).toContain('no figure of this run is a claim')
  expect(await readFile(svg, 'utf8')).toContain('304 to If-None-Match')
  const { stdout: worktrees } = await promisify(execFile)(git, ['worktree', 'list'])
  expect(worktrees).not.toContain('rawhttp-against')
})

test('an option that makes no sense is refused before anything is started', async () => {
  await expect(bench('--rows', 'quick')).rejects.toThrow('There is no row quick.')
  await expect(bench('--requests', '63')).rejects.toThrow('--requests one from 64')
})

test('each row has a name of its own, and targets against servers that are in it', () => {
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  for (const { targets, peers } of rows) {
    expect(targets.length).toBeGreaterThan(0)
    expect(peers).toEqual(expect.arrayContaining(targets.map(({ against }) => against)))
  }
})

test('every row of requests has a floor', () => {
  for (const { id, peers } of rows.filter(({ id }) => id !== 'start'))
    expect(peers, id).toContainEqual(expect.stringMatching(/^floor /))
})
