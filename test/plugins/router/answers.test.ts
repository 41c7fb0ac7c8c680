import { createHook } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { HttpError, HttpRequest, HttpResponse, type Sink, slot } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { serve } from './serve.ts'

class Money {
  readonly cents: number
  constructor(cents: number) {
    this.cents = cents
  }
  toJSON() {
    return { cents: this.cents }
  }
}

async function* pieces() {
  yield 'one '
  yield Buffer.from('two')
}

const json = 'application/json'
const text = 'text/plain; charset=utf-8'
const bytes = 'application/octet-stream'

describe.each([
  ['sync', (answer: () => unknown) => answer],
  ['async', (answer: () => unknown) => async () => answer()],
  ['later', (answer: () => unknown) => () => new Promise(resolve => setImmediate(resolve)).then(answer)],
] as const)('a handler that answers %s', (_, wrap) => {
  test.each([
    ['a response', () => HttpResponse.html('<p>', 201), 201, 'text/html; charset=utf-8', '<p>'],
    ['text', () => 'häl', 200, text, 'häl'],
    ['empty text', () => '', 200, text, ''],
    ['bytes', () => new Uint8Array([104, 105]), 200, bytes, 'hi'],
    ['a Buffer', () => Buffer.from('hi'), 200, bytes, 'hi'],
    ['a Readable', () => Readable.from(['one ', 'two']), 200, bytes, 'one two'],
    ['an async iterable', () => pieces(), 200, bytes, 'one two'],
    ['a web stream', () => new Blob(['one two']).stream(), 200, bytes, 'one two'],
    ['an object', () => ({ a: [1, null] }), 200, json, '{"a":[1,null]}'],
    ['an object without prototype', () => Object.assign(Object.create(null), { a: 1 }), 200, json, '{"a":1}'],
    ['an array', () => [1, 'x'], 200, json, '[1,"x"]'],
    ['an object with toJSON', () => new Money(5), 200, json, '{"cents":5}'],
    ['null', () => null, 204, undefined, ''],
  ])('may answer with %s', async (_kind, make, status, type, body) => {
    const served = await serve(router({ 'GET /x': wrap(make) as () => null }))
    const answer = await served.ask('GET /x')
    expect([answer.status, answer.headers.get('content-type'), answer.text()]).toEqual([status, type, body])
    expect(served.reports).toEqual([])
  })

  test.each([
    ['undefined', () => undefined, 'answered undefined'],
    ['a number', () => 7, 'answered 7'],
    ['a boolean', () => false, 'answered false'],
    ['a function', () => () => 1, 'answered a function'],
    ['a Map', () => new Map([[1, 2]]), 'answered an object (Map)'],
    ['an Error', () => new Error('x'), 'answered an object (Error)'],
  ])(
    'may not answer with %s: that is a 500 whose report names plugin and route',
    async (_kind, make, sentence) => {
      const served = await serve(router('/api', { 'GET /x/:id': wrap(make) as () => null }))
      const answer = await served.ask('GET /api/x/1')
      expect([answer.status, answer.text()]).toEqual([500, '500 Internal Server Error\n'])
      expect(served.reports).toHaveLength(1)
      expect(served.reports[0]).toMatchObject({ plugin: 'router', hook: 'handle', tap: 'router:handler' })
      expect(served.reports[0]?.message).toContain('route "GET /api/x/:id"')
      expect(served.reports[0]?.message).toContain(sentence)
    },
  )

  test('may throw: an HttpError is the answer, anything else a hidden 500 that is reported', async () => {
    const fail = (error: unknown) => {
      throw error
    }
    const served = await serve(
      router({
        'GET /known': wrap(() => fail(new HttpError(409, 'taken'))) as () => null,
        'GET /unknown': wrap(() => fail(new Error('secret'))) as () => null,
      }),
    )
    const known = await served.ask('GET /known')
    expect([known.status, known.text()]).toEqual([409, expect.stringContaining('taken')])
    expect(served.reports).toEqual([])
    const unknown = await served.ask('GET /unknown')
    expect([unknown.status, unknown.text()]).toEqual([500, '500 Internal Server Error\n'])
    expect(served.reports[0]?.message).toContain('secret')
  })
})

test('a promise that is rejected with undefined is an error too', async () => {
  const served = await serve(router({ 'GET /x': () => Promise.reject() }))
  expect((await served.ask('GET /x')).status).toBe(500)
  expect(served.reports[0]?.message).toContain('failed with undefined')
})

test('a sync handler answers in the turn in which it was asked, without a promise', async () => {
  const served = await serve(router('/api', { 'GET /x/:id': ({ params }) => params.id }))
  await served.ask('GET /api/x/warm')
  const request = new HttpRequest({ method: 'GET', target: '/api/x/7', fields: ['host', 'localhost'] })
  const calls: string[] = []
  const sink: Sink = {
    inform: () => undefined,
    head: () => void calls.push('head'),
    write: (piece: Uint8Array | string) => calls.push(String(piece)) > 0,
    end: () => void calls.push('end'),
    reset: () => void calls.push('reset'),
    onDrain: null,
    onClose: null,
    bytes: 0,
  }
  let promises = 0
  const hook = createHook({ init: (_id, type) => void (type === 'PROMISE' && promises++) }).enable()
  served.server.dispatch(request, sink)
  hook.disable()
  expect(calls).toEqual(['head', '7', 'end'])
  expect(promises).toBe(0)
  sink.onClose?.(null)
})

test('a handler is given request, site, query, headers, body and cookies', async () => {
  const Greeting = slot('greeting', () => 'hello')
  const served = await serve(
    router({
      'POST /x/:id': async ({ request, site, params, query, headers, body, cookies }) => ({
        path: request.path,
        site: site.name,
        greeting: site.get(Greeting),
        id: params.id,
        q: query.getAll('q'),
        agent: headers.get('user-agent'),
        body: await body.json(),
        cookies: [...cookies],
      }),
    }),
  )
  const cookie = 'a=1; b="two"; a=later; c=%C3%A9; d=%zz; e; =f; g=h=i'
  const fields = { 'content-type': 'application/json', 'user-agent': 'test', cookie }
  const answer = await served.ask('POST /x/7?q=1&q=2', fields, '{"n":1}')
  expect(answer.json()).toEqual({
    path: '/x/7',
    site: 'test',
    greeting: 'hello',
    id: '7',
    q: ['1', '2'],
    agent: 'test',
    body: { n: 1 },
    cookies: [
      ['a', '1'],
      ['b', 'two'],
      ['c', 'é'],
      ['d', '%zz'],
      ['g', 'h=i'],
    ],
  })
})

test('a request without cookies has none, and parsing them happens once', async () => {
  const served = await serve(
    router({
      'GET /x': context => {
        const { cookies } = context
        return { size: cookies.size, same: context.cookies === cookies }
      },
    }),
  )
  expect((await served.ask('GET /x')).json()).toEqual({ size: 0, same: true })
})

test('a body that a handler reads gives the right errors', async () => {
  const served = await serve(router({ 'POST /x': async ({ body }) => ({ got: await body.json() }) }))
  const type = { 'content-type': 'application/json' }
  expect((await served.ask('POST /x', type, '{')).status).toBe(400)
  expect((await served.ask('POST /x', { 'content-type': 'text/plain' }, '{}')).status).toBe(415)
  expect((await served.ask('POST /x', type, `"${'x'.repeat(1_048_576)}"`)).status).toBe(413)
})
