import { Handle, type HttpRequest, HttpResponse, type PluginSite, type Plugins } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite, requestOf, serve } from '../support/in-memory.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

const at = (name: string, stage: number, fn: (request: HttpRequest) => HttpResponse | undefined) =>
  onSite(name, site => site.hooks.handle.tap({ name, stage }, fn))
const says = at('says', Handle.Route, request =>
  HttpResponse.json({ path: request.path, query: Object.fromEntries(request.query), target: request.target }),
)

describe('a request', () => {
  test('has what it was made of', () => {
    const request = requestOf({
      protocol: '1.0',
      method: 'PUT',
      target: '/a%41?x=1&x=2',
      headers: [
        ['Host', 'A.example:80'],
        ['X-A', '1'],
        ['x-a', '2'],
      ],
      client: { address: '10.0.0.1', port: 5 },
    })
    expect(request).toMatchObject({
      version: '1.0',
      method: 'PUT',
      target: '/a%41?x=1&x=2',
      path: '/aA',
      scheme: 'http',
    })
    expect(request).toMatchObject({
      host: 'A.example:80',
      hostname: 'a.example',
      connection: null,
      refused: null,
    })
    expect(request.client).toEqual({ address: '10.0.0.1', port: 5 })
    expect(request.query.getAll('x')).toEqual(['1', '2'])
    expect([...request.headers]).toEqual([
      ['host', 'A.example:80'],
      ['x-a', '1'],
      ['x-a', '2'],
    ])
    expect(Math.abs(request.receivedAt - Date.now())).toBeLessThan(5_000)
  })

  test('without anything has sensible values', () => {
    const request = requestOf()
    expect(request).toMatchObject({ version: '1.1', path: '/', host: '', hostname: '', scheme: 'http' })
    expect([request.query.size, request.trailers.size, request.body.isEmpty]).toEqual([0, 0, true])
    expect(request.client).toEqual({ address: '', port: 0 })
  })

  test('over TLS is https, unless the transport says otherwise', () => {
    const tls = { protocol: 'TLSv1.3' }
    expect(requestOf({ tls }).scheme).toBe('https')
    expect(requestOf({ tls, scheme: 'http' }).scheme).toBe('http')
  })

  test('in absolute form has the authority in the place of Host, and the path behind it', () => {
    const request = requestOf({
      target: 'http://B.example/a?x=1',
      authority: 'B.example',
      headers: { host: 'a' },
    })
    expect(request).toMatchObject({
      host: 'B.example',
      hostname: 'b.example',
      path: '/a',
      target: 'http://B.example/a?x=1',
    })
    expect(request.query.get('x')).toBe('1')
  })

  test('makes query and body when they are asked for, once', () => {
    const request = requestOf({ target: '/?a=1' })
    expect(request.bodyIfUsed).toBeNull()
    expect(request.query).toBe(request.query)
    expect(request.body).toBe(request.body)
    expect(request.bodyIfUsed).toBe(request.body)
  })

  test('tells whether any precondition or a range came', () => {
    expect(requestOf({ headers: { accept: '*/*' } }).hasConditions).toBe(false)
    expect(requestOf({ headers: { 'If-None-Match': '*' } }).hasConditions).toBe(true)
    expect(requestOf({ fields: ['if-match', '*'] }).hasConditions).toBe(true)
    expect(requestOf({ headers: { Range: 'bytes=0-' } }).hasConditions).toBe(true)
  })
})

test('in absolute form over the wire, the authority chooses the site', async () => {
  const site = (name: string) => ({
    name,
    hosts: [`${name}.example`],
    plugins: [answering(request => HttpResponse.text(`${name} ${request.path}`))],
  })
  await using server = await startServer({ sites: [site('a'), site('b')] })
  await using client = await RawClient.connect(server.port)
  client.send('GET http://b.example/x/../y?z HTTP/1.1\r\nhost: a.example\r\n\r\n')
  expect((await client.response()).body.toString()).toBe('b /y')
})

describe('rewrite', () => {
  const ways: [string, (site: PluginSite, stage: number, target: string) => void][] = [
    [
      'a sync',
      (site, stage, target) =>
        site.hooks.handle.tap({ name: 'r', stage }, request => request.rewrite(target)),
    ],
    [
      'a promise',
      (site, stage, target) =>
        site.hooks.handle.tapPromise({ name: 'r', stage }, async request => {
          await Promise.resolve()
          request.rewrite(target)
        }),
    ],
    [
      'a callback',
      (site, stage, target) =>
        site.hooks.handle.tapAsync({ name: 'r', stage }, (request, callback) =>
          setImmediate(() => {
            try {
              request.rewrite(target)
              callback()
            } catch (error) {
              callback(error as Error)
            }
          }),
        ),
    ],
  ]

  describe.each(ways)('in %s tap', (_way, tap) => {
    const rewriting = (stage: number, target: string) => onSite('r', site => tap(site, stage, target))

    test('changes path and query for all that follow, and leaves the target', async () => {
      const looks = at('looks', Handle.Prepare - 1, request => void request.query.get('a'))
      const { ask } = await serve([looks, rewriting(Handle.Prepare, '/new//./path?b=2'), says])
      expect((await ask('/old?a=1')).json()).toEqual({
        path: '/new/path',
        query: { b: '2' },
        target: '/old?a=1',
      })
    })

    test('works right before Handle.Early', async () => {
      const { ask } = await serve([rewriting(Handle.Early - 1, '/new'), says])
      expect((await ask('/old')).json()).toMatchObject({ path: '/new' })
    })

    test.each([Handle.Early, Handle.Guard, Handle.Route])(
      'is refused at %d: a guard may have seen the old path',
      async stage => {
        const { ask, reports } = await serve([rewriting(stage, '/new'), says])
        expect((await ask('/old')).status).toBe(500)
        expect(reports[0]).toMatchObject({ plugin: 'r' })
        expect(reports[0]?.message).toContain(
          'request.rewrite() works only in handle taps before Handle.Early',
        )
      },
    )
  })

  test('is refused once the tap has answered, and in other hooks', async () => {
    const errors: string[] = []
    const tries = (request: HttpRequest) => {
      try {
        request.rewrite('/new')
      } catch (error) {
        errors.push((error as Error).message)
      }
    }
    const plugin = onSite('late', ({ hooks }) => {
      hooks.handle.tapPromise(
        { name: 'b', stage: Handle.Prepare },
        async request => void setImmediate(tries, request),
      )
      hooks.handle.tapAsync({ name: 'a', stage: Handle.Prepare }, (request, callback) => {
        callback()
        tries(request)
      })
      hooks.handle.tap({ name: 'sync', stage: Handle.Early - 1 }, () => undefined)
      hooks.transform.tap({ name: 'c', stage: 0 }, (_response, request) => tries(request))
      hooks.deliver.tap('d', (_response, request) => tries(request))
      hooks.done.tap('e', tries)
    })
    const { ask } = await serve([plugin, says])
    expect((await ask('/old')).json()).toMatchObject({ path: '/old' })
    await expect.poll(() => errors.length).toBe(5)
    expect(new Set(errors).size).toBe(1)
  })

  test.each(['new', '', '/../x', '/%00', '*', 'ftp://h/x'])(
    'refuses %j, and the request keeps its path',
    async target => {
      let kept: HttpRequest | undefined
      const plugin = at('r', Handle.Prepare, request => {
        kept = request
        request.rewrite(target)
        return undefined
      })
      const { ask, reports } = await serve([plugin, says])
      expect((await ask('/old?a=1')).status).toBe(500)
      expect(reports[0]).toMatchObject({ plugin: 'r', hook: 'handle' })
      expect([kept?.path, kept?.search]).toEqual(['/old', '?a=1'])
    },
  )

  test('is seen by guards', async () => {
    const guard = at('guard', Handle.Guard, ({ path }) =>
      path.startsWith('/admin') ? HttpResponse.error(401) : undefined,
    )
    const moves = at('moves', Handle.Prepare, request => void request.rewrite(`/admin${request.path}`))
    const { ask } = await serve([guard, moves, says])
    expect((await ask('/x')).status).toBe(401)
  })
})

describe('allow', () => {
  const allows = (...methods: string[]) =>
    at(`allows-${methods.join('').toLowerCase()}`, Handle.Route, request => void request.allow(...methods))

  test('of several plugins makes one 405, with HEAD for GET and OPTIONS', async () => {
    const { ask } = await serve([allows('POST'), allows('PUT', 'POST'), allows('GET')])
    const answer = await ask({ method: 'DELETE' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST, PUT'])
  })

  test('answers OPTIONS with 204 and the same', async () => {
    const { ask } = await serve([allows('POST'), allows('DELETE')])
    const answer = await ask({ method: 'OPTIONS' })
    expect([answer.status, answer.headers.get('allow'), answer.body.length]).toEqual([
      204,
      'DELETE, OPTIONS, POST',
      0,
    ])
  })

  test('does not keep another plugin from answering', async () => {
    const { ask } = await serve([allows('POST'), at('page', Handle.Static, () => HttpResponse.text('page'))])
    expect((await ask()).text()).toBe('page')
  })

  test('of nobody is a 404', async () => {
    const { ask } = await serve([])
    for (const method of ['GET', 'POST', 'OPTIONS']) expect((await ask({ method })).status).toBe(404)
  })
})

test('restrict tells caches why the answer depends on the client: the first reason stays', async () => {
  const reasons: unknown[] = []
  const plugins = [
    at('ip', Handle.Guard - 1, request => void request.restrict('client address')),
    at('cookie', Handle.Guard, request => void request.restrict('session cookie')),
    at('cache', Handle.Cache, request => void reasons.push(request.restriction)),
  ]
  await (await serve(plugins)).ask()
  expect(reasons).toEqual(['client address'])
  expect(requestOf().restriction).toBeNull()
})

describe('preconditions', () => {
  /** A note that PUT replaces, unless it is not the one that the client means. */
  function note() {
    const state = { text: 'one', effects: 0 }
    const plugin = at('note', Handle.Route, request => {
      const etag = `"${state.text}"`
      if (request.method === 'GET') return HttpResponse.text(state.text, { headers: { etag } })
      request.preconditions({ etag, lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT', exists: true })
      state.effects++
      return HttpResponse.empty()
    })
    return { state, plugin }
  }

  test.each([
    [{ 'if-match': '"one"' }, 204],
    [{ 'if-match': '"two"' }, 412],
    [{ 'if-match': 'W/"one"' }, 412],
    [{ 'if-none-match': '*' }, 412],
    [{ 'if-none-match': '"two"' }, 204],
    [{ 'if-unmodified-since': 'Sun, 31 Dec 2023 00:00:00 GMT' }, 412],
    [{ 'if-unmodified-since': 'Tue, 02 Jan 2024 00:00:00 GMT' }, 204],
    [{}, 204],
  ])('%j is %d, and a 412 comes before the effect', async (headers, expected) => {
    const { state, plugin } = note()
    const { ask, reports } = await serve([plugin])
    expect((await ask({ method: 'PUT', headers: headers as Record<string, string> })).status).toBe(expected)
    expect(state.effects).toBe(expected === 412 ? 0 : 1)
    expect(reports).toEqual([])
  })

  test('of a GET are the kernel’s', async () => {
    const { ask } = await serve([note().plugin])
    expect((await ask({ headers: { 'if-none-match': '"one"' } })).status).toBe(304)
    expect((await ask({ headers: { 'if-match': '"two"' } })).status).toBe(412)
  })
})

describe('limits', () => {
  const post = (body: string) => ({ method: 'POST', body })

  test('are those of the site until a plugin changes them, for its own request only', async () => {
    const raises = at('raises', Handle.Match, request => {
      if (request.path === '/large') request.limits.bodyBytes = 20
      return undefined
    })
    const reads = onSite('reads', site =>
      site.hooks.handle.tapPromise({ name: 'reads', stage: 0 }, async request =>
        HttpResponse.text(await request.body.text()),
      ),
    )
    const { ask } = await serve({
      sites: [{ name: 's', limits: { bodyBytes: 5 }, plugins: [raises, reads] }],
    })
    const text = 'ten bytes!'
    expect((await ask({ url: '/small', ...post(text) })).status).toBe(413)
    expect((await ask({ url: '/large', ...post(text) })).text()).toBe(text)
    expect((await ask({ url: '/small', ...post(text) })).status).toBe(413)
  })

  test('change no more after the first pull', async () => {
    const late = onSite('late', site =>
      site.hooks.handle.tapPromise({ name: 'late', stage: 0 }, async request => {
        request.limits.bodyBytes = 100
        await request.body.text()
        request.limits.bodyBytes = 200
        return HttpResponse.text('never')
      }),
    )
    const { ask, reports, done } = await serve([late])
    expect((await ask(post('abc'))).status).toBe(500)
    expect(reports[0]?.message).toContain('plugin "late", handle tap "late" failed: ')
    expect(reports[0]?.message).toContain('bodyBytes')
    expect(done[0]?.request.limits.bodyBytes).toBe(100)
  })
})

describe('the signal', () => {
  test('aborts with the reason, also when it is asked for only then', () => {
    const [early, late] = [requestOf(), requestOf()]
    const { signal } = early
    expect(signal.aborted).toBe(false)
    for (const request of [early, late]) request.abort(new Error('the client left'))
    for (const each of [signal, late.signal])
      expect(each).toMatchObject({ aborted: true, reason: new Error('the client left') })
  })

  test('fails a body that is being read', async () => {
    const request = requestOf({ method: 'POST', body: { want: () => undefined } })
    request.currentSite = (await serve([])).server.generation.sites[0]!
    const read = request.body.text()
    request.abort(new Error('the client left'))
    await expect(read).rejects.toThrow('the client left')
  })

  test('aborts when the client leaves, and not on a clean end', async () => {
    const { promise: waiting, resolve: isWaiting } = Promise.withResolvers<HttpRequest>()
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
    await using server = await startServer({
      plugins: [
        answering(async request => {
          if (request.path === '/') return HttpResponse.text('done')
          request.signal.addEventListener('abort', () => abort())
          isWaiting(request)
          await aborted
          return HttpResponse.text('late')
        }),
      ],
    })
    await using client = await RawClient.connect(server.port)
    client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await client.response()
    const [clean] = await server.untilEnded(1)
    expect(clean!.request.signal.aborted).toBe(false)
    client.send('GET /wait HTTP/1.1\r\nhost: a\r\n\r\n')
    await waiting
    client.reset()
    await aborted
    const [, left] = await server.untilEnded(2)
    expect(left?.outcome.result).toBe('aborted')
  })
})

describe('a body given to the constructor', () => {
  async function* pieces() {
    yield 'a'
    yield Buffer.from('bc')
  }

  test.each<[string, ConstructorParameters<typeof HttpRequest>[0]['body'], string]>([
    ['a string', 'abc', 'abc'],
    ['bytes', new Uint8Array([97, 98, 99]), 'abc'],
    ['an async iterable', pieces(), 'abc'],
    ['nothing', null, ''],
  ])('is read: %s', async (_kind, body, text) => {
    const { server } = await serve([])
    const request = requestOf({ method: 'POST', body })
    request.currentSite = server.generation.sites[0]!
    expect(await request.body.text()).toBe(text)
  })

  test('fails as its iterable fails', async () => {
    const { server } = await serve([])
    const broken = (async function* () {
      yield 'a'
      throw new Error('cut')
    })()
    const request = requestOf({ method: 'POST', body: broken })
    request.currentSite = server.generation.sites[0]!
    await expect(request.body.text()).rejects.toThrow('cut')
  })
})

describe('inform', () => {
  const informs = (status: number, headers: Record<string, string>): Plugins[number] =>
    answering(request => {
      request.inform(status, headers)
      return HttpResponse.text('done')
    })
  const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

  test('sends an interim answer before the final one', async () => {
    await using server = await startServer({ plugins: [informs(103, { link: '</a.css>; rel=preload' })] })
    await using client = await RawClient.connect(server.port)
    client.send(get)
    const hints = await client.response({ interim: true })
    expect([hints.status, hints.field('link')]).toEqual([103, '</a.css>; rel=preload'])
    expect((await client.response()).body.toString()).toBe('done')
  })

  test.each<[number, Record<string, string>, string]>([
    [103, { link: 'a\r\n\r\nHTTP/1.1 200 OK' }, 'link: expected text of latin1'],
    [103, { 'content-length': '1' }, 'content-length belongs to the kernel'],
    [100, {}, 'inform: status must be 102 to 199, got 100'],
    [101, {}, 'inform: status must be 102 to 199, got 101'],
    [200, {}, 'inform: status must be 102 to 199, got 200'],
  ])('refuses %d with %j', async (status, headers, sentence) => {
    await using server = await startServer({ plugins: [informs(status, headers)] })
    await using client = await RawClient.connect(server.port)
    client.send(get)
    expect((await client.response({ interim: true })).status).toBe(500)
    expect(server.reports[0]?.message).toContain(sentence)
  })

  test('is dropped for HTTP/1.0', async () => {
    await using server = await startServer({ plugins: [informs(103, { link: 'x' })] })
    await using client = await RawClient.connect(server.port)
    client.send('GET / HTTP/1.0\r\nhost: a\r\n\r\n')
    expect((await client.response({ interim: true })).status).toBe(200)
  })
})
