import {
  createServer,
  definePlugin,
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  Slots,
  scope,
} from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { describe, expect, onTestFinished, test } from 'vitest'
import { negotiation, type Preference } from '../../../plugins/error-pages/negotiate.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { tempPages } from './temp-pages.ts'

const chrome =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'

describe('what a client gets', () => {
  test.each([
    [undefined, 'text/html'],
    ['*/*', 'text/html'],
    [chrome, 'text/html'],
    ['image/avif,image/webp,*/*;q=0.8', 'text/html'],
    ['text/*', 'text/html'],
    ['application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['application/problem+json', 'application/problem+json'],
    ['application/problem+json, application/json;q=0.9', 'application/problem+json'],
    ['application/json, application/problem+json', 'application/json'],
    ['application/*', 'application/problem+json'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['text/html, application/json;q=0.9', 'text/html'],
    ['text/html;q=0, */*', 'application/problem+json'],
    ['application/vnd.api+json', 'application/problem+json'],
    ['text/json', 'application/problem+json'],
    ['text/plain', 'text/plain'],
    ['text/plain, text/html;q=0.1', 'text/plain'],
    ['image/png', 'text/plain'],
    ['', 'text/html'],
    ['a;b;;,=,"', 'text/plain'],
  ])('with Accept: %s is %s', (accept, kind) => expect(negotiation('html')(accept)).toBe(kind))

  test.each([
    [undefined, 'application/problem+json'],
    ['*/*', 'application/problem+json'],
    [chrome, 'text/html'],
    ['application/json', 'application/json'],
    ['text/html, application/json', 'text/html'],
  ])('of a site that prefers problem details with Accept: %s is %s', (accept, kind) =>
    expect(negotiation('problem')(accept)).toBe(kind),
  )

  test('is the same when it was asked before, among however many others', () => {
    const negotiate = negotiation('html')
    for (let i = 0; i < 1_000; i++) negotiate(`text/html, x/y${i}`)
    for (let i = 0; i < 3; i++) {
      expect(negotiate('application/json')).toBe('application/json')
      expect(negotiate(chrome)).toBe('text/html')
    }
  })
})

type Answer = (request: HttpRequest) => HttpResponse | undefined

const withId = definePlugin({
  name: 'with-id',
  site: site =>
    site.hooks.handle.tap({ name: 'with-id', stage: Handle.Prepare }, request =>
      request.set(Slots.requestId, 'id-<7>'),
    ),
})

/** A server on a socket whose errors are shaped, and a way to ask it with an Accept. */
async function serve(answer: Answer, options: { prefer?: Preference; root?: string } = {}) {
  const server = await startServer({ plugins: [withId(), errorPages(options), answering(answer)] })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return async (accept?: string, method = 'GET') => {
    await using client = await RawClient.connect(server.port)
    const field = accept === undefined ? '' : `Accept: ${accept}\r\n`
    client.send(`${method} / HTTP/1.1\r\nHost: localhost\r\n${field}\r\n`)
    return await client.response({ toHead: method === 'HEAD' })
  }
}

const throws =
  (status: number, message?: string, headers?: Record<string, string>): Answer =>
  () => {
    throw new HttpError(status, message, { headers })
  }

describe('problem details', () => {
  test('say what is known of the error', async () => {
    const ask = await serve(throws(409, 'the "name" is taken'))
    const answer = await ask('application/problem+json')
    expect(answer.status).toBe(409)
    expect(answer.field('content-type')).toBe('application/problem+json')
    expect(answer.field('content-length')).toBe(String(answer.body.length))
    expect(JSON.parse(answer.body.toString())).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'the "name" is taken',
      requestId: 'id-<7>',
    })
  })

  test('have no detail where there is none to tell: the text of a 5xx stays with the operator', async () => {
    for (const answer of [throws(503, 'db-7 is down'), throws(404)]) {
      const ask = await serve(answer)
      const { body, status } = await ask('application/json')
      expect(Object.keys(JSON.parse(body.toString()))).toEqual(['type', 'title', 'status', 'requestId'])
      expect(JSON.parse(body.toString())).toMatchObject({ status })
    }
  })

  test('do not replace what a handler wrote itself', async () => {
    const ask = await serve(() => HttpResponse.text('mine', 404))
    const answer = await ask('application/json')
    expect(answer.body.toString()).toBe('mine')
    expect(answer.field('vary')).toBeUndefined()
  })

  test('are what anybody gets who takes anything, where the config prefers them', async () => {
    const ask = await serve(() => undefined, { prefer: 'problem' })
    expect((await ask()).field('content-type')).toBe('application/problem+json')
    expect((await ask(chrome)).field('content-type')).toBe('text/html; charset=utf-8')
  })

  test('may be preferred below one path only', async () => {
    const server = await createServer({
      plugins: [scope({ path: '/api/*' }, [errorPages({ prefer: 'problem' })]), errorPages()],
    })
    onTestFinished(() => server.stop())
    const typeOf = async (url: string) => (await server.inject(url)).headers.get('content-type')
    expect(await typeOf('/api/x')).toBe('application/problem+json')
    expect(await typeOf('/x')).toBe('text/html; charset=utf-8')
  })
})

describe('whatever the client asked for', () => {
  const kinds = ['text/html', 'application/problem+json', 'application/json', 'text/plain']

  test.each(kinds)('HEAD gets the head of GET, and no body: %s', async accept => {
    const ask = await serve(throws(404, 'no'))
    const get = await ask(accept)
    const head = await ask(accept, 'HEAD')
    const fields = (answer: typeof get) => answer.fields.filter(([name]) => name !== 'date')
    expect(head.status).toBe(404)
    expect(fields(head)).toEqual(fields(get))
    expect(get.body.length).toBeGreaterThan(0)
    expect(head.body).toHaveLength(0)
  })

  test.each(kinds)('caches are told that the answer depends on it: %s', async accept => {
    const ask = await serve(() => HttpResponse.error(404, null, { headers: { vary: 'Origin' } }))
    expect((await ask(accept)).field('vary')).toBe('Origin, Accept')
  })

  test.each(kinds)('the header fields of the error stay: %s', async accept => {
    const fields = {
      'retry-after': '5',
      'www-authenticate': 'Basic realm="a"',
      allow: 'GET',
      'cache-control': 'no-store',
    }
    const ask = await serve(throws(429, 'slow down', fields))
    const answer = await ask(accept)
    for (const [name, value] of Object.entries(fields)) expect(answer.field(name), name).toBe(value)
  })

  test.each(kinds)('a 416 still says how long the file is: %s', async accept => {
    const ask = await serve(throws(416, undefined, { 'content-range': 'bytes */1234' }))
    expect((await ask(accept)).field('content-range')).toBe('bytes */1234')
  })

  test("plain text is the kernel's", async () => {
    const answer = await (await serve(throws(404, 'no')))('text/plain')
    expect(answer.field('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.body.toString()).toBe('404 Not Found\nno\n')
  })
})

describe('the built-in page', () => {
  test('says status, reason, detail and request id, and needs nothing else', async () => {
    const ask = await serve(throws(403, 'not for "you" <b>'))
    const html = (await ask(chrome)).body.toString()
    expect(html).toContain('<title>403 Forbidden</title>')
    expect(html).toContain('<h1><span>403</span> Forbidden</h1>')
    expect(html).toContain('<p>not for &quot;you&quot; &lt;b&gt;</p>')
    expect(html).toContain('<p class="id">id-&lt;7&gt;</p>')
    expect(html).toContain('color-scheme" content="light dark"')
    expect(html).not.toMatch(/<script|https?:|@import|url\(|src=|href="(?!data:,")/)
    expect(html.length).toBeLessThan(1_500)
  })

  test('stands in where a folder has no page for the status', async () => {
    const root = await tempPages({ '404.html': 'mine' })
    const ask = await serve(throws(404), { root })
    expect((await ask()).body.toString()).toBe('mine')
    const other = await serve(throws(500), { root })
    expect((await other()).body.toString()).toContain('<span>500</span> Internal Server Error')
  })
})
