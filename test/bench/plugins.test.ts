import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createServer, Handle, HttpResponse } from 'rawhttp'
import { expect, onTestFinished, test } from 'vitest'
import { onSite } from '../support/in-memory.ts'
import { needTool } from '../support/tools.ts'
import { writeMaterial } from './material.ts'
import { ofConnections, pluginCases } from './plugin-cases.ts'

// So small a run has no meaning as a figure: it shows that the benchmark still works.
test('a short benchmark of plugins prints what each adds to the constant alone', {
  timeout: 120_000,
}, async () => {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  const script = join(import.meta.dirname, 'plugins.ts')
  const options = ['--plugins', 'no tap,access-log', '--rounds', '1', '--requests', '2000']
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=rawhttp-source',
    script,
    ...options,
  ])
  expect(stdout).toMatch(/^the constant alone +\d+\.\d+ +$/m)
  expect(stdout).toMatch(/^no tap +\d+\.\d+ +-?\d+\.\d+ \(.* a plugin that taps nothing$/m)
  expect(stdout).toMatch(/^access-log +\d+\.\d+ +-?\d+\.\d+ \(/m)
})

test('a plugin that has no case is refused before anything is started', async () => {
  const script = join(import.meta.dirname, 'plugins.ts')
  const run = promisify(execFile)(process.execPath, [
    '--conditions=rawhttp-source',
    script,
    '--plugins',
    'cache,x',
  ])
  await expect(run).rejects.toThrow('There is no case x.')
})

test('every plugin has a case, but for those of connections', async () => {
  const names = await readdir(join(import.meta.dirname, '../../plugins'))
  expect(names.filter(name => !(name in pluginCases)).sort()).toEqual(ofConnections)
})

test.each(Object.entries(pluginCases))('the case of %s is answered with 200, twice', async (_name, one) => {
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-case-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  writeMaterial(folder)
  const constant = onSite('constant', site => {
    const answer = HttpResponse.text('x', { headers: one.answer ?? {} })
    site.hooks.handle.tap({ name: 'constant', stage: Handle.Static + 1 }, () => answer)
  })
  const server = await createServer({ plugins: [await one.plugins(folder), constant] })
  onTestFinished(() => server.stop())
  const headers = Object.fromEntries((one.headers ?? []).map(line => line.split(/: ?(.*)/, 2)))
  const client = { address: '127.0.0.1', port: 1 }
  for (let time = 0; time < 2; time++)
    expect((await server.inject({ url: '/1kb.html', headers, client })).status).toBe(200)
})
