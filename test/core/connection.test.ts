import { once } from 'node:events'
import { type HttpRequest, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, post, request, statuses } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const path = (request: HttpRequest) => HttpResponse.text(request.path)
const later = async (request: HttpRequest) => HttpResponse.text(request.path)

describe('a connection', () => {
  test('serves one request after the other', async () => {
    await using served = await startServer({ plugins: [answering(path)] })
    await using client = await RawClient.connect(served.port)
    for (let round = 0; round < 20; round++) {
      client.send(get(`/${round}`))
      expect((await client.response()).body.toString()).toBe(`/${round}`)
    }
    expect(new Set(served.ended.map(({ request }) => request.connection!.id)).size).toBe(1)
  })

  test('closes when the client asks for it', async () => {
    await using served = await startServer({ plugins: [answering(path)] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: close'))
    expect((await client.response()).field('connection')).toBe('close')
    expect(await client.closed).toBe('end')
  })

  test('closes when the answer asks for it', async () => {
    await using served = await startServer({ plugins: [answering(() => HttpResponse.text('x').close())] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).field('connection')).toBe('close')
    expect(await client.closed).toBe('end')
  })

  test('answers go out together, in one write for what one chunk asked', async () => {
    await using served = await startServer({ plugins: [answering(path)] })
    await using client = await RawClient.connect(served.port)
    const chunks: number[] = []
    client.socket.on('data', chunk => chunks.push(chunk.length))
    client.send(get('/a') + get('/b') + get('/c') + get('/d', 'Connection: close'))
    await client.closed
    expect(statuses(client.received)).toEqual([200, 200, 200, 200])
    expect(chunks).toHaveLength(1)
  })
})

describe('a client whose bytes stay unread behind a silent answer', () => {
  const offer = get('/', 'Connection: Upgrade', 'Upgrade: x')
  test.each([
    ['behind an offer to upgrade', `${offer}x`],
    ['of a body', `${request('POST', '/', ['Content-Length: 900000'])}${'x'.repeat(200_000)}`],
    ['as more requests than may be open', get().repeat(40)],
    ['behind the last request', `${get('/', 'Connection: close')}${'x'.repeat(200_000)}`],
  ])('%s: it is left after writeTimeout, and done runs', async (_, message) => {
    await using served = await startServer({
      limits: { writeTimeout: 200, drainBytes: 1_000 },
      plugins: [answering(({ signal }) => HttpResponse.stream(silent(signal)))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(message)
    await client.until('hello')
    client.reset()
    const [ended] = await served.untilEnded(1)
    expect(['timeout', 'aborted']).toContain(ended!.outcome.result)
  })

  async function* silent(signal: AbortSignal) {
    yield 'hello'
    if (!signal.aborted) await once(signal, 'abort')
  }
})

describe('a client that ends its side after its requests', () => {
  test.each([
    ['sync', path],
    ['async', later],
  ])('still gets every answer of a %s handler, and then the end', async (_, answer) => {
    await using served = await startServer({ plugins: [answering(answer)] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + post('/b', 'body') + get('/c'))
    client.end()
    expect(statuses(await client.rest())).toEqual([200, 200, 200])
    expect(await client.closed).toBe('end')
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(['sent', 'sent', 'sent'])
  })

  test('gets all of more answers than may be open at once', async () => {
    await using served = await startServer({ limits: { pipelineDepth: 2 }, plugins: [answering(later)] })
    await using client = await RawClient.connect(served.port)
    client.send(get().repeat(200))
    client.end()
    expect(statuses(await client.rest())).toHaveLength(200)
  })

  test('gets an answer that takes longer than its end', async () => {
    const gate = Promise.withResolvers<void>()
    const began = Promise.withResolvers<HttpRequest>()
    await using served = await startServer({
      plugins: [
        answering(async request => {
          began.resolve(request)
          await gate.promise
          return HttpResponse.text('late')
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const { signal } = await began.promise
    client.end()
    await turns(300)
    gate.resolve()
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['late', 'close'])
    expect(await client.closed).toBe('end')
    expect(signal.aborted).toBe(false)
  })

  test.each([
    ['a connection that is kept', get()],
    ['the last request, whatever came behind it', `${get('/', 'Connection: close')}${'surplus'.repeat(100)}`],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
  ])('aborts an answer of unknown length, for %s: nobody could end that', async (_, message) => {
    const opened = Promise.withResolvers<HttpRequest>()
    await using served = await startServer({
      plugins: [
        answering(request => {
          opened.resolve(request)
          return HttpResponse.stream(endless(request.signal))
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(message)
    await client.until('tick')
    client.end()
    expect(await client.closed).toBe(message.includes('HTTP/1.0') ? 'reset' : 'end')
    expect(client.received).not.toContain('\r\n0\r\n')
    expect((await opened.promise).signal.aborted).toBe(true)
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
    expect(served.reports).toEqual([])
  })

  test('aborts it too when it ended its side before the head was out', async () => {
    const gate = Promise.withResolvers<void>()
    const began = Promise.withResolvers<HttpRequest>()
    await using served = await startServer({
      plugins: [
        answering(async request => {
          began.resolve(request)
          await gate.promise
          return HttpResponse.stream(endless(request.signal))
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await began.promise
    client.end()
    await turns(300)
    gate.resolve()
    expect(await client.closed).toBe('end')
    expect(client.received).not.toContain('\r\n0\r\n')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
    expect(served.reports).toEqual([])
  })

  test('gets no answer to half a head, only the end', async () => {
    await using served = await startServer({ plugins: [answering(path)] })
    await using client = await RawClient.connect(served.port)
    client.send(`${get('/a')}GET /half`)
    client.end()
    expect(statuses(await client.rest())).toEqual([200])
    expect(await client.closed).toBe('end')
    expect(served.ended).toHaveLength(1)
  })

  async function* endless(signal: AbortSignal) {
    yield 'tick'
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  }
})

describe('a client that leaves', () => {
  test.each([
    ['with a reset', (client: RawClient) => client.reset()],
    ['by closing', (client: RawClient) => client.socket.destroy()],
  ])('%s while nothing is open leaves nothing behind', async (_, leave) => {
    await using served = await startServer({ plugins: [answering(path)] })
    const client = await RawClient.connect(served.port)
    client.send(get())
    await client.response()
    leave(client)
    await served.server.stop()
    expect(served.reports).toEqual([])
  })

  test('with a reset is what its exchange is told', async () => {
    const began = Promise.withResolvers<AbortSignal>()
    await using served = await startServer({
      plugins: [
        answering(async ({ signal }) => {
          began.resolve(signal)
          await once(signal, 'abort')
          return HttpResponse.text('too late')
        }),
      ],
    })
    const client = await RawClient.connect(served.port)
    client.send(get())
    const signal = await began.promise
    client.reset()
    const { outcome } = (await served.untilEnded(1))[0]!
    expect(outcome).toMatchObject({ result: 'aborted', error: { code: 'ECONNRESET' } })
    expect(signal.reason).toBe(outcome.error)
  })

  test('before it has read what it asked for: every exchange ends, and nobody is blamed', async () => {
    const body = 'x'.repeat(100_000)
    await using served = await startServer({ plugins: [answering(() => HttpResponse.text(body))] })
    const client = await RawClient.connect(served.port)
    client.socket.pause()
    client.send(get().repeat(500))
    await served.untilEnded(1)
    client.reset()
    await served.server.stop()
    expect(served.ended.length).toBeGreaterThan(1)
    const results = new Set(served.ended.map(({ outcome }) => outcome.result))
    expect(results).toEqual(new Set(['sent', 'aborted']))
    expect(served.reports).toEqual([])
  })

  test('after the last request was announced is noticed, though nothing more is read', async () => {
    const began = Promise.withResolvers<HttpRequest>()
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(async request => {
          began.resolve(request)
          await gate.promise
          return HttpResponse.text('x')
        }),
      ],
    })
    const client = await RawClient.connect(served.port)
    client.send(`${get('/', 'Connection: close')}${'surplus'.repeat(1_000)}`)
    const { signal } = await began.promise
    const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    client.reset()
    await aborted
    gate.resolve()
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
  })
})

describe('a client that does not read', () => {
  test.each([
    ['a long answer', () => HttpResponse.bytes(Buffer.alloc(30_000_000))],
    ['a stream', () => HttpResponse.stream(flood())],
    ['an answer that closes', () => HttpResponse.bytes(Buffer.alloc(30_000_000)).close()],
  ])('is cut off after writeTimeout, for %s', async (_, answer) => {
    await using served = await startServer({ limits: { writeTimeout: 200 }, plugins: [answering(answer)] })
    await using client = await RawClient.connect(served.port)
    client.socket.pause()
    client.send(get())
    const [ended] = await served.untilEnded(1)
    expect(ended!.outcome.result).toBe('timeout')
    expect(ended!.outcome.error?.message).toContain('limits.writeTimeout')
    client.socket.resume()
    expect(await client.closed).toBe('reset')
  })

  test('but takes a little now and then is not, though one write takes it longer than writeTimeout', async () => {
    const size = 24_000_000
    const writeTimeout = 1_000
    await using served = await startServer({
      limits: { writeTimeout },
      plugins: [answering(() => HttpResponse.bytes(Buffer.alloc(size)).close())],
    })
    await using client = await RawClient.connect(served.port)
    client.socket.removeAllListeners('data')
    let received = 0
    let taken = 0
    client.socket.on('data', chunk => {
      received += chunk.length
      taken += chunk.length
      if (taken < 2_000_000) return
      taken = 0
      client.socket.pause()
      setTimeout(() => client.socket.resume(), writeTimeout / 5)
    })
    const began = performance.now()
    client.send(get())
    expect(await client.closed).toBe('end')
    expect(performance.now() - began).toBeGreaterThan(writeTimeout)
    expect(received).toBeGreaterThan(size)
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('sent')
  })

  async function* flood() {
    // More than any socket holds; bounded, so that a kernel that took it all would only fail the test.
    for (let i = 0; i < 1_000; i++) yield Buffer.alloc(100_000)
  }
})
