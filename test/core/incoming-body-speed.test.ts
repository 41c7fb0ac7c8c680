import { type Config, type ExchangeLimits, type HttpError, HttpRequest, HttpResponse } from 'rawhttp'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Deadlines } from '../../core/deadlines.ts'
import { BODY_CHUNKED, RequestHead } from '../../core/framing.ts'
import { HandlerWatch } from '../../core/handler-watch.ts'
import { IncomingBody } from '../../core/incoming-body.ts'
import { defaultExchangeLimits } from '../../core/limits.ts'
import type { Site } from '../../core/site.ts'
import type { Writer } from '../../core/writer.ts'
import { post, request } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
const serve = (answer: Answer, limits: Config['limits'] = {}) =>
  startServer({ limits, plugins: [answering(answer)] })

const echo = async (asked: HttpRequest) => HttpResponse.text(await asked.body.text())

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
    expect(await client.closed).toBe('end')
    expect(client.received).toContain('one')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('timeout')
    expect(served.reports).toEqual([])
  })
})

describe('a body that trickles', () => {
  // The kernel looks at the speed after five seconds of waiting: here the test owns the clock.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 0 })
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

  test('what came fast does not pay for a trickle behind it', async () => {
    const { incoming, body, pass } = waitingBody({ bodyMinRate: 500, bodyTimeout: 30_000, bodyBytes: 0 })
    const reading = drain(body)
    incoming.push(Buffer.alloc(1_000_000))
    await turns(1)
    let seconds = 0
    let late: HttpError | null = null
    while (late === null && seconds < 60) {
      pass(1_000)
      seconds++
      late = incoming.late(seconds * 1_000)
      incoming.push(Buffer.alloc(1))
      await turns(1)
    }
    expect([seconds, late?.message]).toEqual([11, expect.stringContaining('limits.bodyMinRate')])
    incoming.end([])
    await reading
  })

  test('a pause that a steady client makes is no trickle', async () => {
    const { incoming, body, pass } = waitingBody({ bodyMinRate: 500, bodyTimeout: 30_000, bodyBytes: 0 })
    const reading = drain(body)
    for (let second = 1; second <= 120; second++) {
      pass(1_000)
      expect(incoming.late(second * 1_000)).toBeNull()
      // Eight seconds without a byte, each half a minute.
      if (second % 30 < 22) incoming.push(Buffer.alloc(3_000))
      await turns(1)
    }
    incoming.end([])
    await reading
  })

  test.each([1, -1])('a step of the wall clock by %d h is no time that passed', async hours => {
    const { incoming, body, pass } = waitingBody({ bodyMinRate: 100, bodyTimeout: 30_000 })
    const first = body.stream().next()
    vi.setSystemTime(Date.now() + hours * 3_600_000)
    pass(100)
    incoming.push(Buffer.alloc(1))
    await first
    expect(body.waited(100)).toBe(100)
  })

  test('a step of the wall clock gives no handler more time, nor less', async () => {
    for (const hours of [1, -1]) {
      const { body, request: asked } = waitingBody({ handlerTimeout: 100 })
      const reading = body.bytes()
      const deadlines = new Deadlines(1_000)
      const onLate = vi.fn()
      const watch = new HandlerWatch(asked, deadlines, onLate)
      vi.setSystemTime(Date.now() + hours * 3_600_000)
      watch.expire(deadlines.now() + 99)
      expect(onLate).not.toHaveBeenCalled()
      watch.expire(deadlines.now() + 101)
      expect(onLate).toHaveBeenCalledOnce()
      body.end()
      await reading
    }
  })

  function waitingBody(limits: Partial<ExchangeLimits>) {
    let now = 0
    const host = { deadlines: { now: () => now } as Deadlines, wanted: () => undefined }
    const head = { ...new RequestHead(), method: 'POST', framing: BODY_CHUNKED }
    const incoming = new IncomingBody(host, head)
    const asked = new HttpRequest({ method: 'POST', target: '/', body: incoming })
    asked.currentSite = { limits: { ...defaultExchangeLimits, ...limits } } as Site
    incoming.writer = { request: asked, isEnded: false } as Writer
    const pass = (milliseconds: number) => {
      now += milliseconds
      vi.advanceTimersByTime(milliseconds)
    }
    return { incoming, body: asked.body, request: asked, pass }
  }

  async function drain(body: HttpRequest['body']) {
    for await (const piece of body.stream()) expect(piece.length).toBeGreaterThan(0)
  }
})
