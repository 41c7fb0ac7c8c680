import { type Config, type ExchangeLimits, HttpRequest, HttpResponse } from 'rawhttp'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Deadlines } from '../../core/deadlines.ts'
import { BODY_CHUNKED, emptyHead } from '../../core/framing.ts'
import { IncomingBody } from '../../core/incoming-body.ts'
import { defaultExchangeLimits } from '../../core/limits.ts'
import type { Site } from '../../core/site.ts'
import type { Writer } from '../../core/writer.ts'
import { chunked, get, post, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { steady, turns } from '../support/turns.ts'

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
const serve = (answer: Answer, limits: Config['limits'] = {}) =>
  startServer({ limits, plugins: [answering(answer)] })

const echo = async (asked: HttpRequest) => HttpResponse.text(await asked.body.text())
const expecting = (path: string, length: number) =>
  request('POST', path, [`Content-Length: ${length}`, 'Expect: 100-continue'])

describe('a body', () => {
  test.each([
    ['with a length', post('/', 'hello')],
    ['in chunks', chunked('/', ['he', 'l', 'lo'])],
  ])('%s reaches the handler, and the connection lives on', async (_, message) => {
    await using served = await serve(echo)
    await using client = await RawClient.connect(served.port)
    for (let round = 0; round < 2; round++) {
      client.send(message)
      expect((await client.response()).body.toString()).toBe('hello')
    }
  })

  test('has its trailers when it has been read to the end', async () => {
    await using served = await serve(async asked => {
      const before = asked.trailers.size
      await asked.body.bytes()
      return HttpResponse.json([before, ...asked.trailers])
    })
    await using client = await RawClient.connect(served.port)
    client.send(chunked('/', ['abc'], ['X-Sum: 1', 'X-Other: 2']))
    expect((await client.response()).body.toString()).toBe('[0,["x-sum","1"],["x-other","2"]]')
  })

  test('flows through to the answer as it comes', async () => {
    await using served = await serve(asked => HttpResponse.stream(asked.body.stream()))
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\none\r\n`)
    expect(await client.until('3\r\none\r\n')).toContain('200 OK')
    client.send('3\r\ntwo\r\n0\r\n\r\n')
    expect(await client.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
    client.send(post('/', 'again'))
    expect((await client.response()).body.toString()).toBe('again')
  })

  test('comes only as fast as the handler reads it', async () => {
    const size = 30_000_000
    const gate = Promise.withResolvers<void>()
    await using served = await serve(
      async asked => {
        let total = 0
        for await (const piece of asked.body.stream()) {
          total += piece.length
          await gate.promise
        }
        return HttpResponse.text(String(total))
      },
      { bodyBytes: 0 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(request('POST', '/', [`Content-Length: ${size}`]))
    client.send(Buffer.alloc(size, 'x'))
    // What the kernels' buffers and one read ahead take; the rest waits in the client.
    const sent = await steady(() => size - unsent(client))
    expect(sent).toBeLessThan(size)
    gate.resolve()
    expect((await client.response()).body.toString()).toBe(String(size))
  })

  test('that a handler never asks for stays with the client', async () => {
    const size = 30_000_000
    const gate = Promise.withResolvers<void>()
    await using served = await serve(async () => {
      await gate.promise
      return HttpResponse.text('unread')
    })
    await using client = await RawClient.connect(served.port)
    client.send(request('POST', '/', [`Content-Length: ${size}`]))
    client.send(Buffer.alloc(size, 'x'))
    expect(await steady(() => size - unsent(client))).toBeLessThan(size)
    gate.resolve()
    const response = await client.response()
    expect([response.status, response.field('connection')]).toEqual([200, 'close'])
  })

  const unsent = ({ socket }: RawClient): number =>
    (socket as unknown as { _handle: { writeQueueSize: number } })._handle.writeQueueSize
})

describe('Expect: 100-continue', () => {
  test('100 goes out at the first pull, and not before', async () => {
    const gate = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    await using served = await serve(async asked => {
      began.resolve()
      await gate.promise
      return echo(asked)
    })
    await using client = await RawClient.connect(served.port)
    client.send(expecting('/', 5))
    await began.promise
    await turns(300)
    expect(client.received).toBe('')
    gate.resolve()
    expect((await client.response({ interim: true })).statusLine).toBe('HTTP/1.1 100 Continue')
    client.send('hello')
    expect((await client.response({ interim: true })).body.toString()).toBe('hello')
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('100 of a later request waits for the answers before it', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(asked =>
      asked.method === 'GET' ? gate.promise.then(() => HttpResponse.text('first')) : echo(asked),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get() + expecting('/', 5))
    await turns(300)
    expect(client.received).toBe('')
    gate.resolve()
    expect((await client.response({ interim: true })).status).toBe(200)
    expect((await client.response({ interim: true })).status).toBe(100)
    client.send('hello')
    expect((await client.response()).body.toString()).toBe('hello')
  })

  test('a final answer without a pull goes out alone and ends the connection', async () => {
    await using served = await serve(() => HttpResponse.text('no', 403))
    const bytes = await exchangeBytes(served.port, expecting('/', 5))
    expect(statuses(bytes)).toEqual([403])
    expect(bytes).toContain('connection: close')
  })

  test('a length over the limit is 413 before any 100', async () => {
    await using served = await serve(echo, { bodyBytes: 4 })
    const bytes = await exchangeBytes(served.port, expecting('/', 5))
    expect(statuses(bytes)).toEqual([413])
    expect(bytes).toContain('the body is larger than 4 bytes')
  })

  test('a client that did not wait needs no 100', async () => {
    await using served = await serve(async asked => {
      await turns(1)
      return echo(asked)
    })
    await using client = await RawClient.connect(served.port)
    client.send(`${expecting('/', 5)}hel`)
    await turns(300)
    client.send(`lo${get('/', 'Connection: close')}`)
    expect(statuses(await client.rest())).toEqual([200, 200])
  })

  test('HTTP/1.0 has no such thing', async () => {
    await using served = await serve(echo)
    const head = 'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'
    await using client = await RawClient.connect(served.port)
    client.send(head)
    await turns(300)
    client.send('hello')
    expect(statuses(await client.rest())).toEqual([200])
  })

  test('another expectation is refused with 417 and the connection closed', async () => {
    await using served = await serve(echo)
    const message = request('POST', '/', ['Content-Length: 5', 'Expect: a-coffee'])
    const bytes = await exchangeBytes(served.port, `${message}hello${get()}`)
    expect(statuses(bytes)).toEqual([417])
    expect(served.ended.map(({ request: { refused } }) => refused?.id)).toEqual(['H1-EXPECT'])
  })
})

describe('a body that is too large', () => {
  test('in chunks is 413 as soon as it is over the limit', async () => {
    await using served = await serve(echo, { bodyBytes: 10 })
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}b\r\nhello world\r\n`)
    const response = await client.response()
    expect([response.status, response.field('connection')]).toEqual([413, 'close'])
    expect(await client.closed).toBe('end')
  })

  test('with a raised limit is taken', async () => {
    await using served = await serve(
      asked => {
        asked.limits.bodyBytes = 11
        return echo(asked)
      },
      { bodyBytes: 10 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello world'))
    expect((await client.response()).body.toString()).toBe('hello world')
  })
})

describe('a body that nobody read', () => {
  test.each([
    ['with its head', true],
    ['after the answer', false],
  ])('is dropped up to drainBytes, when it comes %s, and the connection lives on', async (_, together) => {
    await using served = await serve(() => HttpResponse.text('unread'), { drainBytes: 100 })
    await using client = await RawClient.connect(served.port)
    const message = post('/', 'x'.repeat(100))
    client.send(together ? message : message.slice(0, -50))
    expect((await client.response()).field('connection')).toBeUndefined()
    client.send((together ? '' : 'x'.repeat(50)) + get())
    expect((await client.response()).status).toBe(200)
  })

  test.each([
    ['longer than drainBytes', request('POST', '/', ['Content-Length: 101'])],
    ['in chunks', request('POST', '/', ['Transfer-Encoding: chunked'])],
  ])('and is %s ends the connection, and what it says is no request', async (_, head) => {
    await using served = await serve(() => HttpResponse.text('unread'), { drainBytes: 100 })
    const bytes = await exchangeBytes(served.port, head + get('/smuggled'))
    expect(statuses(bytes)).toEqual([200])
    expect(bytes).toContain('connection: close')
    expect(served.ended).toHaveLength(1)
  })

  test('to its end, by a handler that had begun to, is dropped up to drainBytes as well', async () => {
    await using served = await serve(
      async asked => {
        for await (const piece of asked.body.stream()) return HttpResponse.text(String(piece.length))
        return HttpResponse.text('empty')
      },
      { drainBytes: 100 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\none\r\n`)
    expect((await client.response()).field('connection')).toBeUndefined()
    client.send(`ffff\r\n${'x'.repeat(0xffff)}\r\n0\r\n\r\n${get('/smuggled')}`)
    expect(await client.rest()).toBe('')
    expect(served.ended).toHaveLength(1)
  })

  test('and that stops coming ends the connection after a while; the request ended well', async () => {
    let signal!: AbortSignal
    await using served = await serve(asked => {
      signal = asked.signal
      return HttpResponse.text('unread')
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -1))
    expect((await client.response()).field('connection')).toBeUndefined()
    expect(await client.closed).toBe('end')
    expect([signal.aborted, served.ended[0]!.outcome.result]).toEqual([false, 'sent'])
  })

  test('of an answer that waits for an earlier one does not swallow that one', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(
      asked =>
        asked.method === 'GET'
          ? gate.promise.then(() => HttpResponse.text('first'))
          : HttpResponse.text('no', 403),
      { drainBytes: 1_000 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(`${get()}${request('POST', '/', ['Content-Length: 500000'])}${'x'.repeat(300_000)}`)
    await turns(300)
    gate.resolve()
    expect((await client.response()).body.toString()).toBe('first')
    expect((await client.response()).status).toBe(403)
  })
})

describe('a body that breaks off', () => {
  test('the client ends its side within it: the handler gets an error, the client a 400', async () => {
    await using served = await serve(echo)
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    client.end()
    const bytes = await client.rest()
    expect(statuses(bytes)).toEqual([400])
    expect(bytes).toContain('the client ended the connection within the body')
    expect(served.reports).toEqual([])
  })

  test('the client resets within it: the exchange is aborted, and nobody is blamed', async () => {
    const began = Promise.withResolvers<HttpRequest>()
    await using served = await serve(asked => {
      began.resolve(asked)
      return echo(asked)
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    const { signal } = await began.promise
    client.reset()
    const [ended] = await served.untilEnded(1)
    expect([ended!.outcome.result, ended!.response]).toEqual(['aborted', null])
    expect(signal.aborted).toBe(true)
    expect(served.reports).toEqual([])
  })

  test('a chunk that is malformed: 400 with its rule, reported once, and no byte behind it is read', async () => {
    await using served = await serve(echo)
    const message = `${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\nabc\r\nx\r\n${get()}`
    const bytes = await exchangeBytes(served.port, message)
    expect(statuses(bytes)).toEqual([400])
    expect(bytes).toContain('a chunk size is not a plain hexadecimal number')
    expect(served.reports.map(({ code }) => code)).toEqual(['H1-CHUNK-SIZE'])
    const [ended] = await served.untilEnded(1)
    expect([ended!.outcome.result, ended!.request.refused?.id]).toEqual(['refused', 'H1-CHUNK-SIZE'])
  })

  test('a malformed chunk behind an answer that is out ends the connection', async () => {
    await using served = await serve(() => HttpResponse.text('unread'))
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}x\r\n${get()}`)
    expect(statuses(await client.rest())).toEqual([200])
    expect(served.ended).toHaveLength(1)
  })
})

describe('a body that trickles', () => {
  // The kernel looks at the speed after five seconds of waiting: here the test owns the clock.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test.each([
    ['below bodyMinRate', 99, 100, 408],
    ['at bodyMinRate', 100, 100, undefined],
    ['below it, with the limit off', 1, 0, undefined],
  ])('%s', async (_, aSecond, bodyMinRate, status) => {
    const { incoming, body, pass } = waitingBody({ bodyMinRate, bodyTimeout: 30_000 })
    const reading = drain(body)
    for (let second = 1; second <= 5; second++) {
      pass(1_000)
      incoming.push(Buffer.alloc(aSecond))
      await turns(1)
    }
    expect(incoming.late(5_000)).toBeNull()
    pass(1_000)
    incoming.push(Buffer.alloc(aSecond))
    await turns(1)
    expect(incoming.late(6_000)?.status).toBe(status)
    incoming.end([])
    await reading
  })

  test('the next look at the speed is not put off by the pieces that come in between', async () => {
    const { incoming, body, pass } = waitingBody({ bodyMinRate: 100, bodyTimeout: 30_000 })
    const reading = drain(body)
    const first = incoming.deadline(0)
    pass(900)
    incoming.push(Buffer.alloc(1))
    await turns(1)
    expect(incoming.deadline(900)).toBe(first)
    expect(incoming.late(first)).toBeNull()
    expect(incoming.deadline(first)).toBeGreaterThan(first)
    incoming.end([])
    await reading
  })

  test('time in which the handler did something else does not count', async () => {
    const { incoming, body, pass } = waitingBody({ bodyMinRate: 100, bodyTimeout: 30_000 })
    const pieces = body.stream()
    const first = pieces.next()
    pass(1_000)
    incoming.push(Buffer.alloc(100))
    await first
    pass(60_000)
    expect(incoming.deadline(61_000)).toBe(Number.POSITIVE_INFINITY)
    expect(incoming.late(61_000)).toBeNull()
    const second = pieces.next()
    pass(4_100)
    expect(incoming.late(65_100)?.message).toContain('limits.bodyMinRate')
    incoming.push(Buffer.alloc(1))
    await second
  })

  function waitingBody(limits: Partial<ExchangeLimits>) {
    let now = 0
    const host = { deadlines: { now: () => now } as Deadlines, wanted: () => undefined }
    const head = { ...emptyHead(), method: 'POST', framing: BODY_CHUNKED }
    const incoming = new IncomingBody(host, head)
    const asked = new HttpRequest({ method: 'POST', target: '/', body: incoming })
    asked.currentSite = { limits: { ...defaultExchangeLimits, ...limits } } as Site
    incoming.writer = { request: asked, isEnded: false } as Writer
    const pass = (milliseconds: number) => {
      now += milliseconds
      vi.setSystemTime(now)
    }
    return { incoming, body: asked.body, pass }
  }

  async function drain(body: HttpRequest['body']) {
    for await (const piece of body.stream()) expect(piece.length).toBeGreaterThan(0)
  }
})

describe('a body that is slow', () => {
  test('408 when nothing came for bodyTimeout while the handler waits', async () => {
    await using served = await serve(echo, { bodyTimeout: 100 })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    const response = await client.response()
    expect([response.status, response.field('connection')]).toEqual([408, 'close'])
    expect(response.body.toString()).toContain('limits.bodyTimeout')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('sent')
  })

  test('bodyTimeout does not run while nobody waits for the body', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(
      async asked => {
        if (asked.path === '/slow') return echo(asked)
        await gate.promise
        return echo(asked)
      },
      { bodyTimeout: 50 },
    )
    await using patient = await RawClient.connect(served.port)
    await using slow = await RawClient.connect(served.port)
    patient.send(post('/', 'hello').slice(0, -2))
    slow.send(post('/slow', 'hello').slice(0, -2))
    expect((await slow.response()).status).toBe(408)
    gate.resolve()
    patient.send('lo')
    expect((await patient.response()).body.toString()).toBe('hello')
  })

  test('a handler that answers nothing is not timed out for the time that its client took', async () => {
    await using served = await serve(echo, { bodyTimeout: 300, handlerTimeout: 100 })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    expect((await client.response()).status).toBe(408)
    expect(served.reports).toEqual([])
  })

  test('an answer that streams while it reads is cut when the body stops', async () => {
    await using served = await serve(asked => HttpResponse.stream(asked.body.stream()), { bodyTimeout: 100 })
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\none\r\n`)
    expect(await client.closed).toBe('reset')
    expect(client.received).toContain('one')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('timeout')
    expect(served.reports).toEqual([])
  })
})
