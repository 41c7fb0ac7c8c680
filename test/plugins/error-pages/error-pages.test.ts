import { createServer, definePlugin, Handle, HttpError, type HttpRequest, HttpResponse } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { expect, onTestFinished, test } from 'vitest'
import { tempPages } from './temp-pages.ts'

const html = {
  '404.html': 'lost {{detail}}',
  '4xx.html': '{{status}} {{reason}}: {{detail}}',
  '5xx.html': 'sorry {{status}} {{detail}}',
}

type Answer = (request: HttpRequest) => HttpResponse | undefined

const answers = (answer: Answer) =>
  definePlugin({
    name: 'answers',
    site(site) {
      site.hooks.handle.tap({ name: 'answers', stage: Handle.Route }, answer)
      site.server.hooks.report.tap('answers', () => undefined)
    },
  })()

async function serve(answer: Answer, files: Readonly<Record<string, string>> = html) {
  const root = await tempPages(files)
  const server = await createServer({
    sites: [{ name: 'site', plugins: [answers(answer), errorPages({ root })] }],
  })
  onTestFinished(() => server.stop())
  return (method = 'GET', url = '/') => server.inject({ method, url, headers: { host: 'localhost' } })
}

const nobody: Answer = () => undefined
const throws =
  (status: number, message?: string, headers?: Record<string, string>): Answer =>
  () => {
    throw new HttpError(status, message, { headers })
  }

test("nobody's answer gets the page of its status", async () => {
  const ask = await serve(nobody)
  const answer = await ask()
  expect(answer.status).toBe(404)
  expect(answer.text()).toBe('lost ')
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(answer.headers.get('content-length')).toBe('5')
})

test('a thrown error gets a page with its text, and keeps its header fields', async () => {
  const ask = await serve(throws(429, 'slow down', { 'retry-after': '5' }))
  const answer = await ask()
  expect(answer.status).toBe(429)
  expect(answer.text()).toBe('429 Too Many Requests: slow down')
  expect(answer.headers.get('retry-after')).toBe('5')
})

test('the text of a 5xx is not on its page', async () => {
  for (const answer of [throws(503, 'db-7 is down'), () => void JSON.parse('{secret')]) {
    const ask = await serve(answer)
    const { status, text } = await ask().then(given => ({ status: given.status, text: given.text() }))
    expect(text).toBe(`sorry ${status} `)
  }
})

test('an answer without a body gets a page, with the detail that its plugin gave', async () => {
  const ask = await serve(() => HttpResponse.error(410, 'sold in May'))
  expect((await ask()).text()).toBe('410 Gone: sold in May')
  const bare = await serve(() => new HttpResponse(502))
  expect((await bare()).text()).toBe('sorry 502 ')
})

test('what a handler wrote itself stays, be it empty', async () => {
  for (const body of ['{"error":"no"}', '']) {
    const ask = await serve(() =>
      HttpResponse.text(body, { status: 404, headers: { 'content-type': 'application/json' } }),
    )
    const answer = await ask()
    expect(answer.text()).toBe(body)
    expect(answer.headers.get('content-type')).toBe('application/json')
  }
})

test('answers that are no errors are left alone', async () => {
  const ask = await serve(({ path }) =>
    path === '/moved' ? HttpResponse.redirect('/x') : HttpResponse.empty(),
  )
  expect([(await ask()).status, (await ask()).text()]).toEqual([204, ''])
  expect([(await ask('GET', '/moved')).status, (await ask('GET', '/moved')).text()]).toEqual([302, ''])
})

test('HEAD gets the head of the page, and no body', async () => {
  const ask = await serve(throws(404, 'no'))
  const get = await ask('GET')
  const head = await ask('HEAD')
  expect(head.status).toBe(404)
  expect(head.body).toHaveLength(0)
  expect({ ...head.headers.toObject(), date: '' }).toEqual({ ...get.headers.toObject(), date: '' })
})

test('the most specific page is taken, and a status without one gets the built-in page', async () => {
  const ask = await serve(({ path }) => HttpResponse.error(Number(path.slice(1))), {
    '404.html': 'four o four',
    '4xx.html': 'four',
    'notes.txt': 'no page',
    '50x.html': 'no page either',
  })
  expect((await ask('GET', '/404')).text()).toBe('four o four')
  expect((await ask('GET', '/400')).text()).toBe('four')
  expect((await ask('GET', '/499')).text()).toBe('four')
  const builtIn = await ask('GET', '/503')
  expect(builtIn.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(builtIn.text()).toContain('<h1><span>503</span> Service Unavailable</h1>')
})

test('a detail that a client could have chosen is escaped', async () => {
  const ask = await serve(request => HttpResponse.error(404, `no ${decodeURIComponent(request.path)}`))
  const { text } = await ask('GET', '/<script>alert(1)</script>').then(answer => ({ text: answer.text() }))
  expect(text).toBe('lost no /&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('says nothing about caching: only who made the error knows how long it lasts', async () => {
  const ask = await serve(nobody)
  expect((await ask()).headers.get('cache-control')).toBeUndefined()
  const cached = await serve(() =>
    HttpResponse.error(404, undefined, { headers: { 'cache-control': 'max-age=60' } }),
  )
  expect((await cached()).headers.get('cache-control')).toBe('max-age=60')
})

test('the page has none of the validators and codings of the body that is not there', async () => {
  const headers = {
    etag: '"a"',
    'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
    'content-encoding': 'gzip',
  }
  const ask = await serve(() => HttpResponse.error(404, undefined, { headers }))
  const answer = await ask()
  for (const name of Object.keys(headers)) expect(answer.headers.get(name), name).toBeUndefined()
  expect(answer.text()).toBe('lost ')
})

test('one answer for all is not changed by the page that is put on it', async () => {
  const shared = HttpResponse.error(404, 'shared')
  const ask = await serve(() => shared)
  expect((await ask()).text()).toBe('lost shared')
  expect((await ask()).text()).toBe('lost shared')
  expect(shared.body).toBeNull()
})

test('each site shows its own pages', async () => {
  const one = await tempPages({ '404.html': 'one' })
  const two = await tempPages({ '404.html': 'two' })
  const server = await createServer({
    plugins: [errorPages({ root: one })],
    sites: [
      { name: 'a', hosts: ['a.test'] },
      { name: 'b', hosts: ['b.test'], plugins: [errorPages({ root: two })] },
    ],
  })
  onTestFinished(() => server.stop())
  const ask = (host: string) => server.inject({ method: 'GET', url: '/', headers: { host } })
  expect((await ask('a.test')).text()).toBe('one')
  expect((await ask('b.test')).text()).toBe('two')
})

test('inside a scope only its requests get pages', async () => {
  const { scope } = await import('rawhttp')
  const root = await tempPages({ '404.html': 'ours' })
  const server = await createServer({ plugins: [scope({ path: '/a/*' }, [errorPages({ root })])] })
  onTestFinished(() => server.stop())
  const ask = (url: string) => server.inject({ method: 'GET', url, headers: { host: 'localhost' } })
  expect((await ask('/a/x')).text()).toBe('ours')
  expect((await ask('/b')).text()).toContain('404 Not Found')
})
