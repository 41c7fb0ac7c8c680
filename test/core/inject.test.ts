import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onServer, onSite, serve } from '../support/in-memory.ts'
import { answering } from '../support/server.ts'

const mirrors = answering(async request =>
  HttpResponse.json({
    line: `${request.method} ${request.target}`,
    host: request.host,
    scheme: request.scheme,
    headers: request.headers.toObject(),
    body: await request.body.text(),
    client: request.client,
  }),
)

describe('an injected request', () => {
  test('is GET / of localhost when nothing is said', async () => {
    const { ask } = await serve([mirrors])
    expect((await ask()).json()).toEqual({
      line: 'GET /',
      host: 'localhost',
      scheme: 'http',
      headers: { host: 'localhost' },
      body: '',
      client: { address: '', port: 0 },
    })
    expect((await ask('/a?b')).json()).toMatchObject({ line: 'GET /a?b' })
  })

  test('has what it is given, and the length of its body', async () => {
    const { ask } = await serve([mirrors])
    const client = { address: '10.0.0.1', port: 7 }
    const answer = await ask({
      method: 'PUT',
      url: '/a',
      headers: { 'X-A': '1', Host: 'b' },
      body: 'é',
      client,
    })
    expect(answer.json()).toEqual({
      line: 'PUT /a',
      host: 'b',
      scheme: 'http',
      headers: { 'x-a': '1', host: 'b', 'content-length': '2' },
      body: 'é',
      client,
    })
    expect((await ask({ method: 'POST', body: new Uint8Array() })).json()).toMatchObject({
      headers: { 'content-length': '0' },
    })
  })

  test('of an absolute URL has its scheme and authority', async () => {
    const { ask } = await serve([mirrors])
    expect((await ask('HTTPS://b.example:8443/a')).json()).toMatchObject({
      line: 'GET HTTPS://b.example:8443/a',
      host: 'b.example:8443',
      scheme: 'https',
      headers: { host: 'b.example:8443' },
    })
  })

  test.each([
    ['a', 400],
    ['', 400],
    ['/%00', 400],
    ['/../a', 400],
    ['/a#b', 400],
    ['*', 400],
  ])('to %j is refused as it would be over the wire', async (url, status) => {
    const { ask, done } = await serve([mirrors])
    expect((await ask(url)).status).toBe(status)
    expect(done.map(({ outcome }) => outcome.result)).toEqual(['refused'])
  })
})

describe('the answer', () => {
  test('has status, fields and body as a client would see them', async () => {
    const { ask } = await serve([
      answering(() => HttpResponse.text('é', { status: 201, headers: { 'x-a': '1' } })),
    ])
    const answer = await ask()
    expect(answer.status).toBe(201)
    expect(answer.text()).toBe('é')
    expect(answer.body).toEqual(Buffer.from('é'))
    const { date, ...rest } = answer.headers.toObject()
    expect(rest).toEqual({ 'content-type': 'text/plain; charset=utf-8', 'x-a': '1', 'content-length': '2' })
    expect(Math.abs(Date.parse(date!) - Date.now())).toBeLessThan(5_000)
  })

  test('keeps a Date that a plugin set, as the wire does', async () => {
    const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
    const { ask } = await serve([answering(() => HttpResponse.text('a', { headers: { date } }))])
    expect((await ask()).headers.getAll('date')).toEqual([date])
  })

  test('to HEAD has the fields of GET and no body', async () => {
    const { ask } = await serve([answering(() => HttpResponse.text('hello'))])
    const [get, head] = [await ask(), await ask({ method: 'HEAD' })]
    const fields = ({ headers }: typeof get) => ({ ...headers.toObject(), date: '' })
    expect(fields(head)).toEqual(fields(get))
    expect(head.body).toHaveLength(0)
  })

  test('that may have no body has no length', async () => {
    const { ask } = await serve([answering(() => HttpResponse.empty())])
    const answer = await ask()
    expect([answer.status, answer.headers.has('content-length'), answer.body.length]).toEqual([204, false, 0])
  })

  test('of a stream has no length, and its pieces are copies', async () => {
    const buffer = Buffer.from('a')
    const reuses = async function* () {
      yield buffer
      buffer.write('b')
      yield buffer
    }
    const { ask } = await serve([answering(() => HttpResponse.stream(reuses()))])
    const answer = await ask()
    expect([answer.text(), answer.headers.has('content-length')]).toEqual(['ab', false])
  })

  test('is an error when the message breaks off', async () => {
    const breaks = async function* () {
      yield 'a'
      await new Promise(setImmediate)
      throw new Error('disk')
    }
    const { ask, done } = await serve([answering(() => HttpResponse.stream(breaks()))])
    await expect(ask()).rejects.toThrow('disk')
    expect(done.map(({ outcome }) => outcome.result)).toEqual(['failed'])
  })

  test('to an upgrade is a 501: there is no connection to take over', async () => {
    const { ask } = await serve([answering(() => HttpResponse.upgrade({ protocol: 'x' }, () => undefined))])
    expect((await ask({ headers: { upgrade: 'x', connection: 'upgrade' } })).status).toBe(501)
  })
})

test('an interim answer and trailers are not part of what inject gives', async () => {
  const { ask } = await serve([
    answering(request => {
      request.inform(103, { link: 'x' })
      return HttpResponse.stream(
        (async function* () {
          yield 'a'
        })(),
      ).trailers(['x-sum'], () => ({ 'x-sum': '1' }))
    }),
  ])
  const answer = await ask()
  expect([answer.status, answer.text(), answer.headers.has('link'), answer.headers.has('x-sum')]).toEqual([
    200,
    'a',
    false,
    false,
  ])
})

test('inject runs start first', async () => {
  const log: string[] = []
  const { ask } = await serve([
    onServer('starts', ({ hooks }) => hooks.start.tap('a', () => void log.push('start'))),
    onSite('handles', site => site.hooks.handle.tap({ name: 'a', stage: 0 }, () => void log.push('handle'))),
  ])
  await ask()
  expect(log).toEqual(['start', 'handle'])
})
