import { Handle, HttpError, type HttpRequest, HttpResponse, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../support/in-memory.ts'
import { get } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

const throwing = (error: HttpError) =>
  answering(() => {
    throw error
  })

const asJson = onSite('as-json', ({ hooks }) =>
  hooks.error.tap('as-json', error => HttpResponse.json({ code: error.code }, error.status)),
)

const allowing = (...methods: string[]) =>
  onSite('allows', ({ hooks }) =>
    hooks.handle.tap({ name: 'allows', stage: Handle.Early }, request => request.allow(...methods)),
  )

describe('a 405 says which methods there are', () => {
  const ways: Record<string, (request: HttpRequest) => HttpResponse> = {
    thrown: () => {
      throw new HttpError(405)
    },
    returned: () => HttpResponse.error(405),
    'returned with a body': () => HttpResponse.json({ no: true }, 405),
  }

  test.each(Object.entries(ways))('when it is %s without Allow', async (_, handler) => {
    const { ask } = await serve([allowing('GET', 'PUT'), answering(handler)])
    const got = await ask({ method: 'POST' })
    expect([got.status, got.headers.getAll('allow')]).toEqual([405, ['GET, HEAD, OPTIONS, PUT']])
  })

  test('also when a tap has made another answer of the error', async () => {
    const { ask } = await serve([asJson, allowing('GET')])
    const got = await ask({ method: 'POST' })
    expect([got.text(), got.headers.getAll('allow')]).toEqual(['{"code":"HTTP_405"}', ['GET, HEAD, OPTIONS']])
  })

  test('and keeps what it says itself', async () => {
    const own = new HttpError(405, undefined, { headers: { Allow: 'BREW' } })
    for (const plugins of [
      [allowing('GET'), throwing(own)],
      [asJson, allowing('GET'), throwing(own)],
    ]) {
      const { ask } = await serve(plugins)
      expect((await ask()).headers.getAll('allow')).toEqual(['BREW'])
    }
  })

  test('in an empty list when no plugin has named one', async () => {
    const { ask } = await serve([throwing(new HttpError(405))])
    const got = await ask()
    expect([got.status, got.headers.getAll('allow'), got.text()]).toEqual([
      405,
      [''],
      '405 Method Not Allowed\n',
    ])
  })

  test('and no other error does', async () => {
    const { ask } = await serve([allowing('GET'), throwing(new HttpError(403))])
    expect((await ask()).headers.has('allow')).toBe(false)
  })
})

describe('what a tap makes of an error', () => {
  const unauthorized = new HttpError(401, undefined, {
    headers: { 'WWW-Authenticate': 'Basic realm="a"', 'x-own': 'error' },
  })

  test('keeps the fields that the error came with', async () => {
    const { ask } = await serve([asJson, throwing(unauthorized)])
    const { headers, status } = await ask()
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Basic realm="a"'])
    expect(headers.get('content-type')).toBe('application/json')
  })

  test('has its own where it sets them', async () => {
    const shape = onSite('shape', ({ hooks }) =>
      hooks.error.tap('s', ({ status }) => HttpResponse.text('no', status).set('x-own', 'tap')),
    )
    const { ask } = await serve([shape, throwing(unauthorized)])
    expect((await ask()).headers.getAll('x-own')).toEqual(['tap'])
  })

  test('is left alone when it has another status', async () => {
    const shape = onSite('shape', ({ hooks }) =>
      hooks.error.tap('s', () => HttpResponse.redirect('/login', 303)),
    )
    const { ask } = await serve([shape, throwing(unauthorized)])
    const { headers, status } = await ask()
    expect([status, headers.has('www-authenticate'), headers.has('x-own')]).toEqual([303, false, false])
  })

  test('may be one answer for all: it does not gather the fields of others', async () => {
    const constant = HttpResponse.text('no', 401)
    const shape = onSite('shape', ({ hooks }) => hooks.error.tap('s', () => constant))
    const errors = onSite('errors', ({ hooks }) =>
      hooks.handle.tap({ name: 'e', stage: Handle.Route }, ({ path }) => {
        throw new HttpError(401, undefined, { headers: { [`x-${path.slice(1)}`]: 'yes' } })
      }),
    )
    const { ask } = await serve([shape, errors])
    expect((await ask('/a')).headers.get('x-a')).toBe('yes')
    const { headers } = await ask('/b')
    expect([headers.has('x-a'), headers.get('x-b')]).toEqual([false, 'yes'])
  })
})

describe('a 426 of a plugin names its protocol', () => {
  const thrown = () => {
    throw new HttpError(426, 'speak up', { protocol: 'websocket' })
  }
  const returned = () => HttpResponse.error(426, 'speak up', { protocol: 'websocket' })

  test.each([
    ['thrown', thrown],
    ['returned', returned],
  ])('when it is %s', async (_, handler) => {
    await using served = await startServer({ plugins: [answering(handler)] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const { status, field, body } = await client.response()
    expect([status, field('upgrade'), field('connection')]).toEqual([426, 'websocket', 'upgrade'])
    expect(body.toString()).toBe('426 Upgrade Required\nspeak up\n')
    client.send(get('/', 'Connection: close'))
    expect((await client.response()).field('connection')).toBe('close, upgrade')
    expect(served.reports).toEqual([])
  })

  test('also behind taps that give the error another shape', async () => {
    const page = onSite('page', ({ hooks }) =>
      hooks.transform.tap({ name: 'p', stage: Transform.Shape }, response => {
        response.replace('<p>no')
      }),
    )
    await using served = await startServer({ plugins: [asJson, page, answering(thrown)] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const { field, body } = await client.response()
    expect([field('upgrade'), body.toString()]).toEqual(['websocket', '<p>no'])
  })

  test.each([
    [401, 'websocket', 'error: only a 426 asks for a protocol, not a 401'],
    [426, 'a\r\nx: y', 'error: protocol must be a token such as "websocket", got "a\\r\\nx: y"'],
    [426, '', 'error: protocol must be a token such as "websocket", got ""'],
  ])('but no %i one named %j', async (status, protocol, sentence) => {
    expect(() => HttpResponse.error(status, null, { protocol })).toThrow(sentence)
    for (const plugins of [[], [asJson]]) {
      const { ask, reports } = await serve([
        ...plugins,
        throwing(new HttpError(status, undefined, { protocol })),
      ])
      expect((await ask()).status).toBe(500)
      expect(reports).toMatchObject([{ code: 'TAP_FAILED', plugin: 'test-answer' }])
      expect(reports[0]?.message).toContain(sentence)
    }
  })
})
