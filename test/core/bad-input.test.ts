import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { definePlugin, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, post, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

// What clients do wrong. What plugins do wrong stands in exchange-errors.test.ts.

const serve = (limits = {}) =>
  startServer({ limits, plugins: [answering(({ path }) => HttpResponse.text(path))] })

async function mustLive(served: TestServer): Promise<void> {
  expect(statuses(await exchangeBytes(served.port, get('/', 'Connection: close')))).toEqual([200])
}

describe('half a request, then silence', () => {
  test.each([
    ['one byte', 'G'],
    ['half a request line', 'GET /half'],
    ['half of the fields', 'GET /half HTTP/1.1\r\nHost: a\r\nX-Y: '],
    ['all but the last byte', get('/half').slice(0, -1)],
  ])('%s: 408 at the head time-out, and the connection closed', async (_, half) => {
    await using served = await serve({ headTimeout: 100 })
    const bytes = await exchangeBytes(served.port, half)
    expect(statuses(bytes)).toEqual([408])
    expect(bytes).toContain('connection: close')
    expect(bytes).toContain('limits.headTimeout')
    const [ended] = await served.untilEnded(1)
    expect([ended!.outcome.result, ended!.request.refused?.id]).toEqual(['refused', 'H1-HEAD-TIMEOUT'])
    await mustLive(served)
  })

  test('a byte now and then does not put it off', async () => {
    await using served = await serve({ headTimeout: 200 })
    await using client = await RawClient.connect(served.port)
    client.send('GET / HTTP/1.1\r\nX: ')
    const drip = setInterval(() => client.socket.write('x'), 20)
    expect((await client.response()).status).toBe(408)
    clearInterval(drip)
    expect(await client.closed).toBe('end')
  })

  test('half a body: 408 at the body time-out', async () => {
    await using served = await startServer({
      limits: { bodyTimeout: 100 },
      plugins: [answering(async ({ body }) => HttpResponse.text(await body.text()))],
    })
    expect(statuses(await exchangeBytes(served.port, post('/', 'hello').slice(0, -1)))).toEqual([408])
  })
})

test('a header of 100 kB is 431, and no more of it is read', async () => {
  await using served = await serve()
  const bytes = await exchangeBytes(served.port, request('GET', '/', [`X-Large: ${'x'.repeat(100_000)}`]))
  expect(statuses(bytes)).toEqual([431])
  expect(served.reports.map(({ code }) => code)).toEqual(['H1-HEAD-LARGE'])
  await mustLive(served)
})

test('100 kB of header fields are 431', async () => {
  await using served = await serve()
  const fields = Array.from({ length: 90 }, (_, index) => `X-${index}: ${'x'.repeat(1_100)}`)
  expect(statuses(await exchangeBytes(served.port, request('GET', '/', fields)))).toEqual([431])
  const many = Array.from({ length: 200 }, (_, index) => `X-${index}: x`)
  expect(statuses(await exchangeBytes(served.port, request('GET', '/', many)))).toEqual([431])
})

test('an unknown method is 501, and the connection lives on', async () => {
  await using served = await startServer({})
  await using client = await RawClient.connect(served.port)
  client.send(request('BREW', '/pot') + get('/', 'Connection: close'))
  expect(statuses(await client.rest())).toEqual([501, 404])
  expect(served.reports).toEqual([])
})

describe('behind a refused message no byte is read, even when its answer takes its time', () => {
  const host = 'Host: a\r\n'
  const upgrade = 'Connection: upgrade\r\nUpgrade: x\r\n'
  test.each([
    ['CONNECT', `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n`],
    ['TRACE', `TRACE / HTTP/1.1\r\n${host}\r\n`],
    ['an expectation', `GET / HTTP/1.1\r\n${host}Expect: x\r\n\r\n`],
    ['an expectation and a body', `POST / HTTP/1.1\r\n${host}Expect: x\r\nContent-Length: 3\r\n\r\nabc`],
    ['one and chunks', `POST / HTTP/1.1\r\n${host}Expect: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a target of https', `GET https://a/ HTTP/1.1\r\n${host}\r\n`],
    ['a climb', `GET /../x HTTP/1.1\r\n${host}\r\n`],
    ['half an escape', `GET /%zz HTTP/1.1\r\n${host}\r\n`],
    ['one with an offer to upgrade', `GET /%zz HTTP/1.1\r\n${host}${upgrade}\r\n`],
    ['a host of no site', `GET / HTTP/1.1\r\nHost: nobody\r\n\r\n`],
    ['a field with a space', `GET / HTTP/1.1\r\nHost : a\r\n\r\n`],
  ])('%s', async (_, message) => {
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const handled: string[] = []
    const late = definePlugin({
      name: 'late-errors',
      server({ hooks }) {
        hooks.protocolError.tap('late', ({ status }) => {
          asked.resolve()
          return HttpResponse.stream(lateText(gate.promise), { status })
        })
      },
    })
    const record = answering(({ target }) => {
      handled.push(target)
      return HttpResponse.text(target)
    })
    await using served = await startServer({
      sites: [{ name: 'main', hosts: ['a'], plugins: [record] }],
      plugins: [late()],
    })
    await using client = await RawClient.connect(served.port)
    client.send(message + get('/in-one-write'))
    await asked.promise
    client.send(get('/behind'))
    await turns(100)
    gate.resolve()
    const bytes = await client.rest()
    expect([statuses(bytes).length, bytes.includes('late text')]).toEqual([1, true])
    expect(handled).toEqual([])
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(['refused'])
  })

  async function* lateText(gate: Promise<void>) {
    await gate
    yield 'late text'
  }
})

test.each([
  ['%00', '/a%00b', 'PATH-ESCAPE'],
  ['half an escape', '/a%2', 'PATH-ESCAPE'],
  ['an escape that is none', '/a%zz', 'PATH-ESCAPE'],
  ['a climb above the root', '/../../etc/passwd', 'PATH-CLIMB'],
  ['a backslash', '/a\\b', 'PATH-CHAR'],
])('a path with %s is 400, and no plugin of a site sees it', async (_, path, id) => {
  await using served = await serve()
  const bytes = await exchangeBytes(served.port, get(path) + get('/smuggled'))
  expect(statuses(bytes)).toEqual([400])
  expect(served.ended.map(({ request: asked }) => asked.refused?.id)).toEqual([id])
  await mustLive(served)
})

test('an HTTP/2 preface on a plain port is closed clearly', async () => {
  await using served = await serve()
  const settings = '\0\0\0\x04\0\0\0\0\0'
  const bytes = await exchangeBytes(served.port, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}`)
  expect(statuses(bytes)).toEqual([505])
  expect(bytes).toContain('an HTTP/2 preface came to a connection that speaks HTTP/1.1')
  expect(served.reports.map(({ code }) => code)).toEqual(['H1-H2-PREFACE'])
  await mustLive(served)
})

test('a TLS hello on a plain port is closed without a word of HTTP, and reported once', async () => {
  await using served = await serve()
  const socket = connectTls({ port: served.port, host: '127.0.0.1', rejectUnauthorized: false })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  // Not ERR_SSL_WRONG_VERSION_NUMBER, which is what a line of HTTP gives.
  expect(error.code).toBe('ECONNRESET')
  const [ended] = await served.untilEnded(1)
  expect([ended!.outcome.result, ended!.request.refused?.id]).toEqual(['refused', 'H1-TLS-HELLO'])
  await turns(50)
  expect(served.reports.map(({ code, severity }) => [code, severity])).toEqual([['H1-TLS-HELLO', 'warning']])
  await mustLive(served)
})

test('a client that leaves in the middle of a response: no crash, and done tells of it', async () => {
  const body = 'x'.repeat(10_000_000)
  await using served = await startServer({
    plugins: [answering(({ path }) => HttpResponse.text(path === '/' ? 'x' : body))],
  })
  for (const leave of ['reset', 'close'] as const) {
    const client = await RawClient.connect(served.port)
    client.send(get('/long'))
    await client.until('xxx')
    if (leave === 'reset') client.reset()
    else client.socket.destroy()
  }
  const ended = await served.untilEnded(2)
  expect(ended.map(({ outcome }) => outcome.result)).toEqual(['aborted', 'aborted'])
  expect(ended.every(({ outcome }) => outcome.error instanceof Error)).toBe(true)
  expect(served.reports).toEqual([])
  await mustLive(served)
})

test('a plugin that never answers: 503, and the report names it', async () => {
  await using served = await startServer({
    limits: { handlerTimeout: 100 },
    plugins: [answering(() => new Promise<HttpResponse>(() => undefined), 'never')],
  })
  const bytes = await exchangeBytes(served.port, get('/', 'Connection: close'))
  expect(statuses(bytes)).toEqual([503])
  expect(bytes).not.toContain('never')
  expect(served.reports).toEqual([
    expect.objectContaining({ code: 'HANDLER_TIMEOUT', plugin: 'never', hook: 'handle', severity: 'error' }),
  ])
})

test.each([
  ['bytes without sense', Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 37 + 128) % 256))],
  ['a lone line break', '\n'],
  ['NUL', '\0'.repeat(100)],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['HTTP/0.9', 'GET /\r\n'],
])('%s: 400, and the connection closed', async (_, bytes) => {
  await using served = await serve()
  expect(statuses(await exchangeBytes(served.port, bytes))).toEqual([400])
  expect(served.ended).toHaveLength(1)
  await mustLive(served)
})

test('what a client sends stands escaped in the report, and cut', async () => {
  await using served = await serve()
  await exchangeBytes(served.port, get(`/\x1b[31m%zz${'x'.repeat(5_000)}`))
  await exchangeBytes(served.port, get(`/%zz${'x'.repeat(5_000)}`))
  for (const { message, request: asked } of served.reports) {
    expect(message + asked).not.toMatch(/[^\x20-\x7e]/)
    expect((asked ?? '').length).toBeLessThan(1_100)
  }
  expect(served.reports).toHaveLength(2)
})
