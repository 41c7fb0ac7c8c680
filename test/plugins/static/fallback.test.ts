import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createServer, HttpResponse } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { serve } from './serve.ts'
import { tempSite } from './temp-site.ts'

afterEach(() => {
  vi.useRealTimers()
})

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const files = { 'index.html': 'app', 'app.js': 'script', 'docs/a.txt': 'a', '.env': 'KEY' }
const options = { fallback: 'index.html' }

test.each(['/users/7', '/users/', '/a/b/c?x=1', '/v1.2', '/users/7%20b', '/docs/', '/docs'])(
  '%s is answered by the page of the application',
  async url => {
    const { ask } = await serve(files, options)
    const answer = await ask('GET', url, browser)
    expect([answer.status, answer.text()]).toEqual([200, 'app'])
    expect(answer.headers.get('vary')).toBe('Accept, Sec-Fetch-Mode')
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    const head = await ask('HEAD', url, browser)
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '3'])
  },
)

test.each([
  '/missing.js',
  '/assets/app-3f9a2b1c.js',
  '/favicon.ico',
  '/logo.svg',
  '/data.json',
  '/about.html',
  '/film.mp4',
  '/.env',
  '/.git/config',
  '/a%2Fb',
  '/a%5Cb',
])('%s is missing, and stays so', async url => {
  const { get } = await serve(files, options)
  expect((await get(url, browser)).status).toBe(404)
})

test.each<[string, Record<string, string>, number]>([
  ['a browser that goes to a page', browser, 200],
  ['one that says so', { accept: '*/*', 'sec-fetch-mode': 'navigate' }, 200],
  ['one that takes XHTML', { accept: 'application/xhtml+xml' }, 200],
  ['a script that asks for a page', { accept: 'text/html', 'sec-fetch-mode': 'cors' }, 200],
  ['a script that takes anything', { accept: '*/*', 'sec-fetch-mode': 'cors' }, 404],
  ['a script that wants data', { accept: 'application/json, */*' }, 404],
  ['a picture', { accept: 'image/avif,image/webp,*/*', 'sec-fetch-mode': 'no-cors' }, 404],
  ['one that refuses pages', { accept: 'text/html;q=0, */*' }, 404],
  ['one that says nothing', {}, 404],
])('%s', async (_who, headers, status) => {
  const { get } = await serve(files, options)
  expect((await get('/users/7', headers)).status).toBe(status)
})

test('other methods are not answered by it', async () => {
  const { ask } = await serve(files, options)
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect((await ask(method, '/users/7', browser)).status).toBe(404)
})

test('real files come first, and what a router owns is left to it', async () => {
  const site = await tempSite(files)
  const server = await createServer({
    plugins: [
      staticFiles({ root: site.root, ...options }),
      router('/api', { 'GET /hello': () => HttpResponse.text('hello') }),
    ],
  })
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  const get = (url: string) => server.inject({ url, headers: browser })
  expect((await get('/app.js')).text()).toBe('script')
  expect((await get('/api/hello')).text()).toBe('hello')
  expect((await get('/api/nothing')).status).toBe(404)
  expect((await get('/elsewhere')).text()).toBe('app')
})

test('it is never kept as if it were the file at that path: one that appears there is seen at once', async () => {
  const seen: unknown[] = []
  const watch = onSite('watch', site => {
    site.hooks.transform.tap({ name: 'watch', stage: 0 }, response => void seen.push(response.isCurrent))
  })
  const { site, get } = await serve(files, options, [watch])
  expect((await get('/about', browser)).text()).toBe('app')
  await get('/index.html')
  expect(seen[0]).toBeUndefined()
  expect(seen[1]).toBeTypeOf('function')
  await site.write({ 'public/about': 'a file' })
  expect((await get('/about', browser)).text()).toBe('a file')
})

test('its page changes as any file does, and when it is gone nothing answers', async () => {
  const { site, get } = await serve(files, options)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect((await get('/users', browser)).text()).toBe('app')
  await site.write({ 'public/index.html': 'new' }, 60_000)
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/users', browser)).text()).toBe('new')
  await unlink(join(site.root, 'index.html'))
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/users', browser)).status).toBe(404)
})

test('a page that was replaced within the second is answered as it is now', async () => {
  const { site, get } = await serve(files, options)
  await get('/users', { ...browser, 'if-none-match': '*' })
  await site.write({ 'public/index.html': 'longer' }, 60_000)
  const answer = await get('/users', browser)
  expect([answer.status, answer.text()]).toEqual([200, 'longer'])
})

test('it takes part in conditions and codings', async () => {
  const { get } = await serve({ ...files, 'index.html.br': 'packed' }, { ...options, precompressed: true })
  const answer = await get('/users', { ...browser, 'accept-encoding': 'br' })
  expect([answer.text(), answer.headers.get('content-encoding')]).toEqual(['packed', 'br'])
  expect(answer.headers.get('vary')).toBe('Accept-Encoding, Accept, Sec-Fetch-Mode')
  const etag = String(answer.headers.get('etag'))
  const again = await get('/users', { ...browser, 'accept-encoding': 'br', 'if-none-match': etag })
  expect(again.status).toBe(304)
})

test('it may lie in a folder, and with clean URLs it is not redirected', async () => {
  const { get } = await serve(
    { '.app 100%/200.html': 'shell' },
    { fallback: '.app 100%/200.html', cleanUrls: true },
  )
  expect((await get('/users', browser)).text()).toBe('shell')
})

test('one that is not there fails the start', async () => {
  await expect(serve(files, { fallback: 'indx.html' })).rejects.toThrow(
    'config: plugins[0] (static): options.fallback: expected a file below the root, got no such file: indx.html',
  )
  await expect(serve({ 'docs/index.html': 'd' }, { fallback: 'docs' })).rejects.toThrow(
    'got no such file: docs',
  )
})
