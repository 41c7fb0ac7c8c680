import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Config,
  Deliver,
  type Diagnostic,
  definePlugin,
  Handle,
  HttpError,
  HttpRequest,
  HttpResponse,
  type Outcome,
  type PluginSite,
  type Plugins,
  type Sink,
  Transform,
} from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, post, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const site = (tap: (site: PluginSite) => void, name = 'faulty'): Plugins[number] =>
  definePlugin({ name, site: tap })()

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
        expect(await client.closed).toBe('reset')
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
      answer: () => HttpResponse.upgrade({ protocol: 'echo' }, stream => stream.end('bye')),
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

describe('an answer that comes too late', () => {
  test('is dropped, and its body destroyed', async () => {
    const gate = Promise.withResolvers<void>()
    const body = new Readable({ read() {} })
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        answering(async () => {
          await gate.promise
          return HttpResponse.stream(body)
        }, 'sleeper'),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(503)
    expect(served.reports[0]).toMatchObject({
      code: 'HANDLER_TIMEOUT',
      plugin: 'sleeper',
      hook: 'handle',
      tap: 'sleeper',
    })
    expect(served.reports[0]!.message).toContain('did not answer within 100 ms')
    const destroyed = new Promise<void>(resolve => body.once('close', () => resolve()))
    gate.resolve()
    await destroyed
    client.send(get('/', 'Connection: close'))
    // It met a gate that was open, and a body that was gone.
    expect((await client.response()).status).toBe(500)
    expect(client.received).toBe('')
  })

  test('of a client that left is destroyed too', async () => {
    const gate = Promise.withResolvers<void>()
    const body = new Readable({ read() {} })
    await using served = await startServer({
      plugins: [answering(() => gate.promise.then(() => HttpResponse.stream(body)))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await turn()
    client.reset()
    const destroyed = new Promise<void>(resolve => body.once('close', () => resolve()))
    await turn()
    gate.resolve()
    await destroyed
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
  })

  test('a transform that never ends is named, and the answer that it held is destroyed', async () => {
    const body = new Readable({ read() {} })
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        site(({ hooks }) => {
          hooks.transform.tapAsync(
            { name: 'slow', stage: Transform.Shape },
            (response, _request, callback) => {
              if (response.status === 503) callback()
            },
          )
        }, 'slow-transform'),
        answering(() => HttpResponse.stream(body)),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(503)
    expect(served.reports[0]).toMatchObject({
      code: 'HANDLER_TIMEOUT',
      plugin: 'slow-transform',
      hook: 'transform',
    })
    expect(body.destroyed).toBe(true)
  })

  test('an error that never becomes an answer ends in a bare 500', async () => {
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        site(({ hooks }) => {
          hooks.transform.tapAsync({ name: 'slow', stage: Transform.Shape }, () => undefined)
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
    expect(served.ended).toHaveLength(1)
  })

  test('the signal says so to the handler', async () => {
    const late = Promise.withResolvers<unknown>()
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        answering(async ({ signal }) => {
          signal.addEventListener('abort', () => late.resolve(signal.reason))
          await late.promise
          return HttpResponse.text('late')
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([503])
    expect(await late.promise).toMatchObject({ code: 'HANDLER_TIMEOUT' })
  })

  test('time spent waiting for the client does not count as the handler', async () => {
    const handlerTimeout = 800
    await using served = await startServer({
      limits: { handlerTimeout },
      plugins: [
        answering(async ({ body }) => {
          const text = await body.text()
          await delay(handlerTimeout / 3)
          return HttpResponse.text(text)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    await delay(handlerTimeout * 1.2)
    client.send('lo')
    expect((await client.response()).body.toString()).toBe('hello')
  })
})

describe('an error', () => {
  test('takes the error hook, transform and deliver, once', async () => {
    const seen: string[] = []
    await using served = await startServer({
      plugins: [
        site(({ hooks }) => {
          hooks.handle.tap({ name: 'h', stage: Handle.Route }, () => {
            throw new HttpError(409, 'taken', { headers: { 'x-why': 'so' } })
          })
          hooks.error.tap('e', error => void seen.push(`error ${error.status}`))
          hooks.transform.tap({ name: 't', stage: Transform.Shape }, response => {
            seen.push(`transform ${response.status} ${response.detail}`)
          })
          hooks.deliver.tap({ name: 'd', stage: Deliver.Headers }, response => {
            seen.push(`deliver ${response.status} ${response.body}`)
          })
        }),
      ],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(seen).toEqual(['error 409', 'transform 409 taken', 'deliver 409 409 Conflict\ntaken\n'])
    expect(bytes).toContain('x-why: so')
    expect(served.reports).toEqual([])
  })

  test('a handler time-out takes the error hook too', async () => {
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        answering(() => new Promise<HttpResponse>(() => undefined)),
        site(({ hooks }) => {
          hooks.error.tap('e', error => HttpResponse.json({ code: error.code }, error.status))
        }),
      ],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(bytes).toContain('503 Service Unavailable')
    expect(bytes).toContain('{"code":"HANDLER_TIMEOUT"}')
    expect(served.reports).toHaveLength(1)
  })

  test('nobody reports what a client brought about: 404, 405, 501, 426', async () => {
    await using served = await startServer({
      plugins: [
        answering(asked => {
          if (asked.path === '/allowed') asked.allow('POST')
          if (asked.path === '/upgrade') return HttpResponse.upgrade({ protocol: 'x' }, () => undefined)
          return undefined as unknown as HttpResponse
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(
      get('/none') + get('/allowed') + request('BREW', '/none') + get('/upgrade', 'Connection: close'),
    )
    expect(statuses(await client.rest())).toEqual([404, 405, 501, 426])
    expect(served.reports).toEqual([])
  })
})

describe('a plugin that throws', () => {
  const hooks: Record<string, { tap: (site: PluginSite) => void; status: number; done?: number }> = {
    handle: {
      tap: ({ hooks }) => hooks.handle.tap({ name: 'bad', stage: Handle.Route }, fail),
      status: 500,
    },
    'handle, async': {
      tap: ({ hooks }) => hooks.handle.tapPromise({ name: 'bad', stage: Handle.Route }, async () => fail()),
      status: 500,
    },
    'handle, by callback': {
      tap: ({ hooks }) =>
        hooks.handle.tapAsync({ name: 'bad', stage: Handle.Route }, (_, done) => done(secret())),
      status: 500,
    },
    error: { tap: ({ hooks }) => hooks.error.tap('bad', fail), status: 500 },
    transform: {
      tap: ({ hooks }) => hooks.transform.tap({ name: 'bad', stage: Transform.Shape }, fail),
      status: 500,
    },
    'transform, async': {
      tap: ({ hooks }) =>
        hooks.transform.tapPromise({ name: 'bad', stage: Transform.Shape }, async () => fail()),
      status: 500,
    },
    deliver: { tap: ({ hooks }) => hooks.deliver.tap('bad', fail), status: 500 },
    done: { tap: ({ hooks }) => hooks.done.tap('bad', fail), status: 404 },
  }

  test.each(Object.entries(hooks))(
    'in %s is named, hides its text, and the server lives on',
    async (name, { tap, status }) => {
      const faulty = definePlugin({ name: 'faulty', site: tap })
      await using served = await startServer({ plugins: [faulty()] })
      await using client = await RawClient.connect(served.port)
      client.send(get())
      const response = await client.response()
      expect(response.status).toBe(status)
      expect(response.body.toString()).not.toContain('secret')
      const hook = name.split(',')[0]!
      expect(served.reports[0]).toMatchObject({ plugin: 'faulty', hook, tap: 'bad', severity: 'error' })
      expect(served.reports[0]!.message).toContain('secret')
      await served.untilEnded(1)
      await using next = await RawClient.connect(served.port)
      next.send(get())
      expect((await next.response()).status).toBe(status)
      expect((await served.untilEnded(2)).map(({ outcome }) => outcome.result)).toEqual(['sent', 'sent'])
    },
  )

  test('in connection: the connection is closed, the plugin named, the server alive', async () => {
    let isBad = true
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'faulty',
          server({ hooks }) {
            hooks.connection.tap({ name: 'bad', stage: 0 }, () => (isBad ? fail() : undefined))
          },
        })(),
      ],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(served.reports[0]).toMatchObject({ plugin: 'faulty', hook: 'connection', tap: 'bad' })
    isBad = false
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([404])
  })

  test('in protocolError: a bare 500, and the plugin named', async () => {
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'faulty',
          server({ hooks }) {
            hooks.protocolError.tap('bad', fail)
          },
        })(),
      ],
    })
    const bytes = await exchangeBytes(served.port, 'BAD\r\n\r\n')
    expect(statuses(bytes)).toEqual([500])
    expect(bytes).not.toContain('secret')
    expect(served.reports).toContainEqual(
      expect.objectContaining({ plugin: 'faulty', hook: 'protocolError' }),
    )
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('refused')
  })

  test('in deliver with an HttpError ends in the bare answer all the same', async () => {
    let runs = 0
    await using served = await startServer({
      plugins: [
        site(({ hooks }) => {
          hooks.deliver.tap('bad', () => {
            runs++
            throw new HttpError(404)
          })
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
    expect(runs).toBe(1)
  })

  function fail(): undefined {
    throw secret()
  }

  function secret(): Error {
    return new Error('a secret of the plugin')
  }
})

describe('a message that reaches no site', () => {
  const table: [string, string, string, number][] = [
    ['malformed', 'GET / HTTP/1.1\r\n\r\n', 'H1-HOST-MISSING', 400],
    ['with a path that is refused', get('/a%00b', 'Connection: close'), 'PATH-ESCAPE', 400],
    ['for a host that no site takes', 'GET / HTTP/1.1\r\nHost: nobody\r\n\r\n', 'HOST-UNKNOWN', 421],
    ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 'H1-CONNECT', 501],
    ['TRACE', request('TRACE', '/'), 'H1-TRACE', 501],
  ]

  test.each(table)(
    '%s runs protocolError, deliver and done of the root plugins, once',
    async (_, message, id, status) => {
      const seen: string[] = []
      const root = definePlugin({
        name: 'root',
        server({ hooks }) {
          hooks.protocolError.tap('p', (error, asked) => {
            seen.push(`protocolError ${error.code} ${error.status} ${asked.refused!.id}`)
            return HttpResponse.text('refused\n', error.status)
          })
        },
        site({ hooks, name }) {
          hooks.handle.tap({ name: 'h', stage: Handle.Prepare }, () => void seen.push('handle'))
          hooks.error.tap('e', () => void seen.push('error'))
          hooks.transform.tap({ name: 't', stage: Transform.Shape }, () => void seen.push('transform'))
          hooks.deliver.tap('d', response => {
            seen.push(`deliver ${name}`)
            response.set('x-root', 'yes')
          })
          hooks.done.tap(
            'n',
            (asked, _response, { result }) => void seen.push(`done ${asked.site.name} ${result}`),
          )
        },
      })
      const own = definePlugin({
        name: 'own',
        site({ hooks }) {
          hooks.deliver.tap('d', () => void seen.push('own deliver'))
        },
      })
      await using served = await startServer({
        plugins: [root()],
        sites: [{ name: 'a', hosts: ['a'], plugins: [own()] }],
      })
      const bytes = await exchangeBytes(served.port, message)
      expect(statuses(bytes)).toEqual([status])
      expect(bytes).toContain('x-root: yes')
      expect(bytes).toContain('connection: close')
      expect(bytes.endsWith('refused\n')).toBe(true)
      expect(seen).toEqual([`protocolError ${id} ${status} ${id}`, 'deliver -', 'done - refused'])
      const { refused } = served.ended[0]!.request
      expect(refused).toMatchObject({ id, status })
      expect(refused!.section).toMatch(/^RFC \d+/)
      expect(served.reports.map(({ code }) => code)).toEqual([id])
    },
  )

  test('gets text from the kernel when no plugin has an answer', async () => {
    await using served = await startServer({})
    const bytes = await exchangeBytes(served.port, 'GET / HTTP/1.1\r\n\r\n')
    expect(bytes.endsWith('\r\n\r\n400 Bad Request\nan HTTP/1.1 request has no Host\n')).toBe(true)
  })
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

test('a body that fails while a tap takes its time does not end the process', async () => {
  const reports: Diagnostic[] = []
  await using served = await startServer({
    plugins: [
      site(({ hooks, server }) => {
        server.hooks.report.tap('r', report => void reports.push(report))
        hooks.transform.tapPromise({ name: 'slow', stage: Transform.Shape }, async () => {
          await turn()
          await turn()
        })
      }),
      answering(() => {
        const body = new Readable({ read() {} })
        process.nextTick(() => body.destroy(new Error('gone')))
        return HttpResponse.stream(body)
      }),
    ],
  })
  expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
})
