import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createServer } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { staticFiles } from 'rawhttp/plugins/static'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { tempFile } from '../support/temp-file.ts'
import { needTool } from '../support/tools.ts'
import { withRoutes } from './config.ts'
import { idleRow } from './idle-row.ts'
import { order, writeMaterial } from './material.ts'
import { buildReference, buildTree, type Tree } from './tree.ts'

const root = join(import.meta.dirname, '../..')

let tree: Tree
beforeAll(() => {
  tree = buildTree()
  return () => tree[Symbol.dispose]()
}, 60_000)

test('what is measured runs the config of npm start, byte for byte', () => {
  for (const file of ['rawhttp.config.ts', 'sites/welcome/index.ts', 'bin/rawhttp.cjs'])
    expect(readFileSync(join(tree.folder, file))).toEqual(readFileSync(join(root, file)))
})

test('the files to be asked for are as long as their names say, each time the same', async () => {
  const own = readdirSync(join(root, 'sites/welcome/public'))
  const added = readdirSync(tree.files).filter(name => !own.includes(name))
  const sizes = added.map(name => [name, readFileSync(join(tree.files, name)).length])
  expect(Object.fromEntries(sizes)).toEqual({ '1kb.html': 1_024, '50kb.js': 50_000, '10mb.bin': 10_000_000 })
  const again = dirname(await tempFile('other', ''))
  writeMaterial(again)
  for (const name of added)
    expect(readFileSync(join(again, name)).equals(readFileSync(join(tree.files, name)))).toBe(true)
})

test('a commit that git does not know is said by git', () => {
  needTool('git', 'git')
  expect(() => buildReference('no-such-commit')).toThrow(/invalid reference: no-such-commit/)
})

test('what a row needs on top leaves the plugins of the config as they are', async () => {
  const log = accessLog({ file: '/dev/null' })
  const files = staticFiles({ root: tree.files })
  const changed = withRoutes({
    listen: [{ port: 1 }],
    plugins: [log],
    sites: [{ name: 'a', plugins: [files] }],
  })
  expect(changed.plugins).toEqual([log])
  expect(changed.sites?.[0]?.plugins?.slice(0, -1)).toEqual([files])
  const server = await createServer(changed)
  onTestFinished(() => server.stop())
  const headers = { 'content-type': 'application/json' }
  const answer = await server.inject({ method: 'POST', url: '/bench/orders', body: order, headers })
  expect(answer.text()).toBe('{"received":12}')
})

test('an idle connection costs memory, of every server that is there', { timeout: 60_000 }, async () => {
  const gone = { name: 'gone', missing: () => 'This needs gone.', start: () => expect.unreachable() }
  const row = idleRow([gone], [], 0.02)
  const settings = {
    rounds: 1,
    requests: 64,
    warmUp: 64,
    tree,
    against: null,
    servers: null,
    cert: '',
    key: '',
  }
  const { entries, missing } = await row.measure(settings)
  // So few connections are less than what else moves in a process.
  const samples = [{ figure: expect.any(Number) }]
  expect(entries).toMatchObject([{ name: 'rawhttp', samples, note: expect.stringContaining('bytes before') }])
  expect(missing).toEqual([{ name: 'gone', why: 'This needs gone.' }])
})
