import { connect } from 'node:net'
import { definePlugin, Handle, HttpRequest, HttpResponse, type Sink, Slots } from 'rawhttp'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { logged, parse, readable } from './log.ts'

/** Answers `/text`; `/slow` never; `/stream` with a first piece and then nothing more. */
const site = definePlugin({
  name: 'site',
  site(site) {
    site.hooks.handle.tapPromise({ name: 'site', stage: Handle.Route }, async request => {
      const { user } = Object.fromEntries(request.query)
      if (user !== undefined) request.set(Slots.user, user)
      if (request.path === '/text') return HttpResponse.text('hello')
      if (request.path === '/slow')
        await new Promise(resolve => request.signal.addEventListener('abort', resolve))
      if (request.path === '/stream') return HttpResponse.stream(halfABody(request.signal))
      return undefined
    })
  },
})

async function* halfABody(signal: AbortSignal) {
  yield 'first'
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))))
}

/** Sends bytes to the server and leaves when `leave` says so, or when the server ends. */
async function raw(url: string, bytes: string, leave?: (answer: string) => boolean): Promise<string> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'))
  let answer = ''
  const look = () => leave?.(answer) === true && socket.resetAndDestroy()
  const poll = setInterval(look, 5)
  socket.setEncoding('latin1').on('data', data => {
    answer += data
    look()
  })
  socket.on('close', () => resolve()).on('error', () => resolve())
  await promise
  clearInterval(poll)
  return answer
}

const listening = async (log: Awaited<ReturnType<typeof logged>>) => (await log.server.listen())[0]!.url

describe('a combined line', () => {
  test('says who asked for what, when, and what came of it', async () => {
    const log = await logged({}, site)
    const headers = { referer: 'http://example.com/?a=1', 'user-agent': 'curl/8.5.0' }
    const before = Math.floor(Date.now() / 1_000)
    await log.server.inject({ url: '/text?user=ann', headers, client: { address: '192.0.2.7', port: 1 } })
    await log.server.inject({
      url: '/none?x=%20"',
      client: { address: '2001:db8::1', port: 1 },
      method: 'POST',
    })
    const [first, second] = (await log.lines()).map(parse)
    const { time, ...facts } = first!
    expect(facts).toEqual({
      address: '192.0.2.7',
      user: 'ann',
      request: 'GET /text?user=ann HTTP/1.1',
      status: 200,
      bytes: expect.any(Number),
      referer: 'http://example.com/?a=1',
      agent: 'curl/8.5.0',
    })
    const at = Date.parse(readable(time)) / 1_000
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(Date.now() / 1_000)
    expect(second).toMatchObject({
      address: '2001:db8::1',
      request: 'POST /none?x=%20" HTTP/1.1',
      status: 404,
    })
  })

  test('has a hyphen for what is not there', async () => {
    const log = await logged({}, site)
    await log.server.inject({ url: '/text', headers: { referer: '' } })
    expect((await log.lines()).map(parse)).toMatchObject([
      { address: '-', user: '-', referer: '-', agent: '-' },
    ])
  })

  test('counts the bytes of the body, without the head', async () => {
    const log = await logged({}, site)
    const answer = await raw(
      await listening(log),
      'GET /text HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    expect((await log.lines()).map(parse)).toMatchObject([
      { address: '127.0.0.1', status: 200, bytes: answer.length - answer.indexOf('\r\n\r\n') - 4 },
    ])
  })

  test('escapes as nginx does what could begin a line or end a field', async () => {
    const log = await logged({}, site)
    const agent = 'a"b\\c\td\u0080\u00ff~ '
    const url = '/text?user=%22x%20y%5D%0A%F0%9F%90%A3'
    await log.server.inject({ url, headers: { 'user-agent': agent, referer: 'é' } })
    const [line] = await log.lines()
    expect(line).toContain('"\\xE9" "a\\x22b\\x5Cc\\x09d\\x80\\xFF~ "')
    expect(line).toContain('- - \\x22x\\x20y\\x5D\\x0A\\xF0\\x9F\\x90\\xA3 [')
  })

  test('has the second in which its request came, though the text is made once a second', async () => {
    const log = await logged({}, site)
    onTestFinished(() => void vi.useRealTimers())
    const times = ['2026-02-28T23:59:59.999Z', '2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.999Z']
    for (const time of [...times, times[0]!]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(time) })
      await log.server.inject('/text')
      vi.useRealTimers()
    }
    const seconds = (await log.lines()).map(line => Date.parse(readable(parse(line).time)) / 1_000)
    const first = Date.parse('2026-02-28T23:59:59Z') / 1_000
    expect(seconds).toEqual([first, first + 1, first + 1, first])
  })

  test('names HTTP/1.0 and HTTP/2.0', async () => {
    const log = await logged({ format: 'common' }, site)
    await log.server.inject('/text')
    for (const protocol of ['1.0', '2']) {
      const ended = Promise.withResolvers<void>()
      const sink: Sink = {
        ...{
          inform: () => undefined,
          head: () => undefined,
          write: () => true,
          reset: () => ended.resolve(),
        },
        ...{ end: () => ended.resolve(), onDrain: null, onClose: null, bytes: 9 },
      }
      const fields = ['host', 'x']
      log.server.dispatch(new HttpRequest({ protocol, method: 'GET', target: '/text', fields }), sink)
      await ended.promise
      sink.onClose?.(null)
    }
    const lines = (await log.lines()).map(line => line.replace(/\[.*\]/, '[]'))
    expect(lines[0]).toMatch(/^- - - \[\] "GET \/text HTTP\/1\.1" 200 \d+$/)
    expect(lines.slice(1)).toEqual([
      '- - - [] "GET /text HTTP/1.0" 200 5',
      '- - - [] "GET /text HTTP/2.0" 200 5',
    ])
  })
})

describe('the status', () => {
  test('of a client that left before any answer is 499, as with nginx', async () => {
    const log = await logged({}, site)
    const url = await listening(log)
    let polls = 0
    await raw(url, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n', () => polls++ > 5)
    expect((await log.lines()).map(parse)).toMatchObject([
      { request: 'GET /slow HTTP/1.1', status: 499, bytes: 0 },
    ])
  })

  test('of a client that left in the middle of an answer is the one that was sent', async () => {
    const log = await logged({}, site)
    const answer = await raw(await listening(log), 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n', seen =>
      seen.includes('first'),
    )
    expect(answer).toContain('HTTP/1.1 200')
    const [line] = (await log.lines()).map(parse)
    expect(line).toMatchObject({ request: 'GET /stream HTTP/1.1', status: 200 })
    expect(line!.bytes).toBeGreaterThan(0)
  })

  test.each([
    ['ambiguous framing', 'GET /text HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n', 400],
    ['a NUL in the path', 'GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no Host', 'GET /a HTTP/1.1\r\n\r\n', 400],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n', 501],
    ['a head of 100 kB', `GET /text HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ])('of a refused message is that of its refusal: %s', async (_, bytes, status) => {
    const log = await logged({}, site)
    await raw(await listening(log), bytes)
    const request = bytes.slice(0, bytes.indexOf('\r'))
    expect((await log.lines()).map(parse)).toMatchObject([{ status, request }])
  })

  test.each([
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '-'],
    ['a binary line', '\x00\x01"\r\n\r\n', '-'],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', expect.stringContaining('PRI * HTTP/2.0')],
  ])('of what is no request at all is in one line too: %s', async (_, bytes, request) => {
    const log = await logged({}, site)
    await raw(await listening(log), bytes)
    const lines = (await log.lines()).map(parse)
    expect(lines).toMatchObject([{ request }])
    expect(lines[0]!.status).toBeGreaterThanOrEqual(400)
  })
})

describe('a JSON line', () => {
  test('has every fact under its name', async () => {
    const log = await logged({ format: 'json' }, site)
    const headers = { referer: 'r"\\\n'.replace('\n', ''), 'user-agent': 'é\u0085' }
    await log.server.inject({
      url: '/text?user=%E2%80%A8%22',
      headers,
      client: { address: '192.0.2.7', port: 1 },
    })
    const [line] = await log.lines()
    expect(line).toMatch(/^[ -~]+$/)
    expect(JSON.parse(line!)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      site: 'test',
      client: '192.0.2.7',
      user: '\u2028"',
      method: 'GET',
      target: '/text?user=%E2%80%A8%22',
      protocol: 'HTTP/1.1',
      host: 'localhost',
      status: 200,
      bytes: expect.any(Number),
      milliseconds: expect.any(Number),
      result: 'sent',
      referer: 'r"\\',
      userAgent: 'é\u0085',
      route: null,
      cacheStatus: null,
      requestId: null,
      refused: null,
    })
  })

  test('names the refusal of a refused message, and the site "-"', async () => {
    const log = await logged({ format: 'json' }, site)
    await log.server.inject('/a%zz')
    expect(JSON.parse((await log.lines())[0]!)).toMatchObject({
      site: '-',
      target: '/a%zz',
      status: 400,
      result: 'refused',
      refused: 'PATH-ESCAPE',
    })
  })
})
