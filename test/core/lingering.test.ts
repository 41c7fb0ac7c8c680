import { Duplex } from 'node:stream'
import { type Config, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import type { Deadlines } from '../../core/deadlines.ts'
import { LINGER, Lingering, type LingeringFacts } from '../../core/lingering.ts'
import { Output } from '../../core/output.ts'
import { get, request } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const serve = (answer: () => HttpResponse, limits: Config['limits'] = {}) =>
  startServer({ limits, plugins: [answering(answer)] })

describe('the end of a connection', () => {
  test('the answer survives input that nobody reads', async () => {
    const body = 'x'.repeat(50_000)
    await using served = await serve(() => HttpResponse.text(body, 403))
    for (let round = 0; round < 20; round++) {
      await using client = await RawClient.connect(served.port)
      client.send(`${request('POST', '/', ['Content-Length: 900000'])}${'y'.repeat(40_000)}`)
      const response = await client.response()
      expect([response.status, response.body.length]).toEqual([403, 50_000])
      expect(await client.closed).toBe('end')
    }
  })

  test.each([200_000, 1_000_000])('a finished answer outlives %i unread bytes', async size => {
    await using served = await serve(() => HttpResponse.bytes(Buffer.alloc(300_000)))
    for (let round = 0; round < 5; round++) {
      await using client = await RawClient.connect(served.port)
      client.send(request('POST', '/', [`Content-Length: ${size}`]))
      client.send(Buffer.alloc(size))
      expect((await client.response()).body.length).toBe(300_000)
      expect(await client.closed).toBe('end')
    }
  })

  test('input that never ends is taken for a while, then the connection is cut', async () => {
    await using served = await serve(() => HttpResponse.text('no', 403))
    await using client = await RawClient.connect(served.port)
    client.send(request('POST', '/', ['Content-Length: 100000000']))
    expect((await client.response()).status).toBe(403)
    client.socket.on('error', () => undefined)
    const gone = new Promise<void>(resolve => client.socket.once('close', () => resolve()))
    const piece = Buffer.alloc(65_536)
    const push = () => {
      if (!client.socket.destroyed) client.socket.write(piece, error => error ?? setImmediate(push))
    }
    push()
    await gone
  })

  test('a client that never ends its side is left after a while', async () => {
    await using served = await serve(() => HttpResponse.text('bye').close())
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await client.response()
    expect(await client.closed).toBe('end')
    const gone = new Promise<void>(resolve => client.socket.once('close', () => resolve()))
    // A write to a socket that is gone is answered with a reset.
    const knock = setInterval(() => client.socket.write('x'), 50)
    await gone
    clearInterval(knock)
    await served.server.stop()
  })

  test('a slow reader gets all of a long last answer', async () => {
    const size = 20_000_000
    await using served = await serve(() => HttpResponse.bytes(Buffer.alloc(size)).close())
    await using client = await RawClient.connect(served.port)
    client.socket.removeAllListeners('data')
    client.send(get())
    client.socket.pause()
    // Longer than input lingers: what lingers is the input, the answer has writeTimeout.
    await new Promise(resolve => setTimeout(resolve, 2_600))
    let received = 0
    client.socket.on('data', chunk => {
      received += chunk.length
    })
    client.socket.resume()
    expect(await client.closed).toBe('end')
    expect(received).toBeGreaterThan(size)
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('sent')
  })

  test('a client that has ended its side already gets its answer, and is left', async () => {
    await using served = await serve(() => HttpResponse.text('bye'))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    client.end()
    const gone = new Promise<void>(resolve => client.socket.once('close', () => resolve()))
    await gone
    expect(client.received).toContain('bye')
    await served.server.stop()
  })
})

describe('lingering', () => {
  /** A stream that is at its end, and a clock that stands still. */
  function lingering(facts: Partial<LingeringFacts> = {}, out = Promise.resolve()) {
    const stream = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(),
      final: done => void out.then(() => done()),
    })
    const output = new Output(stream, {
      stuck: () => undefined,
      taken: () => undefined,
      failed: () => undefined,
    })
    const deadlines = { now: () => 0, add: () => undefined, delete: () => undefined } as unknown as Deadlines
    const given = {
      writeTimeout: 1_000,
      mayDrop: 65_536,
      hasInputEnded: false,
      cuts: false,
      reset: () => undefined,
      ...facts,
    }
    const end = new Lingering({ stream, output, deadlines, ...given })
    end.start()
    return { stream, end }
  }

  test('goes on until the client has ended its side', async () => {
    const { stream } = lingering()
    await turns()
    expect([stream.writableFinished, stream.destroyed]).toEqual([true, false])
    stream.push(Buffer.alloc(100))
    await turns()
    expect(stream.destroyed).toBe(false)
    stream.push(null)
    await turns()
    expect(stream.destroyed).toBe(true)
  })

  test('is not needed when it has ended before', async () => {
    const { stream } = lingering({ hasInputEnded: true })
    await turns()
    expect(stream.destroyed).toBe(true)
  })

  test('takes and drops what comes up to its limit, and leaves the rest unread, without ending for it', async () => {
    const { stream } = lingering({ mayDrop: 25_000 })
    await turns()
    stream.push(Buffer.alloc(10_000))
    await turns()
    expect([stream.isPaused(), stream.readableLength]).toEqual([false, 0])
    for (let i = 0; i < 10; i++) stream.push(Buffer.alloc(10_000))
    await turns()
    expect([stream.isPaused(), stream.destroyed]).toEqual([true, false])
    expect(stream.readableLength).toBeGreaterThan(70_000)
  })

  test('ends by the clock, counted from the last byte of the answer', async () => {
    const { stream, end } = lingering()
    expect(end.deadline).toBe(Number.POSITIVE_INFINITY)
    await turns()
    expect(end.deadline).toBe(LINGER)
    end.expire(LINGER + 1)
    expect(stream.destroyed).toBe(true)
  })
})
