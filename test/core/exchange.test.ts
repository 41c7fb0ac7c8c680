import { Readable } from 'node:stream'
import { type Config, HttpError, HttpRequest, HttpResponse, type Outcome, type Sink } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const closing = get('/', 'Connection: close')
const turn = () => turns(1)

/** A sink that a test owns, and that notes what it was told. */
class TestSink implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  bytes = 0
  readonly calls: string[] = []

  inform(status: number): void {
    this.calls.push(`inform ${status}`)
  }
  head(head: HttpResponse, length: number | null): void {
    this.calls.push(`head ${head.status} ${length}`)
  }
  write(bytes: Uint8Array | string): boolean {
    this.calls.push(`write ${bytes}`)
    return true
  }
  end(): void {
    this.calls.push('end')
    this.onClose?.(null)
  }
  reset(reason: Error): void {
    this.calls.push('reset')
    this.onClose?.(reason)
  }
}

describe('done runs exactly once', () => {
  interface Way {
    readonly answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
    readonly limits?: Config['limits']
    /** What the client does; the connection is closed behind it. */
    readonly client: (client: RawClient, served: TestServer) => Promise<unknown>
    readonly result: Outcome['result']
    readonly status?: number | null
  }
  const never = () => new Promise<HttpResponse>(() => undefined)
  const whole = async (client: RawClient) => {
    client.send(get())
    return client.response()
  }
  const ways: Record<string, Way> = {
    'a constant': { answer: () => HttpResponse.text('x'), client: whole, result: 'sent' },
    'an answer that comes later': {
      answer: async () => HttpResponse.text('x'),
      client: whole,
      result: 'sent',
    },
    'a stream': { answer: () => HttpResponse.stream(many(3)), client: whole, result: 'sent' },
    'an error': {
      answer: () => {
        throw new HttpError(404)
      },
      client: whole,
      result: 'sent',
      status: 404,
    },
    'an error that was not foreseen': {
      answer: async () => {
        throw new Error('secret')
      },
      client: whole,
      result: 'sent',
      status: 500,
    },
    'a body that fails before its head is out': {
      answer: () => HttpResponse.stream(failing(0)),
      client: whole,
      result: 'sent',
      status: 500,
    },
    'a body that fails later': {
      answer: () => HttpResponse.stream(failing(1)),
      client: async client => {
        client.send(get())
        expect(await client.closed).toBe('end')
      },
      result: 'failed',
    },
    'a client that leaves in the middle of the answer': {
      answer: () => HttpResponse.stream(many(20_000)),
      client: async client => {
        client.send(get())
        await client.until('piece')
        client.reset()
      },
      result: 'aborted',
    },
    'a client that leaves while the answer waits in memory': {
      answer: () => HttpResponse.bytes(Buffer.alloc(30_000_000)),
      client: async client => {
        client.socket.pause()
        client.send(get())
        await new Promise(resolve => client.socket.once('readable', resolve))
        client.reset()
      },
      result: 'aborted',
    },
    'a client that leaves while the handler is at work': {
      answer: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      client: async client => {
        client.send(get())
        await turn()
        client.reset()
      },
      result: 'aborted',
      status: null,
    },
    'a client that leaves, and a handler that never ends': {
      answer: never,
      limits: { handlerTimeout: 200 },
      client: async client => {
        client.send(get())
        await turn()
        client.reset()
      },
      result: 'aborted',
      status: null,
    },
    'a client that does not read': {
      answer: () => HttpResponse.stream(many(20_000)),
      limits: { writeTimeout: 150 },
      client: async (client, served) => {
        client.socket.pause()
        client.send(get())
        await served.untilEnded(1)
      },
      result: 'timeout',
    },
    'a handler that never answers': {
      answer: never,
      limits: { handlerTimeout: 150 },
      client: whole,
      result: 'sent',
      status: 503,
    },
    'a message that is refused': {
      answer: never,
      client: client => {
        client.send('BAD\r\n\r\n')
        return client.rest()
      },
      result: 'refused',
      status: 400,
    },
    'a connection that is taken over': {
      answer: () => HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.end('bye')),
      client: client => {
        client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
        client.end()
        return client.rest()
      },
      result: 'upgraded',
      status: 101,
    },
    'a connection that is taken over and reset': {
      answer: () => HttpResponse.upgrade({ protocol: 'echo' }, () => undefined),
      client: async client => {
        client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
        await client.response({ interim: true })
        client.reset()
      },
      result: 'upgraded',
      status: 101,
    },
    'a take-over that fails': {
      answer: () =>
        HttpResponse.upgrade({ protocol: 'echo' }, () => {
          throw new Error('no')
        }),
      client: client => {
        client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
        return client.closed
      },
      result: 'failed',
    },
    'a server that is forced to stop': {
      answer: () => HttpResponse.stream(many(20_000)),
      client: async (client, served) => {
        client.send(get())
        await client.until('piece')
        await served.server.stop({ deadline: 0 })
      },
      result: 'aborted',
    },
  }

  test.each(Object.entries(ways))('%s', async (name, { answer, limits, client, result, status = 200 }) => {
    await using served = await startServer({ limits, plugins: [answering(answer)] })
    await using raw = await RawClient.connect(served.port)
    await client(raw, served)
    const [ended] = await served.untilEnded(1)
    raw.socket.destroy()
    await served.server.stop()
    // Whatever was still to come has had its time.
    for (let i = 0; i < 20; i++) await turn()
    expect(served.ended).toHaveLength(1)
    expect(ended!.outcome.result).toBe(result)
    expect(served.server.generation.pins).toBe(0)
    if (status === null) expect(ended!.response).toBeNull()
    else if (result !== 'failed') expect(ended!.response?.status).toBe(status)
    const isClean = ['sent', 'refused', 'upgraded'].includes(result) && !name.endsWith('reset')
    expect(ended!.outcome.error === undefined).toBe(isClean)
    expect(ended!.outcome.milliseconds).toBeGreaterThanOrEqual(0)
  })

  test('and not before the handler has settled, when the client left it at work', async () => {
    const gate = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(async ({ signal }) => {
          signal.addEventListener('abort', () => left.resolve())
          await gate.promise
          return HttpResponse.text('late')
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await turn()
    client.reset()
    await left.promise
    expect(served.ended).toEqual([])
    gate.resolve()
    const [ended] = await served.untilEnded(1)
    expect([ended!.outcome.result, ended!.response]).toEqual(['aborted', null])
  })

  test('with the bytes that were given to the transport', async () => {
    await using served = await startServer({ plugins: [answering(() => HttpResponse.stream(many(2)))] })
    const bytes = await exchangeBytes(served.port, closing)
    expect((await served.untilEnded(1))[0]!.outcome.bytes).toBe(bytes.length)
  })

  async function* many(count: number) {
    for (let i = 0; i < count; i++) {
      yield Buffer.from('piece'.repeat(1_000))
      if (i > 100) await turn()
    }
  }

  async function* failing(after: number) {
    for (let i = 0; i < after; i++) {
      yield 'piece'
      await turn()
      await turn()
    }
    throw new Error('the disk is gone')
  }
})

describe('dispatch', () => {
  const target = (url: string, init: Partial<ConstructorParameters<typeof HttpRequest>[0]> = {}) =>
    new HttpRequest({ method: 'GET', target: url, authority: 'a', ...init })

  test('gives a transport of its own what a connection gets', async () => {
    await using served = await startServer({ plugins: [answering(({ path }) => HttpResponse.text(path))] })
    const sink = new TestSink()
    served.server.dispatch(target('/x?y'), sink)
    expect(sink.calls).toEqual(['head 200 2', 'write /x', 'end'])
    expect(served.ended[0]!.outcome.result).toBe('sent')
  })

  test('answers an upgrade with 501 where the sink has none, as inject has not', async () => {
    await using served = await startServer({
      plugins: [answering(() => HttpResponse.upgrade({ protocol: 'websocket' }, () => undefined))],
    })
    const headers = { connection: 'upgrade', upgrade: 'websocket' }
    expect((await served.server.inject({ headers })).status).toBe(501)
    const plain = await served.server.inject()
    expect(plain.status).toBe(426)
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(['sent', 'sent'])
  })

  describe.each(['head', 'write', 'end'] as const)('a sink whose %s throws', method => {
    const broken = () => {
      throw new Error('broken sink')
    }
    test.each([
      ['a text', () => HttpResponse.text('x')],
      ['a stream', () => HttpResponse.stream(Readable.from(['a']))],
      ['an answer that comes later', async () => HttpResponse.text('x')],
    ])('and that of its reset too: %s ends as failed, reported, once', async (_, answer) => {
      await using served = await startServer({ plugins: [answering(answer)] })
      const sinks = [new TestSink(), new TestSink()]
      for (const sink of sinks) {
        sink[method] = broken
        served.server.dispatch(target('/'), sink)
        sinks[1]!.reset = broken
      }
      const ended = await served.untilEnded(2)
      expect(ended.map(({ outcome }) => outcome.result)).toEqual(['failed', 'failed'])
      expect(sinks[0]!.calls).toContain('reset')
      await turns(5)
      expect(served.ended).toHaveLength(2)
      expect(new Set(served.reports.map(({ message }) => message.includes('broken sink')))).toEqual(
        new Set([true]),
      )
    })
  })

  test('a sink whose head throws before the first byte of a silent stream: the exchange ends as failed', async () => {
    const body = new Readable({ read() {} })
    await using served = await startServer({ plugins: [answering(() => HttpResponse.stream(body))] })
    const sink = new TestSink()
    sink.head = () => {
      throw new Error('broken sink')
    }
    served.server.dispatch(target('/'), sink)
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('failed')
    expect([sink.calls, body.destroyed]).toEqual([['reset'], true])
  })

  test('a sink that closes without a word ends the exchange once, whatever comes later', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [answering(() => gate.promise.then(() => HttpResponse.text('x')))],
    })
    const sink = new TestSink()
    served.server.dispatch(target('/'), sink)
    sink.onClose!(new Error('gone'))
    sink.onClose!(new Error('gone again'))
    expect(served.ended).toEqual([])
    gate.resolve()
    const [ended] = await served.untilEnded(1)
    expect(ended!.outcome).toMatchObject({ result: 'aborted', error: { message: 'gone' } })
    expect(sink.calls).toEqual([])
  })

  test('a 304 and a 412 destroy the body that they do without', async () => {
    const bodies: Readable[] = []
    await using served = await startServer({
      plugins: [
        answering(() => {
          const body = new Readable({ read() {} })
          bodies.push(body)
          return HttpResponse.stream(body).set('etag', '"v1"')
        }),
      ],
    })
    const matching = await served.server.inject({ headers: { 'if-none-match': '"v1"' } })
    const failed = await served.server.inject({ headers: { 'if-match': '"v2"' } })
    expect([matching.status, failed.status]).toEqual([304, 412])
    expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true, true])
  })
})
