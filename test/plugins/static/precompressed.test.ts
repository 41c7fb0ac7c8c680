import { chmod, rm, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { allCodings, type Coding, chooser } from '../../../plugins/static/codings.ts'
import { serve } from './serve.ts'

afterEach(() => {
  vi.useRealTimers()
})

const script = 'console.log("hello")\n'.repeat(50)
const br = brotliCompressSync(script)
const gzip = gzipSync(script)
const zstd = zstdCompressSync(script)

const all = { 'app.js': script, 'app.js.br': br, 'app.js.gz': gzip, 'app.js.zst': zstd }

test('a client gets the sibling that it takes, with the type of the file', async () => {
  const { get } = await serve(all, { precompressed: true })
  const answer = await get('/app.js', { 'accept-encoding': 'gzip, deflate, br, zstd' })
  expect(answer.headers.get('content-encoding')).toBe('br')
  expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(answer.headers.get('content-length')).toBe(String(br.length))
  expect(answer.headers.get('vary')).toBe('Accept-Encoding')
  expect(brotliDecompressSync(answer.body).toString()).toBe(script)
  const other = await get('/app.js', { 'accept-encoding': 'gzip' })
  expect(other.headers.get('content-encoding')).toBe('gzip')
  expect(gunzipSync(other.body).toString()).toBe(script)
})

test('the plain form says that it was chosen, where there was a choice', async () => {
  const { get } = await serve({ ...all, 'other.js': 'o' }, { precompressed: true })
  const plain = await get('/app.js')
  expect(plain.text()).toBe(script)
  expect(plain.headers.get('vary')).toBe('Accept-Encoding')
  expect(plain.headers.get('content-encoding')).toBeUndefined()
  expect((await get('/other.js')).headers.get('vary')).toBeUndefined()
})

test.each<[string | undefined, Coding | null]>([
  [undefined, null],
  ['', null],
  ['identity', null],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', null],
  ['*', 'br'],
  ['gzip, br', 'br'],
  ['gzip, zstd', 'zstd'],
  ['gzip;q=1, br;q=0.5', 'gzip'],
  ['br;q=0, *', 'zstd'],
  ['br;q=0, gzip;q=0', null],
  ['gzip;q=0.5, identity', null],
  ['gzip;q=0.5, identity;q=0.2', 'gzip'],
  ['identity;q=0, gzip', 'gzip'],
  ['*;q=0', null],
  ['gzip;q=0', null],
  ['compress, sdch', null],
])('Accept-Encoding %j gets %s', (field, coding) => {
  expect(chooser(allCodings)(field, () => true)).toBe(coding)
})

test('what is chosen is among what is there, in the order of the option', () => {
  const choose = chooser(['gzip', 'br'])
  expect(choose('br, gzip', () => true)).toBe('gzip')
  expect(choose('br, gzip', coding => coding === 'br')).toBe('br')
  expect(choose('br, gzip', () => false)).toBeNull()
  expect(choose('zstd', () => true)).toBeNull()
})

test('more fields than are remembered are answered all the same', () => {
  const choose = chooser(allCodings)
  for (let i = 0; i < 1_000; i++) expect(choose(`gzip, x${i}`, () => true)).toBe('gzip')
  expect(choose(`gzip, ${'x'.repeat(300)}`, () => true)).toBe('gzip')
})

test('each form has a strong tag of its own, and its own 304', async () => {
  const { get } = await serve(all, { precompressed: true })
  const tags = new Set<string>()
  for (const coding of ['identity', 'br', 'gzip', 'zstd']) {
    const etag = String((await get('/app.js', { 'accept-encoding': coding })).headers.get('etag'))
    expect(etag).toMatch(coding === 'identity' ? /^"[\w]+-\w+"$/ : new RegExp(`^"\\w+-\\w+-${coding}"$`))
    tags.add(etag)
    const again = await get('/app.js', { 'accept-encoding': coding, 'if-none-match': etag })
    expect([again.status, again.headers.get('vary')]).toEqual([304, 'Accept-Encoding'])
  }
  expect(tags.size).toBe(4)
})

test('a sibling that is made anew has another tag, though the file is the same', async () => {
  const { site, get } = await serve({ 'a.js': 'a', 'a.js.gz': 'one' }, { precompressed: true })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const tag = async () => (await get('/a.js', { 'accept-encoding': 'gzip' })).headers.get('etag')
  const before = await tag()
  await site.write({ 'public/a.js.gz': 'two' }, 60_000)
  vi.setSystemTime(Date.now() + 1_000)
  expect(await tag()).not.toBe(before)
})

test('the tag of a sibling is weak until that has been left alone, whatever the age of the file', async () => {
  const { site, get } = await serve({ 'a.js': 'a' }, { precompressed: true })
  await site.write({ 'public/a.js.gz': 'one' }, 0)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const tag = async () => (await get('/a.js', { 'accept-encoding': 'gzip' })).headers.get('etag')
  expect(await tag()).toMatch(/^W\//)
  vi.setSystemTime(Date.now() + 2_500)
  expect(await tag()).toMatch(/^"/)
})

test('only the siblings that the option names are looked for, and none without it', async () => {
  const gzipOnly = await serve(all, { precompressed: ['gzip'] })
  const accept = { 'accept-encoding': 'br, gzip, zstd' }
  expect((await gzipOnly.get('/app.js', accept)).headers.get('content-encoding')).toBe('gzip')
  const none = await serve(all)
  const plain = await none.get('/app.js', accept)
  expect([plain.text(), plain.headers.get('vary')]).toEqual([script, undefined])
})

test('a sibling is served by its own name too, as the file that it is', async () => {
  const { get } = await serve(all, { precompressed: true })
  const answer = await get('/app.js.gz', { 'accept-encoding': 'gzip' })
  expect(answer.headers.get('content-encoding')).toBeUndefined()
  expect(answer.headers.get('content-type')).toBe('application/gzip')
})

test('a sibling that is older than its file is left alone', async () => {
  const { site, get } = await serve(all, { precompressed: true })
  const then = new Date(Date.now() - 7_200_000)
  await utimes(join(site.root, 'app.js.br'), then, then)
  const answer = await get('/app.js', { 'accept-encoding': 'br' })
  expect([answer.text(), answer.headers.get('content-encoding')]).toEqual([script, undefined])
})

test('so is one that is a folder, leads out of the root or cannot be read', async () => {
  const { site, get } = await serve(
    { 'a.js': 'a', 'a.js.br/x': 'x', 'b.js': 'b', 'c.js': 'c', 'c.js.br': 'c' },
    { precompressed: true },
  )
  await site.write({ 'secret.br': 'SECRET' })
  await symlink('../secret.br', join(site.root, 'b.js.br'))
  await chmod(join(site.root, 'c.js.br'), 0)
  const accept = { 'accept-encoding': 'br' }
  expect((await get('/a.js', accept)).text()).toBe('a')
  expect((await get('/b.js', accept)).text()).toBe('b')
  // Who runs as root reads it all the same.
  expect((await get('/c.js', accept)).text()).toBe('c')
})

test('siblings that appear and go are seen within a second, and the response stays while nothing does', async () => {
  const { site, get } = await serve({ 'a.js': 'a' }, { precompressed: true })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const accept = { 'accept-encoding': 'br' }
  expect((await get('/a.js', accept)).text()).toBe('a')
  await site.write({ 'public/a.js.br': 'packed' }, 1_800_000)
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/a.js', accept)).text()).toBe('packed')
  expect((await get('/a.js')).headers.get('vary')).toBe('Accept-Encoding')
  await rm(join(site.root, 'a.js.br'))
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/a.js', accept)).text()).toBe('a')
})

test('it holds for index files too', async () => {
  const { get } = await serve({ 'index.html': 'page', 'index.html.br': br }, { precompressed: true })
  const answer = await get('/', { 'accept-encoding': 'br' })
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(answer.headers.get('content-encoding')).toBe('br')
})
