import { expect, test } from 'vitest'
import { serve } from './serve.ts'

const IMMUTABLE = 'public, max-age=31536000, immutable'

test('files are kept but asked for each time, and those with a hash in their name for a year', async () => {
  const { get } = await serve({
    'index.html': 'i',
    'app.js': 'a',
    'assets/app-3f9a2b1c.js': 'a',
    'page-3f9a2b1c.html': 'p',
  })
  const cacheControl = async (url: string) => (await get(url)).headers.get('cache-control')
  expect(await cacheControl('/')).toBe('no-cache')
  expect(await cacheControl('/app.js')).toBe('no-cache')
  expect(await cacheControl('/assets/app-3f9a2b1c.js')).toBe(IMMUTABLE)
  expect(await cacheControl('/page-3f9a2b1c.html')).toBe('no-cache')
})

test('a 304 says so too', async () => {
  const { get } = await serve({ 'app-3f9a2b1c.js': 'a' })
  const etag = String((await get('/app-3f9a2b1c.js')).headers.get('etag'))
  const answer = await get('/app-3f9a2b1c.js', { 'if-none-match': etag })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([304, IMMUTABLE])
})

test.each([
  [{ cacheControl: 'public, max-age=600' }, 'public, max-age=600', IMMUTABLE],
  [{ cacheControl: false }, undefined, IMMUTABLE],
  [{ cacheControl: false, immutable: false }, undefined, undefined],
  [{ immutable: false }, 'no-cache', 'no-cache'],
  [{ immutable: ['/plain.*'] }, IMMUTABLE, 'no-cache'],
  [{ immutable: [] }, 'no-cache', 'no-cache'],
  [{ headers: { '*.js': { 'Cache-Control': 'max-age=5' } } }, 'max-age=5', 'max-age=5'],
] as const)('with %j that is %s and %s', async (options, plain, hashed) => {
  const { get } = await serve({ 'plain.js': 'p', 'app-3f9a2b1c.js': 'a' }, options)
  const cacheControl = async (url: string) => {
    const answer = await get(url)
    expect(answer.status).toBe(200)
    return answer.headers.get('cache-control')
  }
  expect(await cacheControl('/plain.js')).toBe(plain)
  expect(await cacheControl('/app-3f9a2b1c.js')).toBe(hashed)
})

test('media types go by extension, in capitals too, and by glob; the last that fits counts', async () => {
  const files = { 'a.md': 'a', 'B.MD': 'b', 'docs/c.md': 'c', 'x.tar.gz': 'x', LICENSE: 'l', 'd.html': 'd' }
  const { get } = await serve(files, {
    types: {
      '.md': 'text/plain; charset=utf-8',
      'docs/**': 'text/x-doc',
      '.tar.gz': 'application/x-gtar-compressed',
      LICENSE: 'text/plain',
    },
  })
  const type = async (url: string) => (await get(url)).headers.get('content-type')
  expect(await type('/a.md')).toBe('text/plain; charset=utf-8')
  expect(await type('/B.MD')).toBe('text/plain; charset=utf-8')
  expect(await type('/docs/c.md')).toBe('text/x-doc')
  expect(await type('/x.tar.gz')).toBe('application/x-gtar-compressed')
  expect(await type('/LICENSE')).toBe('text/plain')
  expect(await type('/d.html')).toBe('text/html; charset=utf-8')
})

test('header fields go by glob: all that fit, of one name the last, whatever its capitals', async () => {
  const { get } = await serve(
    { 'a.woff2': 'a', 'fonts/b.woff2': 'b', 'index.html': 'i' },
    {
      headers: {
        '**': { 'X-Served-By': 'static', 'x-all': 'yes' },
        '*.woff2': { 'x-served-by': 'nobody' },
        'fonts/**': { 'access-control-allow-origin': '*', 'X-Served-By': 'fonts' },
        '*.html': { vary: 'Cookie' },
      },
    },
  )
  const a = (await get('/a.woff2')).headers
  expect([a.getAll('x-served-by'), a.get('access-control-allow-origin')]).toEqual([['nobody'], undefined])
  const b = (await get('/fonts/b.woff2')).headers
  expect([b.getAll('x-served-by'), b.get('access-control-allow-origin'), b.get('x-all')]).toEqual([
    ['fonts'],
    '*',
    'yes',
  ])
  expect((await get('/')).headers.get('vary')).toBe('Cookie')
})

test('globs read the name of the file, not the path that led to it', async () => {
  const { get } = await serve(
    { 'ä b/index.html': 'i' },
    { headers: { '/ä b/index.html': { 'x-a': '1' } }, cleanUrls: true },
  )
  expect((await get('/%C3%A4%20b/')).headers.get('x-a')).toBe('1')
})
