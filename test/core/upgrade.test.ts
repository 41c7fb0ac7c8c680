import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { type Config, definePlugin, Handle, HttpError, HttpResponse, type UpgradeOptions } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { Gates } from '../support/gates.ts'
import { get, post, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

/** Sends back what comes, and a greeting of what came behind the request. */
function echo(stream: Duplex, head: Buffer): void {
  stream.write(`[${head}]`)
  stream.pipe(stream)
}

const asking = (protocol: string, ...fields: string[]) =>
  get('/upgrade', 'Connection: keep-alive, Upgrade', `Upgrade: ${protocol}`, ...fields)

const upgrading = (options: Partial<UpgradeOptions> = {}, config: Config = {}) =>
  startServer({
    ...config,
    plugins: [
      answering(({ path }) => {
        if (path !== '/upgrade') return HttpResponse.text(path)
        return HttpResponse.upgrade({ protocol: 'echo', ...options }, echo)
      }),
      ...(config.plugins ?? []),
    ],
  })

describe('an upgrade', () => {
  test('has its 101 from the kernel, with the fields that the answer and deliver have set', async () => {
    const marking = definePlugin({
      name: 'marking',
      site({ hooks }) {
        hooks.deliver.tap('mark', response => void response.set('x-mark', String(response.status)))
      },
    })
    await using served = await upgrading({ headers: { 'x-own': 'yes' } }, { plugins: [marking()] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    const response = await client.response({ interim: true })
    expect(response.statusLine).toBe('HTTP/1.1 101 Switching Protocols')
    expect(response.field('connection')).toBe('upgrade')
    expect(response.field('upgrade')).toBe('echo')
    expect([response.field('x-own'), response.field('x-mark')]).toEqual(['yes', '101'])
    expect(response.field('content-length')).toBeUndefined()
    client.send('hello')
    expect(await client.until('hello')).toBe('[]hello')
  })

  test.each(['sync', 'async'])('gives a %s handler the bytes behind the request', async mode => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(() => {
          const answer = HttpResponse.upgrade({ protocol: 'echo' }, echo)
          return mode === 'sync' ? answer : gate.promise.then(() => answer)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(`${asking('echo')}GET /not-a-request HTTP/1.1\r\n\r\n`)
    gate.resolve()
    await client.response({ interim: true })
    expect(await client.until(']')).toBe('[GET /not-a-request HTTP/1.1\r\n\r\n]')
    client.send('more')
    expect(await client.until('more')).toBe('more')
    expect(served.ended).toEqual([])
  })

  test('bytes that come while the handler thinks are not lost, however many', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [answering(() => gate.promise.then(() => HttpResponse.upgrade({ protocol: 'echo' }, echo)))],
    })
    await using client = await RawClient.connect(served.port)
    const flood = 'x'.repeat(3_000_000)
    client.send(asking('echo') + flood)
    await turns(300)
    gate.resolve()
    await client.response({ interim: true })
    client.send('END')
    const text = await client.until('END')
    expect(text.replace(/[[\]]/g, '').length).toBe(flood.length + 3)
  })

  test('may be raw: then the plugin writes every byte, as a WebSocket library does', async () => {
    const gate = Promise.withResolvers<void>()
    const handshake = (key: string) =>
      createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    await using served = await startServer({
      plugins: [
        answering(async asked => {
          await gate.promise
          return HttpResponse.upgrade({ protocol: 'websocket', raw: true }, (stream, head) => {
            const accept = handshake(asked.headers.get('sec-websocket-key')!)
            stream.write(
              `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
            )
            if (head.length > 0) stream.unshift(head)
            stream.on('data', (frame: Buffer) => stream.write(Buffer.from([0x81, frame.length, ...frame])))
            stream.on('end', () => stream.end())
          })
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    const fields = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13']
    client.send(`${asking('websocket', ...fields)}early`)
    await turns(300)
    gate.resolve()
    const response = await client.response({ interim: true })
    // The example of RFC 6455 section 1.3.
    expect(response.fields).toEqual([
      ['upgrade', 'websocket'],
      ['connection', 'Upgrade'],
      ['sec-websocket-accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ])
    expect(await client.until('early')).toBe('\x81\x05early')
    client.send('hi')
    expect(await client.until('hi')).toBe('\x81\x02hi')
    client.end()
    expect(await client.closed).toBe('end')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('upgraded')
  })

  test('is one of the protocols that the client offered, in any case', async () => {
    await using served = await upgrading()
    await using client = await RawClient.connect(served.port)
    client.send(asking('h2c, ECHO'))
    expect((await client.response({ interim: true })).status).toBe(101)
  })

  test('of a guard that says no is an ordinary answer, and the connection goes on', async () => {
    const guard = definePlugin({
      name: 'guard',
      site({ hooks }) {
        hooks.handle.tapPromise({ name: 'guard', stage: Handle.Guard }, async ({ path, headers }) => {
          if (path === '/upgrade' && !headers.has('authorization')) throw new HttpError(401)
        })
      },
    })
    await using served = await upgrading({}, { plugins: [guard()] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo') + get('/next'))
    expect((await client.response()).status).toBe(401)
    expect((await client.response()).body.toString()).toBe('/next')
    client.send(asking('echo', 'Authorization: x'))
    expect((await client.response({ interim: true })).status).toBe(101)
  })

  test('that nobody takes is ignored, and the bytes behind it are the next request', async () => {
    await using served = await startServer({ plugins: [answering(({ path }) => HttpResponse.text(path))] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('h2c') + get('/next'))
    expect((await client.response()).body.toString()).toBe('/upgrade')
    expect((await client.response()).body.toString()).toBe('/next')
  })

  test('waits until the answers before it are out', async () => {
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    await using served = await startServer({
      plugins: [
        answering(({ path }) => {
          seen.push(path)
          if (path === '/slow') return gate.promise.then(() => HttpResponse.text('slow'))
          if (path === '/upgrade') return HttpResponse.upgrade({ protocol: 'echo' }, echo)
          return HttpResponse.text(path)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(`${get('/slow')}${get('/b')}${asking('echo')}behind`)
    await turns(300)
    expect(seen).toEqual(['/slow', '/b'])
    gate.resolve()
    expect((await client.response()).body.toString()).toBe('slow')
    expect((await client.response()).body.toString()).toBe('/b')
    expect((await client.response({ interim: true })).status).toBe(101)
    expect(await client.until(']')).toBe('[behind]')
  })

  test('a request with Upgrade in the middle of a pipeline holds up only those behind it', async () => {
    await using served = await startServer({
      plugins: [answering(async ({ path }) => HttpResponse.text(path))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + asking('echo') + get('/b', 'Connection: close'))
    const bytes = await client.rest()
    expect(statuses(bytes)).toEqual([200, 200, 200])
    expect(served.ended.map(({ request: { path } }) => path)).toEqual(['/a', '/upgrade', '/b'])
  })
})

describe('requests with Upgrade that wait for their turn', () => {
  const offer = (path: string) => get(path, 'Connection: Upgrade', 'Upgrade: echo')

  test.each(['one write', 'one byte after the other'])(
    'are all answered when the client ends its side, in %s',
    async how => {
      const gates = new Gates()
      await using served = await startServer({ plugins: [answering(gates.answer)] })
      await using client = await RawClient.connect(served.port)
      const bytes = get('/first') + offer('/b') + offer('/c') + offer('/d')
      if (how === 'one write') client.send(bytes)
      else await client.sendSplit(bytes)
      client.end()
      // Bytes in a write of their own wait behind the offer, and the end behind them.
      await gates.until(how === 'one write' ? 4 : 1)
      for (const path of ['/d', '/c', '/b', '/first']) gates.open(path)
      const all = await client.rest()
      expect(statuses(all)).toEqual([200, 200, 200, 200])
      expect(all.match(/(?<=\r\n\r\n)\/\w+?(?=HTTP|$)/g)).toEqual(['/first', '/b', '/c', '/d'])
      expect(await client.closed).toBe('end')
      expect(served.ended).toHaveLength(4)
    },
  )

  test('were never begun when the client leaves before: no hook sees them, not even done', async () => {
    const began = Promise.withResolvers<void>()
    const arrived: string[] = []
    const untilAborted = answering(async ({ path, signal }) => {
      arrived.push(path)
      began.resolve()
      await once(signal, 'abort')
      return HttpResponse.text(path)
    })
    await using served = await startServer({ plugins: [untilAborted] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/first') + offer('/b'))
    await began.promise
    client.reset()
    await served.untilEnded(1)
    await served.server.stop({ deadline: 0 })
    expect(arrived).toEqual(['/first'])
    expect(served.ended.map(({ request: { path } }) => path)).toEqual(['/first'])
  })

  // The end of its side breaks off what only the server's end would delimit, and the connection with it.
  test('are not begun on a connection that ends with the answer before them', async () => {
    const began = Promise.withResolvers<void>()
    const endless = async function* () {
      yield 'one'
      began.resolve()
      await new Promise(() => undefined)
    }
    const arrived: string[] = []
    await using served = await startServer({
      plugins: [
        answering(({ path }) => {
          arrived.push(path)
          return path === '/first' ? HttpResponse.stream(endless()) : HttpResponse.text(path)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/first') + offer('/b'))
    await began.promise
    client.end()
    await client.closed
    expect(served.server.generation.pins).toBe(0)
    expect(arrived).toEqual(['/first'])
    expect(served.ended.map(({ request: { path } }) => path)).toEqual(['/first'])
  })
})

describe('an upgrade that cannot be', () => {
  test('426 when the client did not ask, with the protocol to ask for', async () => {
    await using served = await upgrading()
    await using client = await RawClient.connect(served.port)
    client.send(get('/upgrade'))
    const response = await client.response()
    expect([response.status, response.field('upgrade'), response.field('connection')]).toEqual([
      426,
      'echo',
      'upgrade',
    ])
    client.send(get('/next', 'Connection: close'))
    expect((await client.response()).status).toBe(200)
    client.send(get('/upgrade', 'Connection: close'))
    expect(served.reports).toEqual([])
  })

  test('426 when the client asked for something else: it is told of no other protocol', async () => {
    await using served = await upgrading()
    const bytes = await exchangeBytes(served.port, asking('websocket').replace('keep-alive', 'close'))
    expect(statuses(bytes)).toEqual([426])
    expect(bytes).toMatch(/\r\nconnection: close, upgrade\r\nupgrade: echo\r\n/)
  })

  test.each([
    [
      'HTTP/1.0 does not know it',
      'GET /upgrade HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
    ],
    ['Connection does not name it', get('/upgrade', 'Upgrade: echo', 'Connection: close')],
  ])('426 when %s: that is no offer', async (_, message) => {
    await using served = await upgrading()
    expect(statuses(await exchangeBytes(served.port, message))).toEqual([426])
    expect(served.ended[0]!.request.headers.get('upgrade')).toBeUndefined()
    expect(served.reports).toEqual([])
  })

  test('501 when a body stands in its way', async () => {
    await using served = await upgrading()
    const message = post('/upgrade', 'x', 'Upgrade: echo', 'Connection: upgrade, close')
    expect(statuses(await exchangeBytes(served.port, message))).toEqual([501])
    expect(served.ended[0]!.outcome.result).toBe('sent')
  })

  test('501 when the client has ended its side meanwhile: nobody would speak', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [answering(() => gate.promise.then(() => HttpResponse.upgrade({ protocol: 'echo' }, echo)))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    client.end()
    await turns(300)
    gate.resolve()
    expect(statuses(await client.rest())).toEqual([501])
  })

  test('a handler that throws: the connection is reset and the plugin named', async () => {
    await using served = await startServer({
      plugins: [
        answering(() =>
          HttpResponse.upgrade({ protocol: 'echo' }, () => {
            throw new Error('broken')
          }),
        ),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    expect(await client.closed).toBe('reset')
    expect(served.reports).toEqual([expect.objectContaining({ plugin: 'test-answer', severity: 'error' })])
  })

  test('CONNECT is refused before any handler', async () => {
    const seen: string[] = []
    await using served = await startServer({
      plugins: [
        answering(({ method }) => {
          seen.push(method)
          return HttpResponse.text('x')
        }),
      ],
    })
    const message = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'
    expect(statuses(await exchangeBytes(served.port, message + get()))).toEqual([501])
    expect(seen).toEqual([])
  })
})

describe('the owner of a stream that was handed over', () => {
  /** Says what it is told, and ends the stream when it has to drain. */
  function owning(told: unknown[], gate: Promise<void> = Promise.resolve()) {
    return answering(async () => {
      await gate
      return HttpResponse.upgrade({ protocol: 'echo' }, stream => ({
        name: 'echo',
        drain(deadline) {
          told.push(['drain', deadline])
          stream.end('bye')
          stream.resume()
        },
        destroy: reason => void told.push(['destroy', reason.message]),
      }))
    })
  }

  test('is told to drain when the server stops, which waits for it', async () => {
    const told: unknown[] = []
    await using served = await startServer({ plugins: [owning(told)] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    const stopped = served.server.stop({ deadline: 20_000 })
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect(told).toEqual([['drain', 20_000]])
    expect(served.reports).toEqual([])
    expect(served.ended[0]!.outcome).toMatchObject({ result: 'upgraded' })
  })

  test('is told at once when it comes while the server drains, with the time that is left', async () => {
    const told: [string, number][] = []
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({ plugins: [owning(told, gate.promise)] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await turns(100)
    const stopped = served.server.stop({ deadline: 20_000 })
    gate.resolve()
    expect((await client.response({ interim: true })).status).toBe(101)
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect(told.map(([what]) => what)).toEqual(['drain'])
    expect(told[0]![1]).toBeGreaterThan(0)
    expect(told[0]![1]).toBeLessThanOrEqual(20_000)
  })

  test('is told why the stream is cut', async () => {
    const told: unknown[] = []
    await using served = await startServer({ plugins: [owning(told)] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    await served.server.stop({ deadline: 0 })
    expect(told).toEqual([
      ['drain', 0],
      ['destroy', 'the server stopped'],
    ])
  })

  test('is not told of anything once its stream has ended', async () => {
    const told: unknown[] = []
    await using served = await startServer({ plugins: [owning(told)] })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    client.reset()
    await served.untilEnded(1)
    await served.server.stop()
    expect(told).toEqual([])
  })

  test('that fails is reported by its name, and the others are told all the same', async () => {
    const told: unknown[] = []
    const owner = {
      name: 'failing',
      drain() {
        throw new Error('no')
      },
      destroy: () => undefined,
    }
    const failing = answering(
      ({ query }) =>
        query.has('fails') ? HttpResponse.upgrade({ protocol: 'echo' }, () => owner) : undefined,
      'failing',
    )
    await using served = await startServer({ plugins: [failing, owning(told)] })
    await using bad = await RawClient.connect(served.port)
    bad.send(asking('echo').replace('/upgrade', '/?fails'))
    await bad.response({ interim: true })
    await using good = await RawClient.connect(served.port)
    good.send(asking('echo'))
    await good.response({ interim: true })
    const stopped = served.server.stop({ deadline: 10_000 })
    expect(await good.rest()).toBe('bye')
    const report = await served.untilReported('OWNER_FAILED')
    expect(report.message).toBe('failing, which owns a connection, failed: no')
    bad.reset()
    good.end()
    await stopped
  })

  test('is an owner or nothing: anything else is an error that names the plugin', async () => {
    await using served = await startServer({
      plugins: [
        answering(() => HttpResponse.upgrade({ protocol: 'echo' }, ((stream: Duplex) => stream) as never)),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    expect(await client.closed).toBe('reset')
    const [report] = served.reports
    expect(report).toMatchObject({ plugin: 'test-answer', severity: 'error' })
    expect(report!.message).toContain('expected an owner { name, drain, destroy } or nothing')
  })
})

describe('a stream that was handed over', () => {
  test('has no time-outs of the kernel', async () => {
    await using served = await upgrading(
      {},
      { limits: { headTimeout: 60, idleTimeout: 60, writeTimeout: 60 } },
    )
    await using client = await RawClient.connect(served.port)
    await using silent = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    // A connection that is the kernel's own is closed meanwhile, twice over.
    await silent.closed
    await using again = await RawClient.connect(served.port)
    await again.closed
    client.send('still there')
    expect(await client.until('there')).toBe('[]still there')
  })

  test('that fails without a listener does not end the process', async () => {
    await using served = await startServer({
      plugins: [answering(() => HttpResponse.upgrade({ protocol: 'echo' }, () => undefined))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    client.reset()
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('upgraded')
  })

  test('aborts no signal while it lives, and its request stays pinned', async () => {
    let signal!: AbortSignal
    await using served = await startServer({
      plugins: [
        answering(asked => {
          signal = asked.signal
          return HttpResponse.upgrade({ protocol: 'echo' }, echo)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    expect([signal.aborted, served.server.generation.pins]).toEqual([false, 1])
    client.end()
    await client.closed
    await served.untilEnded(1)
    expect([signal.aborted, served.server.generation.pins]).toEqual([false, 0])
  })

  test('requests on other connections go on', async () => {
    await using served = await upgrading()
    await using client = await RawClient.connect(served.port)
    client.send(asking('echo'))
    await client.response({ interim: true })
    expect(statuses(await exchangeBytes(served.port, request('GET', '/x', ['Connection: close'])))).toEqual([
      200,
    ])
  })
})
