import { mkdir, rename, rm, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createServer } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { type TempSite, tempSite } from './temp-site.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A site with files, a secret beside the root, and links by name to their targets. */
async function serve(links: Readonly<Record<string, string>>, root?: (site: TempSite) => Promise<string>) {
  const site = await tempSite({
    'index.html': 'home',
    'a.txt': 'a',
    'docs/index.html': 'docs',
    'docs/b.txt': 'b',
  })
  await site.write({ 'secret.txt': 'SECRET', 'private/index.html': 'SECRET', 'public-2/a.txt': 'SECRET' })
  for (const [name, target] of Object.entries(links)) await symlink(target, join(site.root, name))
  const server = await createServer({ plugins: [staticFiles({ root: (await root?.(site)) ?? site.root })] })
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  const get = (url: string) => server.inject({ method: 'GET', url, headers: { host: 'localhost' } })
  return { site, get }
}

test('a link that stays inside the root is followed', async () => {
  const { get } = await serve({
    'other.txt': 'a.txt',
    manual: 'docs',
    'twice.txt': 'other.txt',
    up: 'docs/../docs',
  })
  expect((await get('/other.txt')).text()).toBe('a')
  expect((await get('/twice.txt')).text()).toBe('a')
  expect((await get('/manual/b.txt')).text()).toBe('b')
  expect((await get('/manual/')).text()).toBe('docs')
  expect((await get('/up/b.txt')).text()).toBe('b')
})

test.each([
  ['a file outside', { x: '../secret.txt' }, '/x'],
  ['a file outside, by its absolute path', { x: '/etc/passwd' }, '/x'],
  ['a folder outside', { x: '../private' }, '/x/index.html'],
  ['a folder outside that has an index', { x: '../private' }, '/x/'],
  ['a folder outside, without the slash', { x: '../private' }, '/x'],
  ['the folder around the root', { x: '..' }, '/x/secret.txt'],
  ['the root of the disk', { x: '/' }, '/x/etc/passwd'],
  ['a folder whose name begins like the root', { x: '../public-2' }, '/x/a.txt'],
  ['another link that leads out', { x: 'y', y: '../secret.txt' }, '/x'],
  ['out and in again by another way, and out', { x: '../public/../secret.txt' }, '/x'],
  ['nothing', { x: 'gone.txt' }, '/x'],
  ['itself', { x: 'x' }, '/x'],
  ['a device', { x: '/dev/zero' }, '/x'],
])('a link to %s is not found', async (_what, links, url) => {
  const { get } = await serve(links)
  const answer = await get(url)
  expect(answer.status).toBe(404)
  expect(answer.text()).not.toContain('SECRET')
})

test('an index file that is a link out of the root does not stand for its folder', async () => {
  const { site, get } = await serve({})
  await mkdir(join(site.root, 'empty'))
  await symlink('../../secret.txt', join(site.root, 'empty/index.html'))
  expect((await get('/empty/')).status).toBe(404)
  expect((await get('/empty')).status).toBe(404)
})

test('a root that is a link is served, and may be turned to another folder', async () => {
  const { site, get } = await serve({}, async ({ dir }) => {
    await symlink('public', join(dir, 'current'))
    return join(dir, 'current')
  })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect((await get('/a.txt')).text()).toBe('a')
  await site.write({ 'release-2/a.txt': 'a of release 2', 'release-2/new.txt': 'new' })
  await symlink('release-2', join(site.dir, 'next'))
  await rename(join(site.dir, 'next'), join(site.dir, 'current'))
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/a.txt')).text()).toBe('a of release 2')
  expect((await get('/new.txt')).text()).toBe('new')
  expect((await get('/docs/b.txt')).status).toBe(404)
})

test('a file that becomes a link out of the root is not found from the next check on', async () => {
  const { site, get } = await serve({})
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect((await get('/a.txt')).text()).toBe('a')
  await unlink(join(site.root, 'a.txt'))
  await symlink('../secret.txt', join(site.root, 'a.txt'))
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/a.txt')).status).toBe(404)
})

test('a root that goes away makes its files not found, and one that comes back found', async () => {
  const { site, get } = await serve({})
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect((await get('/a.txt')).status).toBe(200)
  await rm(site.root, { recursive: true })
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/a.txt')).status).toBe(404)
  await site.write({ 'public/a.txt': 'back' })
  expect((await get('/a.txt')).text()).toBe('back')
})
