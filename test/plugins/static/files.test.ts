import fc from 'fast-check'
import { createServer, type Plugins } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { expect, onTestFinished, test, vi } from 'vitest'
import { mediaType } from '../../../plugins/static/rules.ts'
import { type Files, type TempSite, tempSite } from './temp-site.ts'

const page = '<!doctype html><title>home</title>'

type Options = Omit<Parameters<typeof staticFiles>[0], 'root'>

async function serve(files: Files, options: Options = {}, more: (site: TempSite) => Plugins = () => []) {
  const site = await tempSite(files)
  const server = await createServer({ plugins: [staticFiles({ root: site.root, ...options }), more(site)] })
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  const ask = (method: string, url: string, headers: Record<string, string> = {}) =>
    server.inject({ method, url, headers: { host: 'localhost', ...headers } })
  return { site, server, ask, get: (url: string) => ask('GET', url) }
}

test('answers with the bytes of the file', async () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251)
  const { get } = await serve({ 'a/image.png': bytes, 'empty.txt': '' })
  const image = await get('/a/image.png')
  expect(image.status).toBe(200)
  expect(Buffer.compare(image.body, bytes)).toBe(0)
  const empty = await get('/empty.txt')
  expect(empty.status).toBe(200)
  expect(empty.body).toHaveLength(0)
})

test.each([
  ['index.html', 'text/html; charset=utf-8'],
  ['INDEX.HTM', 'text/html; charset=utf-8'],
  ['style.css', 'text/css; charset=utf-8'],
  ['script.js', 'text/javascript; charset=utf-8'],
  ['module.mjs', 'text/javascript; charset=utf-8'],
  ['data.json', 'application/json; charset=utf-8'],
  ['script.js.map', 'application/json; charset=utf-8'],
  ['app.webmanifest', 'application/manifest+json; charset=utf-8'],
  ['notes.txt', 'text/plain; charset=utf-8'],
  ['readme.md', 'text/markdown; charset=utf-8'],
  ['table.csv', 'text/csv; charset=utf-8'],
  // XML names its own encoding; a charset parameter would overrule it (RFC 7303 section 3).
  ['logo.svg', 'image/svg+xml'],
  ['feed.xml', 'application/xml'],
  ['photo.webp', 'image/webp'],
  ['photo.avif', 'image/avif'],
  ['font.woff2', 'font/woff2'],
  ['app.wasm', 'application/wasm'],
  ['film.mp4', 'video/mp4'],
  ['archive.tar.gz', 'application/gzip'],
  ['unknown.zzz', 'application/octet-stream'],
  ['LICENSE', 'application/octet-stream'],
  // Names, not extensions.
  ['json', 'application/octet-stream'],
  ['.html', 'application/octet-stream'],
  ['x.constructor', 'application/octet-stream'],
])('%s is %s', (name, type) => {
  expect(mediaType({ types: [] }, `folder.css/${name}`)).toBe(type)
})

test('the media type follows the name that was asked for', async () => {
  const { get } = await serve({ 'a.css': 'a{}', 'b/index.html': page })
  expect((await get('/a.css')).headers.get('content-type')).toBe('text/css; charset=utf-8')
  expect((await get('/b/')).headers.get('content-type')).toBe('text/html; charset=utf-8')
})

test('a folder is answered by its index file', async () => {
  const { get } = await serve({ 'index.html': page, 'docs/index.html': 'docs' })
  expect((await get('/')).text()).toBe(page)
  expect((await get('/docs/')).text()).toBe('docs')
  expect((await get('/docs/index.html')).text()).toBe('docs')
})

test('takes the first index file that there is, and sees one that comes to stand before it', async () => {
  const { site, get } = await serve({ 'main.htm': 'second' }, { index: ['index.html', 'main.htm'] })
  expect((await get('/')).text()).toBe('second')
  await site.write({ 'public/index.html': 'first' })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_000 })
  expect((await get('/')).text()).toBe('first')
  vi.useRealTimers()
})

test('without index files, or with a folder of that name, a folder is not found', async () => {
  const none = await serve({ 'index.html': page }, { index: [] })
  expect((await none.get('/')).status).toBe(404)
  const folder = await serve({ 'docs/index.html/x.txt': 'x' })
  expect((await folder.get('/docs/')).status).toBe(404)
  expect((await folder.get('/docs')).status).toBe(404)
})

test.each([
  '/nothing',
  '/nothing/',
  '/docs/nothing.html',
  '/docs/nothing/deeper.html',
  '/index.html/',
  '/index.html/x',
  `/${'x'.repeat(300)}`,
  `/${'y/'.repeat(2_000)}`,
  '/bare/',
  '/bare',
])('%.40s is not found, and the answer tells nothing of the disk', async url => {
  const { site, get } = await serve({ 'index.html': page, 'docs/index.html': 'docs', 'bare/a.txt': 'a' })
  const { status, text } = await get(url).then(answer => ({ status: answer.status, text: answer.text() }))
  expect(status).toBe(404)
  expect(text).not.toContain(site.dir)
})

test.each([
  ['/docs', '/docs/'],
  ['/docs?a=1&b=%2F?c', '/docs/?a=1&b=%2F?c'],
  ['/docs?', '/docs/?'],
  ['/%64ocs', '/docs/'],
  ['/x/../docs', '/docs/'],
  ['//docs', '/docs/'],
  ['/a%20b', '/a%20b/'],
  ['/evil.com', '/evil.com/'],
  ['//evil.com', '/evil.com/'],
  ['///evil.com?//x', '/evil.com/?//x'],
])('%s leads to %s', async (url, location) => {
  const { get } = await serve({ 'docs/index.html': 'd', 'a b/index.html': 'ab', 'evil.com/index.html': 'e' })
  const answer = await get(url)
  expect(answer.status).toBe(301)
  expect(answer.headers.get('location')).toBe(location)
  expect(answer.body).toHaveLength(0)
})

test('HEAD gives the head that GET gives, and no body', async () => {
  const { ask } = await serve({ 'index.html': page, 'docs/index.html': 'd' })
  for (const url of ['/', '/index.html', '/docs', '/nothing']) {
    const get = await ask('GET', url)
    const head = await ask('HEAD', url)
    expect(head.status, url).toBe(get.status)
    expect(head.body, url).toHaveLength(0)
    expect({ ...head.headers.toObject(), date: '' }, url).toEqual({ ...get.headers.toObject(), date: '' })
  }
})

test('says when the file changed and how its bytes are known', async () => {
  const { ask } = await serve({ 'a.txt': 'hello' })
  const { headers } = await ask('HEAD', '/a.txt')
  expect(headers.get('etag')).toMatch(/^"5-[0-9a-z]+"$/)
  const age = Date.now() - Date.parse(String(headers.get('last-modified')))
  expect(age).toBeGreaterThan(3_590_000)
  expect(age).toBeLessThan(3_700_000)
  expect(headers.get('content-length')).toBe('5')
})

test('a client that has the file is told so, by tag and by date', async () => {
  const { ask } = await serve({ 'a.txt': 'hello' })
  const { headers } = await ask('GET', '/a.txt')
  const etag = String(headers.get('etag'))
  const date = String(headers.get('last-modified'))
  for (const condition of [
    { 'if-none-match': etag },
    { 'if-none-match': `"x", W/${etag}` },
    { 'if-modified-since': date },
  ]) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, '/a.txt', condition)
      expect(answer.status, JSON.stringify(condition)).toBe(304)
      expect(answer.body).toHaveLength(0)
      expect(answer.headers.get('etag')).toBe(etag)
    }
  }
  expect((await ask('GET', '/a.txt', { 'if-none-match': '"other"' })).status).toBe(200)
  expect((await ask('GET', '/a.txt', { 'if-match': '"other"' })).status).toBe(412)
})

test('another method on a file is told what the path can do', async () => {
  const { ask } = await serve({ 'index.html': page, 'docs/index.html': 'd' })
  for (const url of ['/', '/index.html', '/docs/', '/docs']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await ask(method, url)
      expect([status, headers.get('allow')], `${method} ${url}`).toEqual([405, 'GET, HEAD, OPTIONS'])
    }
    expect((await ask('OPTIONS', url)).status).toBe(204)
  }
  expect((await ask('POST', '/nothing')).status).toBe(404)
  expect((await ask('OPTIONS', '*')).status).toBe(204)
})

test('of several roots the first that has the file answers', async () => {
  const second = await tempSite({ 'a.txt': 'second', 'b.txt': 'only there' })
  onTestFinished(() => second[Symbol.asyncDispose]())
  const { get } = await serve({ 'a.txt': 'first' }, {}, () => [staticFiles({ root: second.root })])
  expect((await get('/a.txt')).text()).toBe('first')
  expect((await get('/b.txt')).text()).toBe('only there')
  expect((await get('/c.txt')).status).toBe(404)
})

test('hidden files are not found, unless the option says otherwise', async () => {
  const files = {
    '.env': 'KEY=1',
    '.git/config': '[core]',
    'a/.b.txt': 'b',
    '.well-known/security.txt': 'Contact:',
  }
  const closed = await serve(files)
  for (const url of ['/.env', '/%2eenv', '/.git/config', '/.git/', '/a/.b.txt']) {
    expect((await closed.get(url)).status, url).toBe(404)
  }
  expect((await closed.get('/.well-known/security.txt')).text()).toBe('Contact:')
  const open = await serve(files, { dotfiles: true })
  expect((await open.get('/.env')).text()).toBe('KEY=1')
  expect((await open.get('/.git/config')).text()).toBe('[core]')
})

test('a file of any name that a path can hold is found by it', async () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter(text => !/[/\\\0]/.test(text) && !text.startsWith('.') && text.isWellFormed())
    .filter(text => Buffer.byteLength(text) <= 200)
  const { site, get } = await serve({})
  let run = 0
  await fc.assert(
    fc.asyncProperty(name, async text => {
      // A folder for each: one name may come twice, and within a second a new file of its name is not looked for.
      const folder = `run-${run++}`
      await site.write({ [`public/${folder}/${text}`]: `content of ${text}` })
      const answer = await get(`/${folder}/${encodeURIComponent(text)}`)
      expect(answer.status).toBe(200)
      expect(answer.text()).toBe(`content of ${text}`)
    }),
    { numRuns: 300 },
  )
})

test('one response serves all: what a plugin adds for one client is not in the next answer', async () => {
  const { definePlugin } = await import('rawhttp')
  const cookie = definePlugin({
    name: 'cookie',
    site(at) {
      at.hooks.deliver.tap('cookie', (response, request) => {
        if (request.headers.has('x-new')) response.append('set-cookie', 'id=1')
      })
    },
  })
  const { ask } = await serve({ 'a.txt': 'a' }, {}, () => [cookie()])
  expect((await ask('GET', '/a.txt', { 'x-new': '1' })).headers.get('set-cookie')).toBe('id=1')
  expect((await ask('GET', '/a.txt')).headers.get('set-cookie')).toBeUndefined()
})
