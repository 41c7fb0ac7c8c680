import { PassThrough, Readable } from 'node:stream'
import { type EventsContext, type EventsInit, type EventsSource, HttpResponse } from 'rawhttp'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { TestSource } from '../support/event-source.ts'
import { connectForTest } from '../support/for-test.ts'
import { serve } from '../support/in-memory.ts'
import { get, request } from '../support/messages.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'

/** The shortest period of the server's clock, so that a comment is late by 10 ms and not by 500. */
const quickClock = { limits: { handshakeTimeout: '40ms' } } as const

async function serving(source: EventsSource, init?: EventsInit): Promise<TestServer> {
  const served = await startServer({
    ...quickClock,
    plugins: [answering(() => HttpResponse.events(source, init))],
  })
  onTestFinished(() => served[Symbol.asyncDispose]())
  return served
}

describe('HttpResponse.events', () => {
  test('is an event stream that no cache keeps and nginx does not hold back', async () => {
    const response = HttpResponse.events(Readable.from(['a']), { headers: { 'x-a': '1' } })
    expect(response.headers.toObject()).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-a': '1',
    })
    expect(await response.text()).toBe('data: a\n\n')
  })

  test('leaves fields alone that are given', () => {
    const headers = { 'cache-control': 'max-age=1', 'x-accel-buffering': 'yes' }
    const response = HttpResponse.events(Readable.from([]), { headers })
    expect(response.headers.toObject()).toMatchObject(headers)
  })

  test.each([
    [['a'], {}, 'events: expected an async iterable or a function that gives one, got an array'],
    [Readable.from([]), { heartbeat: '15' }, 'events: heartbeat: expected a duration'],
    [Readable.from([]), { reconnectWithin: -1 }, 'events: reconnectWithin: expected a duration'],
  ])('refuses %o with %j', (source, init, sentence) => {
    expect(() => HttpResponse.events(source as never, init as never)).toThrow(sentence)
  })

  test('ends its source with itself, also when nobody reads it', () => {
    const source = new PassThrough()
    HttpResponse.events(source).replace('other')
    expect(source.destroyed).toBe(true)
  })

  test('of a function that gives no events is a 500', async () => {
    const { ask, reports } = await serve([answering(() => HttpResponse.events(() => ['a'] as never))])
    expect((await ask()).status).toBe(500)
    expect(reports[0]!.message).toContain('events: the function must give an async iterable, got an array')
  })
})

describe('a function as source', () => {
  const seen = async (...values: string[]): Promise<string | null> => {
    let context: EventsContext | undefined
    const { ask } = await serve([
      answering(() =>
        HttpResponse.events(given => {
          context = given
          return Readable.from([])
        }),
      ),
    ])
    await ask({ headers: values.map(value => ['last-event-id', value] as const) })
    return context!.lastEventId
  }
  const latin1 = (text: string) => Buffer.from(text).toString('latin1')

  test('gets the last id as the event had it', async () => {
    expect(await seen('17')).toBe('17')
    expect(await seen(latin1('größe 漢字 \u{1f600}'))).toBe('größe 漢字 \u{1f600}')
    expect(await seen(latin1('\ufeffa'))).toBe('\ufeffa')
  })

  test('gets null without one, and for what no event can have had', async () => {
    expect(await seen()).toBe(null)
    expect(await seen('')).toBe(null)
    expect(await seen('a', 'b')).toBe(null)
    expect(await seen('gr\xf6\xdfe')).toBe(null)
  })

  test('runs once for each client of one answer', async () => {
    let runs = 0
    const shared = HttpResponse.events(() => Readable.from([`run ${++runs}`]))
    const { ask } = await serve([answering(() => shared)])
    expect([(await ask()).text(), (await ask()).text()]).toEqual(['data: run 1\n\n', 'data: run 2\n\n'])
  })

  test('is not called for HEAD, nor is an iterable begun', async () => {
    const source = vi.fn(() => Readable.from(['a']))
    const served = await serving(source)
    const client = await connectForTest(served)
    client.send(request('HEAD', '/'))
    const { status, field } = await client.response({ toHead: true })
    expect([status, field('content-type')]).toEqual([200, 'text/event-stream'])
    await served.untilEnded(1)
    expect(source).not.toHaveBeenCalled()

    const iterable = new PassThrough()
    const { ask } = await serve([answering(() => HttpResponse.events(iterable))])
    await ask({ method: 'HEAD' })
    expect(iterable.destroyed).toBe(true)
  })

  test('is told when its client leaves', async () => {
    const source = new TestSource()
    const served = await serving(({ signal }) => source.until(signal))
    const client = await connectForTest(served)
    source.give('a')
    client.send(get())
    await client.until('data: a\n\n')
    client.reset()
    await source.ended
    const [{ outcome }] = (await served.untilEnded(1)) as [TestServer['ended'][0]]
    expect(outcome.result).toBe('aborted')
    expect(served.reports).toEqual([])
  })
})

describe('a heartbeat', () => {
  test('reaches a client that waits, and the events come behind it', async () => {
    const source = new TestSource()
    const client = await connectForTest(await serving(source, { heartbeat: '20ms' }))
    client.send(get())
    await client.until('3\r\n:\n\n\r\n')
    await client.until('3\r\n:\n\n\r\n')
    source.give('a')
    await client.until('data: a\n\n')
    expect(source.pulls).toBe(2)
  })

  test('does not save a client that stops reading from writeTimeout, nor does it pile up before that', async () => {
    const source = new TestSource()
    const served = await startServer({
      limits: { writeTimeout: '300ms', writeBuffer: '64mb' },
      plugins: [answering(() => HttpResponse.events(source, { heartbeat: '20ms' }))],
    })
    onTestFinished(() => served[Symbol.asyncDispose]())
    const client = await connectForTest(served)
    client.socket.pause()
    client.send(get())
    // More than the sockets of both sides hold, and less than what makes the source wait.
    const data = 'x'.repeat(20_000_000)
    source.give(data)
    const [{ outcome }] = (await served.untilEnded(1)) as [TestServer['ended'][0]]
    expect([outcome.result, outcome.bodyBytes]).toEqual(['timeout', `data: ${data}\n\n`.length])
    expect(source.pulls).toBe(2)
  })
})
