import { createServer, Handle, HttpError, HttpResponse } from 'rawhttp'
import { basicAuthGuard } from 'rawhttp/plugins/basic-auth'
import { cache } from 'rawhttp/plugins/cache'
import { type CorsOptions, cors } from 'rawhttp/plugins/cors'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'

const A = 'https://a.example'
const B = 'https://b.example'

const hello = answering(() => HttpResponse.text('hello'))

type Answer = { readonly headers: { get(name: string): string | undefined } }

interface Said {
  readonly 'allow-origin'?: string
  readonly 'allow-headers'?: string
  readonly vary?: string
}

/** What an answer says of CORS, without the prefix of its fields. */
const said = ({ headers }: Answer): Said => {
  const names = ['origin', 'credentials', 'methods', 'headers'].map(name => `allow-${name}`)
  const all = [...names, 'expose-headers', 'max-age'].map(name => [
    name,
    headers.get(`access-control-${name}`),
  ])
  return Object.fromEntries(
    [...all, ['vary', headers.get('vary')]].filter(([, value]) => value !== undefined),
  )
}

const asking = (origin: string, method = 'PUT', fields?: string) => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': method,
    ...(fields === undefined ? {} : { 'access-control-request-headers': fields }),
  },
})

describe('an answer', () => {
  test('says that everybody may read it, asked or not', async () => {
    const { ask } = await serve([cors({ origin: '*', exposed: ['x-total', 'link'] }), hello])
    const open = { 'allow-origin': '*', 'expose-headers': 'x-total, link' }
    expect(said(await ask())).toEqual(open)
    expect(said(await ask({ headers: { origin: A } }))).toEqual(open)
    expect(said(await ask({ headers: { origin: 'null' } }))).toEqual(open)
  })

  // Fetch standard, "CORS protocol and HTTP caches".
  test('says the one origin to everybody, so that caches need not tell clients apart', async () => {
    const { ask } = await serve([cors({ origin: A, credentials: true }), hello])
    const one = { 'allow-origin': A, 'allow-credentials': 'true' }
    expect(said(await ask())).toEqual(one)
    expect(said(await ask({ headers: { origin: B } }))).toEqual(one)
  })

  test('says each origin of a list to itself, and Vary to all', async () => {
    const { ask } = await serve([
      cors({ origin: [A, /^https:\/\/[a-z]+\.b\.example$/], credentials: true }),
      hello,
    ])
    const open = (origin: string) => ({ 'allow-origin': origin, 'allow-credentials': 'true', vary: 'Origin' })
    expect(said(await ask({ headers: { origin: A } }))).toEqual(open(A))
    expect(said(await ask({ headers: { origin: 'https://www.b.example' } }))).toEqual(
      open('https://www.b.example'),
    )
    expect(said(await ask({ headers: { origin: B } }))).toEqual({ vary: 'Origin' })
    expect(said(await ask())).toEqual({ vary: 'Origin' })
  })

  test('is made whatever the origin: it is the browser that hides it', async () => {
    const { ask } = await serve([cors({ origin: [A] }), hello])
    expect((await ask({ method: 'POST', headers: { origin: B } })).text()).toBe('hello')
  })

  test('has one policy, that of the plugin, whatever its handler says', async () => {
    const own = answering(() =>
      HttpResponse.text('x', {
        headers: {
          'access-control-allow-origin': '*',
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': 'x',
          vary: 'Accept',
        },
      }),
    )
    const { ask } = await serve([cors({ origin: [A] }), own])
    expect(said(await ask({ headers: { origin: A } }))).toEqual({ 'allow-origin': A, vary: 'Accept, Origin' })
    expect(said(await ask({ headers: { origin: B } }))).toEqual({ vary: 'Accept, Origin' })
  })

  test('may be read when it is an error, too: of a guard, a handler, the kernel', async () => {
    const guard = basicAuthGuard({ verify: () => false })
    const { ask } = await serve([
      cors({ origin: [A], credentials: true }),
      errorPages(),
      router('/api', {
        'GET /me': route({ guards: [guard] }, () => 'me'),
        'GET /teapot': () => {
          throw new HttpError(418, 'short and stout')
        },
        'GET /fail': () => {
          throw new Error('on purpose')
        },
      }),
    ])
    const statuses = { '/api/me': 401, '/api/teapot': 418, '/api/fail': 500, '/api/none': 404, '/%': 400 }
    for (const [url, status] of Object.entries(statuses)) {
      const answer = await ask({ url, headers: { origin: A } })
      expect([url, answer.status, said(answer)]).toMatchObject([
        url,
        status,
        { 'allow-origin': A, 'allow-credentials': 'true', vary: expect.stringContaining('Origin') },
      ])
    }
    expect((await ask({ method: 'PUT', url: '/api/me', headers: { origin: A } })).status).toBe(405)
  })

  test('is for its origin in a 304, and in a message that is refused', async () => {
    const tagged = answering(() => HttpResponse.text('x', { headers: { etag: '"1"' } }))
    await using server = await startServer({ plugins: [cors({ origin: [A] }), tagged] })
    await using client = await RawClient.connect(server.port)
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nOrigin: ${A}\r\nIf-None-Match: "1"\r\n\r\n`)
    const same = await client.response()
    expect([same.status, same.field('access-control-allow-origin'), same.field('vary')]).toEqual([
      304,
      A,
      'Origin',
    ])
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nOrigin: ${A}\r\n\r\n`)
    const refused = await client.response()
    expect([refused.status, refused.field('access-control-allow-origin')]).toEqual([400, A])
  })
})

describe('a stored answer', () => {
  test('tells each origin what holds for it, and is one for all of them', async () => {
    let runs = 0
    const handler = answering(() =>
      HttpResponse.text(`run ${++runs}`, { headers: { 'cache-control': 'max-age=60' } }),
    )
    const { ask } = await serve([cache(), handler, cors({ origin: [A, B] })])
    const seen = []
    for (const origin of [A, B, 'https://evil.example', A]) {
      const answer = await ask({ headers: { origin } })
      seen.push([
        answer.text(),
        answer.headers.get('access-control-allow-origin'),
        answer.headers.get('vary'),
      ])
    }
    seen.push((await ask()).headers.get('access-control-allow-origin'))
    expect(seen).toEqual([
      ['run 1', A, 'Origin'],
      ['run 1', B, 'Origin'],
      ['run 1', undefined, 'Origin'],
      ['run 1', A, 'Origin'],
      undefined,
    ])
  })

  test("never carries one origin's permission to another, not where the handler itself gave it", async () => {
    const handler = answering(({ headers }) =>
      HttpResponse.text('x', {
        headers: {
          'cache-control': 'max-age=60',
          'access-control-allow-origin': headers.get('origin') ?? '',
        },
      }),
    )
    const { ask } = await serve([cache(), cors({ origin: [A, B] }), handler])
    for (const [origin, allowed] of [
      ['https://evil.example', undefined],
      [A, A],
      [B, B],
    ] as const)
      expect((await ask({ headers: { origin } })).headers.get('access-control-allow-origin')).toBe(allowed)
  })
})

describe('a preflight', () => {
  test('is answered with what is allowed, before guards and routes', async () => {
    const calls: string[] = []
    const guard = onSite('guard', site =>
      site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard - 30 }, ({ method }) => {
        calls.push(method)
        return HttpResponse.error(401)
      }),
    )
    const { ask } = await serve([guard, cors({ origin: [A], credentials: true }), hello])
    const answer = await ask(asking(A, 'PUT', 'content-type,x-api-key'))
    expect([answer.status, answer.text()]).toEqual([204, ''])
    expect(said(answer)).toEqual({
      'allow-origin': A,
      'allow-credentials': 'true',
      'allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'allow-headers': 'content-type, x-api-key',
      'max-age': '600',
      vary: 'Access-Control-Request-Headers, Origin',
    })
    expect(calls).toEqual([])
    expect((await ask({ headers: { origin: A } })).status).toBe(401)
  })

  test('of an origin that is not let in says so by silence', async () => {
    const { ask } = await serve([cors({ origin: [A], headers: ['content-type'] }), hello])
    const answer = await ask(asking(B))
    expect([answer.status, said(answer)['allow-origin'], said(answer).vary]).toEqual([
      204,
      undefined,
      'Origin',
    ])
  })

  test('says the lists of the options', async () => {
    const { ask } = await serve([
      cors({ origin: A, methods: ['PUT', 'M-SEARCH'], headers: ['X-One', 'X-Two'], maxAge: '1h' }),
      hello,
    ])
    expect(said(await ask(asking(A, 'DELETE', 'x-three')))).toEqual({
      'allow-origin': A,
      'allow-methods': 'GET, HEAD, POST, PUT, M-SEARCH',
      'allow-headers': 'X-One, X-Two',
      'max-age': '3600',
    })
  })

  test.each([
    ['', undefined],
    [' , ,', undefined],
    ['x-a,x-b , X-C', 'x-a, x-b, X-C'],
    ['x-a, "evil", a b, é, *', 'x-a'],
  ])('that asks for the fields %j gets %j', async (fields, allowed) => {
    const { ask } = await serve([cors({ origin: '*' }), hello])
    expect(said(await ask(asking(A, 'PUT', fields)))['allow-headers']).toBe(allowed)
  })

  test('is one only with all its fields: other OPTIONS go on', async () => {
    const { ask } = await serve([cors({ origin: '*' }), router({ 'GET /': () => 'x' })])
    for (const headers of [{}, { origin: A }, { 'access-control-request-method': 'PUT' }]) {
      const answer = await ask({ method: 'OPTIONS', headers: headers as Record<string, string> })
      expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    }
  })

  test('of another site, or below another path, is not ours', async () => {
    const { scope } = await import('rawhttp')
    const { ask } = await serve([scope({ path: '/api/*' }, [cors({ origin: [A] })]), hello])
    expect(said(await ask({ ...asking(A), url: '/api/x' }))['allow-origin']).toBe(A)
    expect(said(await ask({ ...asking(A), url: '/x' }))).toEqual({})
  })
})

test('a function that answers something else lets nobody in, and is reported', async () => {
  const origin = (async () => true) as unknown as () => boolean
  const { ask, reports } = await serve([cors({ origin }), hello])
  const answer = await ask({ headers: { origin: A } })
  expect([answer.status, said(answer)]).toEqual([500, {}])
  expect(reports[0]).toMatchObject({ plugin: 'cors', hook: 'deliver' })
  expect(reports[0]?.message).toContain('origin: the function must answer true or false at once, got object')
})

test.each<[string, unknown, string]>([
  ['no origin', {}, '.origin: is required'],
  ['a number', { origin: 3 }, ".origin: expected '*', an origin, a RegExp, a list of them, or a function"],
  ['an empty list', { origin: [] }, '.origin: expected at least one origin, got none'],
  [
    'everybody with credentials',
    { origin: '*', credentials: true },
    ".origin: '*' does not go with credentials",
  ],
  ['everybody in a list', { origin: [A, '*'] }, ".origin: '*' stands alone, not in a list"],
  ['null', { origin: 'null' }, ".origin: any page can have the origin 'null'"],
  ['a slash too much', { origin: `${A}/` }, `got '${A}/'; did you mean '${A}'?`],
  ['a path', { origin: [`${A}/app`] }, `got '${A}/app'; did you mean '${A}'?`],
  ['a default port', { origin: `${A}:443` }, `; did you mean '${A}'?`],
  ['capitals', { origin: 'HTTPS://A.Example' }, `; did you mean '${A}'?`],
  ['a bare host', { origin: 'a.example' }, ".origin: expected an origin such as 'https://www.example.com'"],
  [
    'a star in a host',
    { origin: 'https://*.example' },
    ".origin: expected an origin such as 'https://www.example.com'",
  ],
  ['an expression without ^', { origin: /a\.example$/ }, '.origin: expected an expression from ^ to $'],
  [
    'an expression without $',
    { origin: /^https:\/\/a\.example/ },
    '.origin: expected an expression from ^ to $',
  ],
  ['an escaped $', { origin: /^https:\/\/a\$/ }, '.origin: expected an expression from ^ to $'],
  [
    'an expression of lines',
    { origin: /^https:\/\/a\.example$/m },
    '.origin: expected an expression from ^ to $',
  ],
  ['a bare dot', { origin: /^https:\/\/a.example$/ }, '.origin: expected \\. for each dot of a name'],
  ['a method in lower case', { origin: A, methods: ['patch'] }, '.methods: expected methods in capitals'],
  ['any method', { origin: A, methods: ['*'] }, '.methods: expected methods in capitals'],
  ['TRACE', { origin: A, methods: ['TRACE'] }, '.methods: expected methods in capitals'],
  ['any field', { origin: A, headers: ['*'] }, '.headers: expected names of fields'],
  ['no field', { origin: A, headers: [] }, '.headers: expected names of fields'],
  ['a line break', { origin: A, exposed: ['a\r\nb'] }, '.exposed: expected names of fields'],
  [
    'all fields with credentials',
    { origin: A, exposed: '*', credentials: true },
    ".exposed: '*' does not go with",
  ],
  ['a time without a unit', { origin: A, maxAge: '600' }, '.maxAge: expected a duration'],
  ['a misspelt option', { origins: A, origin: A }, ".origins: unknown option; did you mean 'origin'?"],
])('%s is refused when the config loads', async (_, options, problem) => {
  const start = createServer({ plugins: [cors(options as CorsOptions)] })
  await expect(start).rejects.toThrow('config: plugins[0] (cors): options')
  await expect(start).rejects.toThrow(problem)
})
