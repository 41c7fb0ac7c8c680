import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createServer } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { checkRoot } from '../../../plugins/static/root.ts'
import { startServer } from '../../support/server.ts'
import { tempSite } from './temp-site.ts'

// Keeps every function as it is, so that one can be made to fail: tests often run as root, who may read anything.
vi.mock('node:fs/promises', { spy: true })

afterEach(() => {
  vi.mocked(access).mockReset()
})

const denied = Object.assign(new Error("EACCES: permission denied, access '/srv/secret-place'"), {
  code: 'EACCES',
})

async function site() {
  const made = await tempSite({ 'a.txt': 'a', 'index.html': 'home' })
  onTestFinished(() => made[Symbol.asyncDispose]())
  return made
}

test('a root that is not there fails the start, by option and folder', async () => {
  const { dir } = await site()
  const root = join(dir, 'gone')
  await expect(checkRoot(root)).rejects.toThrow(
    `root: expected a folder that can be read, got no such folder: ${root}`,
  )
  await expect(createServer({ plugins: [staticFiles({ root })] })).rejects.toThrow(
    `config: plugins[0] (static): options.root: expected a folder that can be read, got no such folder: ${root}`,
  )
})

test('a root that is a file fails the start', async () => {
  const { root } = await site()
  await expect(createServer({ plugins: [staticFiles({ root: join(root, 'a.txt') })] })).rejects.toThrow(
    `config: plugins[0] (static): options.root: expected a folder that can be read, got not a folder: ${join(root, 'a.txt')}`,
  )
})

test('a root that may not be read fails the start', async () => {
  const { root } = await site()
  vi.mocked(access).mockRejectedValueOnce(denied)
  await expect(checkRoot(root)).rejects.toThrow(
    `root: expected a folder that can be read, got folder cannot be read (EACCES): ${root}`,
  )
})

test('an option of the wrong kind fails the start, by its name', async () => {
  const { root } = await site()
  const wrong = { root, index: 'index.html' } as never
  await expect(createServer({ plugins: [staticFiles(wrong)] })).rejects.toThrow(
    "plugins[0] (static): options.index: expected a list of file names such as ['index.html'], got 'index.html'",
  )
  const unknown = { root, indexes: [] } as never
  await expect(createServer({ plugins: [staticFiles(unknown)] })).rejects.toThrow(/did you mean 'index'/)
})

test("a relative root counts from the site's folder, and a file: URL is a root too", async () => {
  const { dir, root } = await site()
  const server = await createServer({
    sites: [
      { name: 'one', hosts: ['one.test'], dir, plugins: [staticFiles({ root: 'public' })] },
      { name: 'two', hosts: ['two.test'], plugins: [staticFiles({ root: pathToFileURL(root) })] },
    ],
  })
  onTestFinished(() => server.stop())
  for (const host of ['one.test', 'two.test']) {
    const answer = await server.inject({ method: 'GET', url: '/a.txt', headers: { host } })
    expect(answer.text(), host).toBe('a')
  }
})

test('a file that the server may not read is forbidden, without a word on where it is', async () => {
  const { root } = await site()
  const server = await createServer({ plugins: [staticFiles({ root })] })
  onTestFinished(() => server.stop())
  vi.mocked(access).mockRejectedValue(denied)
  const answer = await server.inject({ method: 'GET', url: '/a.txt', headers: { host: 'localhost' } })
  expect(answer.status).toBe(403)
  expect(answer.text()).not.toContain('secret-place')
})

test('a fault of the disk is a 500 that tells nothing, and is reported', async () => {
  const { root } = await site()
  await using server = await startServer({ plugins: [staticFiles({ root })] })
  vi.mocked(access).mockRejectedValueOnce(Object.assign(new Error('EIO: /srv/secret-place'), { code: 'EIO' }))
  const answer = await fetch(`${server.url}/a.txt`)
  expect(answer.status).toBe(500)
  expect(await answer.text()).not.toContain('secret-place')
  const report = await server.untilReported('TAP_FAILED')
  expect(report.message).toBe('plugin "static", handle tap "static" failed: EIO: /srv/secret-place')
  expect((await fetch(`${server.url}/a.txt`)).status).toBe(200)
})
