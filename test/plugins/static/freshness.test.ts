import { stat as statCall } from 'node:fs'
import { appendFile, rename, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createServer, definePlugin, type Plugins, Transform } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { turns } from '../../support/turns.ts'
import { type Files, tempSite } from './temp-site.ts'

// Keeps every function as it is and counts its calls.
vi.mock('node:fs', { spy: true })
vi.mock('node:fs/promises', { spy: true })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
})

afterEach(() => {
  vi.useRealTimers()
})

const pass = (milliseconds: number): unknown => vi.setSystemTime(Date.now() + milliseconds)

type IsCurrent = (() => boolean) | undefined

/** A site of static files that also shows what a cache would ask. */
async function serve(files: Files, ...plugins: Plugins) {
  const site = await tempSite(files)
  const seen: IsCurrent[] = []
  const watch = definePlugin({
    name: 'watch',
    site(at) {
      at.hooks.transform.tap(
        { name: 'watch', stage: Transform.Store },
        response => void seen.push(response.isCurrent),
      )
      at.server.hooks.report.tap('watch', () => undefined)
    },
  })
  const server = await createServer({ plugins: [staticFiles({ root: site.root }), watch(), ...plugins] })
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  const ask = (method: string, url: string) => server.inject({ method, url, headers: { host: 'localhost' } })
  const tag = async (url: string) => (await ask('HEAD', url)).headers.get('etag')
  return {
    site,
    tag,
    get: (url: string) => ask('GET', url),
    path: (name: string) => join(site.root, name),
    seen,
  }
}

/** Looks, whole ones and those that only ask whether all is as before. */
const stats = (): number => vi.mocked(stat).mock.calls.length + vi.mocked(statCall).mock.calls.length

test('a file that was just checked is answered without a system call', async () => {
  const { tag } = await serve({ 'a.txt': 'one' })
  const first = await tag('/a.txt')
  const before = stats()
  pass(749)
  for (let i = 0; i < 50; i++) expect(await tag('/a.txt')).toBe(first)
  expect(stats()).toBe(before)
})

test('a file that is asked for late in its second is checked once for those who come later', async () => {
  const { tag, seen } = await serve({ 'a.txt': 'one' })
  const first = await tag('/a.txt')
  const before = stats()
  pass(999)
  for (let i = 0; i < 50; i++) expect(await tag('/a.txt')).toBe(first)
  expect(stats()).toBe(before + 1)
  // As soon as the disk has answered.
  await vi.waitFor(() => {
    vi.setSystemTime(Date.now() + 1)
    expect(seen[0]?.()).toBe(true)
  })
})

test('after a second one look at the disk is shared by all who wait', async () => {
  const { tag } = await serve({ 'a.txt': 'one' })
  const first = await tag('/a.txt')
  pass(1_000)
  const before = stats()
  const tags = await Promise.all(Array.from({ length: 50 }, () => tag('/a.txt')))
  expect(new Set(tags)).toEqual(new Set([first]))
  expect(stats()).toBe(before + 1)
})

test('the first requests for a file share one look, too', async () => {
  const { tag } = await serve({ 'a.txt': 'one' })
  const before = stats()
  await Promise.all(Array.from({ length: 50 }, () => tag('/a.txt')))
  expect(stats()).toBe(before + 1)
})

test('a changed file is seen after a second, and has another tag', async () => {
  const { site, tag, get } = await serve({ 'a.txt': 'one' })
  const first = await tag('/a.txt')
  expect((await get('/a.txt')).text()).toBe('one')
  await site.write({ 'public/a.txt': 'two' }, 3_000_000)
  pass(999)
  expect(await tag('/a.txt')).toBe(first)
  pass(1)
  expect(await tag('/a.txt')).not.toBe(first)
  expect((await get('/a.txt')).text()).toBe('two')
})

test('another file of the same size and time in its place is seen', async () => {
  const { site, get, path, seen } = await serve({ 'a.txt': 'one' })
  expect((await get('/a.txt')).text()).toBe('one')
  await site.write({ 'next.txt': 'two' })
  const { atime, mtime } = await stat(path('a.txt'))
  await utimes(join(site.dir, 'next.txt'), atime, mtime)
  await rename(join(site.dir, 'next.txt'), path('a.txt'))
  pass(1_000)
  expect((await get('/a.txt')).text()).toBe('two')
  expect(seen[0]?.(), 'what was kept of the old one').toBe(false)
  expect(seen[1]?.()).toBe(true)
})

test('so is a file that was written to in place, and given its old time back', async () => {
  const { get, path, seen } = await serve({ 'a.txt': 'one' })
  await get('/a.txt')
  const { atime, mtime } = await stat(path('a.txt'))
  await writeFile(path('a.txt'), 'two')
  await utimes(path('a.txt'), atime, mtime)
  pass(1_000)
  expect((await get('/a.txt')).text()).toBe('two')
  expect(seen[0]?.()).toBe(false)
})

test('a file that appears is seen at once, one that goes within a second', async () => {
  const { site, get, path } = await serve({ 'a.txt': 'one' })
  expect((await get('/b.txt')).status).toBe(404)
  await site.write({ 'public/b.txt': 'new' })
  expect((await get('/b.txt')).text()).toBe('new')
  await unlink(path('b.txt'))
  pass(1_000)
  expect((await get('/b.txt')).status).toBe(404)
})

test('a file in whose place a folder comes leads into the folder', async () => {
  const { site, get, path } = await serve({ a: 'one' })
  expect((await get('/a')).text()).toBe('one')
  await unlink(path('a'))
  await site.write({ 'public/a/index.html': 'folder' })
  pass(1_000)
  expect((await get('/a')).headers.get('location')).toBe('/a/')
  expect((await get('/a/')).text()).toBe('folder')
})

test('a file that vanishes after it was checked is not found', async () => {
  const { get, tag, path } = await serve({ 'a.txt': 'one' })
  await tag('/a.txt')
  await unlink(path('a.txt'))
  expect((await get('/a.txt')).status).toBe(404)
})

test('a file that changes after it was checked is answered as it is now', async () => {
  const { get, tag, path } = await serve({ 'a.txt': 'one' })
  await tag('/a.txt')
  await writeFile(path('a.txt'), 'longer than before')
  const all = await Promise.all(Array.from({ length: 40 }, () => get('/a.txt')))
  expect(new Set(all.map(answer => `${answer.status} ${answer.text()}`))).toEqual(
    new Set(['200 longer than before']),
  )
  pass(3_000)
  await tag('/a.txt')
  await truncate(path('a.txt'), 3)
  expect((await get('/a.txt')).text()).toBe('lon')
})

test('so is one that changes while it is checked for those who come later', async () => {
  const { get, tag, path, seen } = await serve({ 'a.txt': 'one' })
  await tag('/a.txt')
  const known = Promise.withResolvers<void>()
  const told = Promise.withResolvers<void>()
  const { stat: real } = await vi.importActual<typeof import('node:fs')>('node:fs')
  // What the disk says is on its way for a while.
  const late = (file: Buffer, options: { bigint: true }, callback: (...told: unknown[]) => void) =>
    real(file, options, (...all) => {
      known.resolve()
      void told.promise.then(() => callback(...all))
    })
  vi.mocked(statCall).mockImplementationOnce(late as never)
  pass(800)
  await tag('/a.txt')
  await known.promise
  await writeFile(path('a.txt'), 'longer than before')
  const answer = get('/a.txt')
  await vi.waitUntil(() => seen[0]?.() === false)
  await turns(50)
  told.resolve()
  expect((await answer).text()).toBe('longer than before')
})

test('so is one that a plugin finds changed when it reads the file to change it', async () => {
  const shout = definePlugin({
    name: 'shout',
    site(at) {
      at.hooks.transform.tapPromise(
        { name: 'shout', stage: Transform.Shape },
        async (response, { method }) => {
          if (method === 'GET' && response.status === 200)
            response.replace((await response.text()).toUpperCase())
        },
      )
    },
  })
  const { get, tag, path } = await serve({ 'a.txt': 'one' }, shout())
  await tag('/a.txt')
  await writeFile(path('a.txt'), 'longer')
  expect((await get('/a.txt')).text()).toBe('LONGER')
})

test('a file that is being written is looked at for each request, and none fails', async () => {
  const { site, get, path } = await serve({})
  await site.write({ 'public/log.txt': 'one\n' }, 0)
  let expected = 'one\n'
  for (let line = 0; line < 20; line++) {
    expect((await get('/log.txt')).text()).toBe(expected)
    await appendFile(path('log.txt'), `${line}\n`)
    expected += `${line}\n`
  }
})

test('the tag is weak until the file has been left alone for two seconds', async () => {
  const { site, tag } = await serve({})
  await site.write({ 'public/a.txt': 'one' }, 0)
  expect(await tag('/a.txt')).toMatch(/^W\/"3-/)
  pass(1_500)
  expect(await tag('/a.txt')).toMatch(/^W\/"3-/)
  pass(1_000)
  expect(await tag('/a.txt')).toMatch(/^"3-/)
})

test('the tag of a file with a time in the future is strong once the file has been left alone', async () => {
  const { site, tag } = await serve({})
  await site.write({ 'public/a.txt': 'one' }, -86_400_000)
  expect(await tag('/a.txt')).toMatch(/^W\/"3-/)
  pass(3_000)
  expect(await tag('/a.txt')).toMatch(/^"3-/)
})

test('Last-Modified is never later than the answer', async () => {
  const { site, get } = await serve({})
  await site.write({ 'public/a.txt': 'one' }, -86_400_000)
  const { headers } = await get('/a.txt')
  expect(Date.parse(String(headers.get('last-modified')))).toBeLessThanOrEqual(Date.now())
  expect(headers.get('etag')).toMatch(/^W\//)
})

test('a response is current while its file was found unchanged within a second', async () => {
  const { get, seen, site } = await serve({ 'a.txt': 'one' })
  await get('/a.txt')
  const [first] = seen
  expect(first?.()).toBe(true)
  pass(999)
  expect(first?.()).toBe(true)
  pass(1)
  expect(first?.()).toBe(false)
  await get('/a.txt')
  expect(first?.(), 'checked again').toBe(true)
  await site.write({ 'public/a.txt': 'two, which is longer' }, 3_000_000)
  pass(1_000)
  await get('/a.txt')
  expect(first?.(), 'another file now').toBe(false)
  expect(seen.at(-1)?.()).toBe(true)
})

test('a clock that is set back has the disk asked again', async () => {
  const { tag } = await serve({ 'a.txt': 'one' })
  await tag('/a.txt')
  pass(-60_000)
  const before = stats()
  await tag('/a.txt')
  expect(stats()).toBeGreaterThan(before)
})
