import { definePlugin, Handle, HttpError, HttpResponse } from 'rawhttp'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { serve } from './serve.ts'

const json = { 'content-type': 'application/json' }

describe('limits of a route', () => {
  test('hold behind a guard of another plugin that has read the body, but for those of the body', async () => {
    const signature = definePlugin({
      name: 'signature',
      site: site =>
        site.hooks.handle.tapPromise({ name: 'signature', stage: Handle.Guard }, async request => {
          await request.body.bytes()
        }),
    })
    const limits = { bodyBytes: 2, handlerTimeout: '7s' } as const
    const tell = route({ limits }, async ({ request, body }) => ({
      body: await body.text(),
      handlerTimeout: request.limits.handlerTimeout,
    }))
    const { ask, reports } = await serve(router({ 'POST /': tell }), signature())

    const { status, text } = await ask('POST /', {}, 'signed')

    expect(reports).toEqual([])
    expect([status, text()]).toEqual([200, '{"body":"signed","handlerTimeout":7000}'])
  })

  test('hold for its requests alone', async () => {
    const read = async ({ body }: { body: { text(): Promise<string> } }) => String((await body.text()).length)
    const { ask } = await serve(
      router({ 'POST /small': route({ limits: { bodyBytes: '1kb' } }, read), 'POST /usual': read }),
    )
    const large = 'x'.repeat(2_000)
    expect((await ask('POST /small', {}, large)).status).toBe(413)
    expect((await ask('POST /usual', {}, large)).text()).toBe('2000')
  })

  test('hold before its guards read the body', async () => {
    const guards = [async ({ body }: { body: { text(): Promise<string> } }) => void (await body.text())]
    const { ask } = await serve(
      router({ 'POST /': route({ limits: { bodyBytes: 10 }, guards }, () => 'through') }),
    )
    expect((await ask('POST /', {}, 'x'.repeat(11))).status).toBe(413)
    expect((await ask('POST /', {}, 'x'.repeat(10))).text()).toBe('through')
  })

  test('for the handler end it in a 503', async () => {
    const never = route({ limits: { handlerTimeout: '20ms' } }, () => new Promise<never>(() => undefined))
    const { ask, reports } = await serve(router({ 'GET /': never }))
    expect((await ask('GET /')).status).toBe(503)
    expect(reports[0]?.plugin).toBe('router')
  })
})

describe('hosts of a route', () => {
  test.each([
    ['API.example.com.', 'api.example.com'],
    ['*.Example.com.', 'api.example.com'],
    ['[0:0::1]', '[::1]:8080'],
    ['*', 'whoever.example'],
  ])('may be written as those of a site: %s', async (written, host) => {
    const { ask } = await serve(router({ 'GET /': route({ hosts: [written] }, () => 'found') }))
    expect((await ask('GET /', { host })).text()).toBe('found')
  })

  const table = router({
    'GET /a': route({ hosts: ['api.example.com', '*.example.org'] }, () => 'constrained'),
    'GET /:any': () => 'any',
    'POST /a': route({ hosts: ['api.example.com'] }, () => 'x'),
  })

  test.each([
    ['api.example.com', 'constrained'],
    ['API.Example.com:8080', 'constrained'],
    ['deep.below.example.org', 'constrained'],
    ['example.org', 'any'],
    ['example.com', 'any'],
    ['xexample.org', 'any'],
  ])('narrow it: %s gets %s', async (host, text) => {
    const { ask } = await serve(table)
    expect((await ask('GET /a', { host })).text()).toBe(text)
  })

  test('show in Allow', async () => {
    const { ask } = await serve(table)
    expect((await ask('DELETE /a', { host: 'api.example.com' })).headers.get('allow')).toBe(
      'GET, HEAD, OPTIONS, POST',
    )
    expect((await ask('DELETE /a', { host: 'x.y' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })
})

describe('trailingSlash', () => {
  const routes = {
    'GET /a': () => 'a',
    'GET /b/': () => 'b',
    'POST /a': () => 'posted',
    'GET /c/:id': () => 'c',
  }

  test('is strict by default', async () => {
    const { ask } = await serve(router(routes))
    expect((await ask('GET /a/')).status).toBe(404)
    expect((await ask('GET /b')).status).toBe(404)
  })

  test('may be ignored', async () => {
    const { ask } = await serve(
      router('/api', { ...routes, 'GET /': () => 'root' }, { trailingSlash: 'ignore' }),
    )
    for (const [path, text] of [
      ['/api/a/', 'a'],
      ['/api/b', 'b'],
      ['/api/b/', 'b'],
      ['/api/c/1/', 'c'],
      ['/api', 'root'],
      ['/api/', 'root'],
    ])
      expect((await ask(`GET ${path}`)).text()).toBe(text)
  })

  test('may be a redirect to the path that has a route, with method and query kept', async () => {
    const { ask } = await serve(router('/api', routes, { trailingSlash: 'redirect' }))
    const to = async (line: string) => {
      const { status, headers } = await ask(line)
      return [status, headers.get('location')]
    }
    expect(await to('GET /api/a/?b=c%20d')).toEqual([308, '/api/a?b=c%20d'])
    expect(await to('GET /api/b')).toEqual([308, '/api/b/'])
    expect(await to('HEAD /api/a/')).toEqual([308, '/api/a'])
    expect(await to('POST /api/a/')).toEqual([308, '/api/a'])
    expect(await to('GET /api/c//1//')).toEqual([308, '/api/c/1'])
    expect((await ask('GET /api/x/')).status).toBe(404)
    expect((await ask('GET /api/a')).text()).toBe('a')
  })

  test('never redirects to another host', async () => {
    const { ask } = await serve(router({ 'GET /*': () => 'x' }, { trailingSlash: 'redirect' }))
    const { status, headers } = await ask('GET //evil.example/')
    expect([status, headers.get('location')]).toEqual([200, undefined])
  })
})

describe('onError', () => {
  const routes = {
    'GET /throws': () => {
      throw new TypeError('secret')
    },
    'GET /gone': () => {
      throw new HttpError(410, 'it was here')
    },
    'POST /body': route({}, ({ body }) => body.json() as Promise<object>),
    'GET /fine': () => 'fine',
  }
  const shaped = (error: HttpError) =>
    error.status === 410
      ? undefined
      : HttpResponse.json({ code: error.code, cause: (error.cause as Error | undefined)?.name }, error.status)

  test('answers what its routes throw', async () => {
    const { ask } = await serve(router('/api', routes, { onError: shaped }))
    const thrown = await ask('GET /api/throws')
    expect([thrown.status, thrown.json()]).toEqual([500, { code: 'HTTP_500', cause: 'TypeError' }])
    expect((await ask('POST /api/body', json, '{')).json()).toMatchObject({ code: 'BODY_INVALID_JSON' })
    expect((await ask('GET /api/gone')).text()).toContain('it was here')
    expect((await ask('GET /api/fine')).text()).toBe('fine')
  })

  test('leaves the errors of other routers alone', async () => {
    const { ask } = await serve(
      router('/api', { 'GET /fine': () => 'x' }, { onError: () => HttpResponse.text('mine', 500) }),
      router({ 'GET /throws': routes['GET /throws'] }),
    )
    expect((await ask('GET /throws')).text()).toBe('500 Internal Server Error\n')
    expect((await ask('GET /api/none')).text()).toBe('404 Not Found\n')
  })

  test('that throws is reported, and the client gets a plain 500', async () => {
    const onError = () => {
      throw new Error('no template')
    }
    const { ask, reports } = await serve(router(routes, { onError }))
    expect((await ask('GET /throws')).text()).toBe('Internal Server Error\n')
    expect(reports.map(({ message }) => message)).toContainEqual(expect.stringContaining('no template'))
  })
})
