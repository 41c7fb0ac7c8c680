import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { Connect, HttpResponse, type Plugins } from 'rawhttp'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate } from '../support/certificate.ts'
import { layer, owner } from '../support/layers.ts'
import { chunked, get, post, request, statuses } from '../support/messages.ts'
import { answering, startServer } from '../support/server.ts'
import { steady, turns } from '../support/turns.ts'

const LONG = 3_000_000
/** More than the buffers between server and client hold. */
const ENDLESS = 64 * 1_048_576

/** A client on a stream, which keeps what comes. */
class Client {
  readonly stream: Duplex
  /** The socket below it. */
  readonly socket: Socket
  readonly closed: Promise<'end' | 'reset'>
  readonly #ended: Promise<unknown>
  #text = ''

  constructor(socket: Socket, stream: Duplex) {
    this.socket = socket
    this.stream = stream
    socket.on('error', () => undefined)
    this.#ended = new Promise(resolve => stream.once('end', resolve))
    stream.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text
    })
    this.closed = new Promise(resolve => {
      stream.once('error', () => resolve('reset')).once('close', () => resolve('end'))
    })
  }

  send(text: string): void {
    this.stream.write(text, 'latin1')
  }

  async until(text: string): Promise<string> {
    while (!this.#text.includes(text)) await once(this.stream, 'data')
    return this.#text
  }

  async rest(): Promise<string> {
    await this.#ended
    this.stream.end()
    return this.#text
  }
}

interface Transport {
  /** What stands between the socket and HTTP. */
  readonly layers: Plugins
  /** The client's side of it. */
  wrap(socket: Socket): Promise<Duplex>
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

/** The kernel gets one end of a pair of streams in memory; the socket hangs on the other. */
const inMemory = layer('in-memory', Connect.Secure, (socket, info, server) => {
  const [near, far] = duplexPair()
  socket.pipe(near).pipe(socket)
  setImmediate(() => server.serve(far, { ...info, via: ['memory'] }))
  return owner('in-memory')
})

const certificate: { key: string; cert: string } = { key: '', cert: '' }

const secure = layer('test-tls', Connect.Secure, (socket, info, server) => {
  const wrapped = new TLSSocket(socket as never, { isServer: true, ...certificate })
  wrapped.on('error', () => undefined)
  wrapped.once('secure', () => {
    server.serve(wrapped, { ...info, tls: { protocol: wrapped.getProtocol()! }, via: ['tls'] })
  })
  return owner('test-tls')
})

const transports: Readonly<Record<string, Transport>> = {
  TCP: { layers: [], wrap: async socket => socket },
  'a pair of streams in memory': { layers: [inMemory], wrap: async socket => socket },
  TLS: {
    layers: [secure],
    async wrap(socket) {
      const secured = connectTls({ socket, rejectUnauthorized: false, servername: 'localhost' })
      await once(secured, 'secureConnect')
      return secured
    },
  },
}

beforeAll(async () => {
  Object.assign(certificate, await makeCertificate())
})

describe.each(Object.entries(transports))('HTTP over %s', (_name, { layers, wrap }) => {
  const clients: Client[] = []
  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.destroy()
  })

  async function opened(port: number): Promise<Client> {
    const socket = await connected(port)
    const client = new Client(socket, await wrap(socket))
    clients.push(client)
    return client
  }

  /** Pieces for ever, counted. */
  function endless() {
    const counts = { made: 0, ended: 0 }
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          counts.made += 65_536
          yield Buffer.alloc(65_536, 'x')
        }
      } finally {
        counts.ended++
      }
    }
    return { counts, plugin: answering(() => HttpResponse.stream(pieces())) }
  }

  const echo = answering(async asked => {
    const { length } = await asked.body.text()
    return HttpResponse.text(`${asked.path} ${length} ${asked.trailers.get('x-sum') ?? '-'}\n`)
  })

  test('answers a pipeline in its order, whole', async () => {
    await using served = await startServer({ plugins: [...layers, echo] })
    const client = await opened(served.port)
    client.send(get('/a') + post('/b', 'hello') + chunked('/c', ['abc', 'de'], ['X-Sum: 42']))
    client.send(get('/d', 'Connection: close'))
    const text = await client.rest()
    expect(statuses(text)).toEqual([200, 200, 200, 200])
    expect(text.match(/\/. \d+ .+/g)).toEqual(['/a 0 -', '/b 5 -', '/c 5 42', '/d 0 -'])
  })

  test('takes requests byte by byte', async () => {
    await using served = await startServer({ plugins: [...layers, echo] })
    const client = await opened(served.port)
    for (const byte of chunked('/c', ['abc', 'de'], ['X-Sum: 42'])) {
      await new Promise<void>(resolve => client.stream.write(byte, () => resolve()))
    }
    expect(await client.until('42\n')).toContain('/c 5 42\n')
  })

  test('carries long bodies both ways', async () => {
    await using served = await startServer({
      limits: { bodyBytes: '8mb' },
      plugins: [...layers, answering(async ({ body }) => HttpResponse.bytes(await body.bytes()))],
    })
    const client = await opened(served.port)
    client.send(post('/', 'x'.repeat(LONG), 'Connection: close'))
    expect((await client.rest()).split('\r\n\r\n')[1]).toHaveLength(LONG)
  })

  test('answers a client that has ended its side behind the request', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [...layers, answering(() => gate.promise.then(() => HttpResponse.text('late\n')))],
    })
    const client = await opened(served.port)
    client.send(get())
    client.stream.end()
    await turns(100)
    gate.resolve()
    expect(await client.until('late\n')).toMatch(/^HTTP\/1\.1 200 /)
    await client.closed
  })

  test('makes an answer no faster than its client reads it', async () => {
    const { counts, plugin } = endless()
    await using served = await startServer({ plugins: [...layers, plugin] })
    const client = await opened(served.port)
    client.stream.pause()
    client.send(get())
    expect(await steady(() => counts.made)).toBeLessThan(ENDLESS)
    client.socket.resetAndDestroy()
    await served.untilEnded(1)
    expect(counts.ended).toBe(1)
  })

  test('ends the exchange of a client that leaves', async () => {
    const began = Promise.withResolvers<AbortSignal>()
    await using served = await startServer({
      plugins: [
        ...layers,
        answering(({ path, signal }) => {
          if (path === '/first') return HttpResponse.text('first\n')
          began.resolve(signal)
          return new Promise(resolve => {
            signal.addEventListener('abort', () => resolve(HttpResponse.text('too late')))
          })
        }),
      ],
    })
    const client = await opened(served.port)
    client.send(get('/first'))
    await client.until('first\n')
    client.send(get())
    const signal = await began.promise
    client.socket.resetAndDestroy()
    expect((await served.untilEnded(2))[1]!.outcome.result).toBe('aborted')
    expect(signal.aborted).toBe(true)
  })

  test('shows its client that an answer broke off', async () => {
    await using served = await startServer({
      plugins: [
        ...layers,
        answering(() =>
          HttpResponse.stream(
            (async function* () {
              yield 'part'
              await turns(3)
              throw new Error('the disk is gone')
            })(),
          ),
        ),
      ],
    })
    const client = await opened(served.port)
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    expect(await client.closed).toBe('reset')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('failed')
  })

  test('keeps the deadlines of a head, a body and an idle connection', async () => {
    await using served = await startServer({
      limits: { headTimeout: 80, bodyTimeout: 80, idleTimeout: 80 },
      plugins: [...layers, echo],
    })
    const [head, body, idle] = await Promise.all([1, 2, 3].map(() => opened(served.port)))
    head!.send('GET / HT')
    body!.send(post('/', 'hello').slice(0, -2))
    idle!.send(get('/idle'))
    expect(statuses(await head!.rest())).toEqual([408])
    expect(statuses(await body!.rest())).toEqual([408])
    expect(statuses(await idle!.rest())).toEqual([200])
  })

  test('cuts a client that takes nothing of what waits for it', async () => {
    const { plugin } = endless()
    await using served = await startServer({ limits: { writeTimeout: 150 }, plugins: [...layers, plugin] })
    const client = await opened(served.port)
    client.stream.pause()
    client.send(get())
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('timeout')
  })

  test('hands the stream over', async () => {
    await using served = await startServer({
      plugins: [
        ...layers,
        answering(() =>
          HttpResponse.upgrade({ protocol: 'echo' }, (stream, head) => {
            stream.write(`[${head}]`)
            stream.pipe(stream)
          }),
        ),
      ],
    })
    const client = await opened(served.port)
    client.send(`${request('GET', '/', ['Connection: upgrade', 'Upgrade: echo'])}early`)
    await client.until('[early]')
    client.send('more')
    expect(await client.until('more')).toMatch(/^HTTP\/1\.1 101 /)
  })

  test('closes idle connections when the server stops, and waits for busy ones', async () => {
    const gate = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        ...layers,
        answering(async ({ path }) => {
          if (path !== '/busy') return HttpResponse.text('idle\n')
          began.resolve()
          await gate.promise
          return HttpResponse.text('busy\n')
        }),
      ],
    })
    const [busy, idle] = await Promise.all([opened(served.port), opened(served.port)])
    idle.send(get())
    await idle.until('idle\n')
    busy.send(get('/busy'))
    await began.promise
    const stopped = served.server.stop({ deadline: 60_000 })
    await idle.rest()
    gate.resolve()
    expect(await busy.rest()).toContain('busy\n')
    await stopped
    expect(served.reports).toEqual([])
  })
})

test('a write that fails ends its connection: nothing more is read of it', async () => {
  const paths: string[] = []
  const [near, far] = duplexPair()
  const failing = layer('failing', Connect.Secure, (_socket, info, server) => {
    far._write = (_chunk, _encoding, done) => void setImmediate(done, new Error('the wire is cut'))
    setImmediate(() => server.serve(far, info))
    return owner('failing')
  })
  await using served = await startServer({
    // While more than that waits, the next request does too.
    limits: { writeBuffer: 100 },
    plugins: [
      failing,
      answering(({ path }) => {
        paths.push(path)
        return HttpResponse.text(path.repeat(100))
      }),
    ],
  })
  const socket = await connected(served.port)
  near.write(get('/1') + get('/2') + get('/3'))
  expect((await served.untilEnded(1))[0]!.outcome).toMatchObject({
    result: 'aborted',
    error: { message: 'the wire is cut' },
  })
  await turns(20)
  expect(paths).toEqual(['/1'])
  socket.destroy()
})
