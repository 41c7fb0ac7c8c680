import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { connect as connectTls, TLSSocket } from 'node:tls'
import {
  Connect,
  type ConnectionInfo,
  type ConnectionOwner,
  definePlugin,
  type HttpRequest,
  HttpResponse,
  type PluginServer,
  type Plugins,
} from 'rawhttp'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { makeCertificate } from '../support/certificate.ts'
import { get, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const closing = get('/', 'Connection: close')

type Tap = (stream: Duplex, info: ConnectionInfo, server: PluginServer) => ConnectionOwner | undefined
const layer = (name: string, stage: number, tap: Tap): Plugins[number] =>
  definePlugin({
    name,
    server(server) {
      server.hooks.connection.tap({ name, stage }, (stream, info) => tap(stream, info, server))
    },
  })()

const owner = (name: string): ConnectionOwner => ({ name, drain: () => undefined, destroy: () => undefined })

/** Reads `FROM <address> <port>` as a PROXY line, and gives the stream back with the client that it names. */
const proxyLine = layer('test-proxy', Connect.Address, (stream, info, server) => {
  let text = ''
  const read = (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\n')
    if (end === -1) return
    const [, address = '', port] = text.slice(0, end).split(' ')
    stream.off('data', read)
    stream.pause()
    if (end + 1 < text.length) stream.unshift(Buffer.from(text.slice(end + 1), 'latin1'))
    const client = { address, port: Number(port) }
    server.serve(stream, { ...info, client, via: [...info.via, 'proxy'] })
  }
  stream.on('data', read)
  return owner('test-proxy')
})

const who = answering(({ client, connection, scheme }: HttpRequest) =>
  HttpResponse.json({ client, via: connection!.via, scheme, tls: connection!.tls }),
)

describe('a layer that reads before HTTP', () => {
  test('changes who the client is, and gives back the bytes that are not its own', async () => {
    await using served = await startServer({ plugins: [proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    const answer = JSON.parse((await client.response()).body.toString())
    expect(answer).toMatchObject({
      client: { address: '192.0.2.7', port: 4711 },
      via: ['proxy'],
      scheme: 'http',
    })
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('may take its time: the stream waits, byte by byte', async () => {
    await using served = await startServer({ plugins: [proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    await client.sendSplit(`FROM 192.0.2.7 4711\n${get()}`)
    expect((await client.response()).status).toBe(200)
  })

  test('sees a stream once: serve goes on with the taps behind it', async () => {
    const seen: string[] = []
    const noting = (name: string, stage: number) =>
      layer(name, stage, (_stream, { via }) => void seen.push(`${name} ${via}`))
    await using served = await startServer({
      plugins: [
        noting('last', Connect.Protocol),
        noting('middle', Connect.Filter),
        proxyLine,
        noting('first', -300),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    await client.response()
    expect(seen).toEqual(['first ', 'middle proxy', 'last proxy'])
  })

  test('several layers may claim a stream, one behind the other', async () => {
    const pass = (name: string, stage: number) =>
      layer(name, stage, (stream, info, server) => {
        setImmediate(() => server.serve(stream, { ...info, via: [...info.via, name] }))
        return owner(name)
      })
    await using served = await startServer({ plugins: [pass('two', 50), pass('one', 20), proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    expect(JSON.parse((await client.response()).body.toString()).via).toEqual(['proxy', 'one', 'two'])
  })

  test('may give on a stream of its own', async () => {
    await using served = await startServer({
      plugins: [
        layer('own-stream', Connect.Secure, (stream, info, server) => {
          const own = Duplex.from({ readable: stream, writable: stream } as never)
          setImmediate(() => server.serve(own, { ...info, via: ['own'] }))
          return owner('own-stream')
        }),
        who,
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(JSON.parse((await client.response()).body.toString()).via).toEqual(['own'])
  })

  test('that never gives the stream back is cut after handshakeTimeout, and told', async () => {
    const destroy = vi.fn()
    await using served = await startServer({
      limits: { handshakeTimeout: 100 },
      plugins: [layer('sleeper', Connect.Secure, () => ({ ...owner('sleeper'), destroy }))],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(destroy).toHaveBeenCalledTimes(1)
    expect((await served.untilReported('HANDSHAKE_TIMEOUT')).message).toContain('sleeper did not finish')
    await served.server.stop()
  })

  test('handshakeTimeout ends when the stream is given back', async () => {
    await using served = await startServer({ limits: { handshakeTimeout: 60 }, plugins: [proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    await using slow = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    await client.response()
    await slow.closed
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('who speaks another protocol keeps the stream: handshakeTimeout is for the layers before', async () => {
    await using served = await startServer({
      limits: { handshakeTimeout: 60 },
      plugins: [
        layer('other', Connect.Protocol, stream => {
          stream.on('data', (chunk: Buffer) => stream.write(`other ${chunk}`))
          return owner('other')
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    const begun = performance.now()
    while (performance.now() - begun < 150) await turns(10)
    client.send('hello')
    expect(await client.until('hello')).toBe('other hello')
  })

  test('whose client leaves meanwhile leaves nothing behind', async () => {
    await using served = await startServer({ plugins: [proxyLine] })
    const client = await RawClient.connect(served.port)
    client.send('FROM 192')
    await turns(50)
    client.reset()
    await served.server.stop()
    expect(served.reports).toEqual([])
    expect(served.server.generation.pins).toBe(0)
  })

  test('that throws when it is told is reported, and the others are told all the same', async () => {
    const drain = vi.fn()
    let count = 0
    await using served = await startServer({
      plugins: [
        layer('bad', Connect.Secure, stream => ({
          name: 'bad',
          drain() {
            drain()
            if (count++ === 0) throw new Error('no')
            stream.destroy()
          },
          destroy: () => undefined,
        })),
      ],
    })
    await using first = await RawClient.connect(served.port)
    await using second = await RawClient.connect(served.port)
    await turns(50)
    const stopped = served.server.stop()
    await second.closed
    expect(drain).toHaveBeenCalledTimes(2)
    expect(served.reports[0]).toMatchObject({ code: 'OWNER_FAILED', severity: 'error' })
    first.reset()
    await stopped
  })
})

describe('server.serve', () => {
  test('of a stream that nobody claimed is an error', async () => {
    let server!: PluginServer
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'early',
          server: given => {
            server = given
          },
        })(),
        answering(({ connection }) => {
          server.serve(new PassThrough(), connection!)
          return HttpResponse.text('x')
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
    expect(served.reports[0]!.message).toMatch(/server\.serve: connection \d+ is not claimed by a plugin/)
  })

  test('within the tap itself is an error too: return the owner first', async () => {
    await using served = await startServer({
      plugins: [
        layer('hasty', Connect.Address, (stream, info, server) => {
          server.serve(stream, info)
          return owner('hasty')
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(served.reports[0]).toMatchObject({ plugin: 'hasty', hook: 'connection' })
  })

  test('twice is an error', async () => {
    const second = Promise.withResolvers<unknown>()
    await using served = await startServer({
      plugins: [
        layer('twice', Connect.Address, (stream, info, server) => {
          setImmediate(() => {
            server.serve(stream, info)
            try {
              server.serve(stream, info)
            } catch (error) {
              second.resolve(error)
            }
          })
          return owner('twice')
        }),
        who,
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(200)
    expect(String(await second.promise)).toContain('is not claimed')
  })

  test('of a connection that is gone destroys the stream', async () => {
    const given = Promise.withResolvers<() => Duplex>()
    await using served = await startServer({
      plugins: [
        layer('late', Connect.Address, (_stream, info, server) => {
          const inner = new PassThrough()
          given.resolve(() => {
            server.serve(inner, info)
            return inner
          })
          return owner('late')
        }),
      ],
    })
    const client = await RawClient.connect(served.port)
    const serve = await given.promise
    client.reset()
    await served.server.stop()
    expect(serve().destroyed).toBe(true)
  })
})

describe('TLS as a plugin', () => {
  let certificate: { key: string; cert: string }
  beforeAll(async () => {
    certificate = await makeCertificate()
  })

  const secure = layer('test-tls', Connect.Secure, (stream, info, server) => {
    const socket = new TLSSocket(stream as Socket, { isServer: true, ...certificate })
    socket.on('error', () => undefined)
    socket.once('secure', () => {
      const tls = { protocol: socket.getProtocol()!, serverName: 'localhost' }
      server.serve(socket, { ...info, tls, via: [...info.via, 'tls'] })
    })
    return { ...owner('test-tls'), destroy: reason => void socket.destroy(reason) }
  })

  async function secured(port: number, first = ''): Promise<TLSSocket> {
    const plain = connectPlain({ port, host: '127.0.0.1' })
    await once(plain, 'connect')
    if (first !== '') plain.write(first)
    const socket = connectTls({ socket: plain, rejectUnauthorized: false, servername: 'localhost' })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return socket
  }

  async function all(socket: TLSSocket): Promise<string> {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(socket, 'close')
    return Buffer.concat(chunks).toString('latin1')
  }

  const listen = [{ port: 0, tls: true }]

  test('PROXY, then TLS, then HTTP', async () => {
    await using served = await startServer({ listen, plugins: [secure, proxyLine, who] })
    expect(served.url).toMatch(/^https:/)
    const socket = await secured(served.port, 'FROM 192.0.2.7 4711\n')
    socket.write(get() + closing)
    const text = await all(socket)
    expect(statuses(text)).toEqual([200, 200])
    expect(text).toContain(
      '"client":{"address":"192.0.2.7","port":4711},"via":["proxy","tls"],"scheme":"https"',
    )
    expect(text).toContain('"protocol":"TLSv1.3"')
  })

  test('carries long bodies both ways', async () => {
    await using served = await startServer({
      listen,
      limits: { bodyBytes: '8mb' },
      plugins: [secure, answering(async ({ body }) => HttpResponse.bytes(await body.bytes()))],
    })
    const socket = await secured(served.port)
    const body = 'x'.repeat(3_000_000)
    socket.write(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    const text = await all(socket)
    expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true)
  })

  test('a body that breaks off resets the connection below TLS', async () => {
    await using served = await startServer({
      listen,
      plugins: [
        secure,
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
    const socket = await secured(served.port)
    const failed = new Promise<NodeJS.ErrnoException>(resolve => socket.once('error', resolve))
    socket.write(get())
    expect((await failed).code).toBe('ECONNRESET')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('failed')
  })

  test('plain HTTP to it is closed by its plugin, and HTTP never hears of it', async () => {
    await using served = await startServer({
      listen,
      limits: { handshakeTimeout: 200 },
      plugins: [secure, who],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await client.closed
    expect(served.ended).toEqual([])
  })

  test('a client that never shakes hands is cut after handshakeTimeout', async () => {
    await using served = await startServer({ listen, limits: { handshakeTimeout: 100 }, plugins: [secure] })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(served.reports.map(({ code }) => code)).toEqual(['HANDSHAKE_TIMEOUT'])
  })

  test('an idle connection is drained at stop', async () => {
    await using served = await startServer({ listen, plugins: [secure, who] })
    const socket = await secured(served.port)
    socket.write(get())
    await once(socket, 'data')
    const ended = once(socket, 'close')
    await served.server.stop()
    await ended
  })

  test('a stream that no tap takes is closed, and told of, not served in the clear', async () => {
    const idle = layer('idle', Connect.Secure, () => undefined)
    await using served = await startServer({ listen, plugins: [idle, who] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(await client.rest()).toBe('')
    expect(served.reports.map(({ code }) => code)).toEqual(['TLS_MISSING'])
    expect(served.ended).toEqual([])
  })
})

describe('the number of connections', () => {
  test('maxConnections turns away one more, and takes it when another has gone', async () => {
    await using served = await startServer({ limits: { maxConnections: 2 }, plugins: [who] })
    await using first = await RawClient.connect(served.port)
    await using second = await RawClient.connect(served.port)
    second.send(get())
    await second.response()
    await using third = await RawClient.connect(served.port)
    await third.closed
    const report = await served.untilReported('CONNECTION_LIMIT')
    expect(report.message).toContain('limits.maxConnections')
    first.end()
    await first.closed
    await turns(50)
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([200])
  })

  test('connectionsPerClient counts each address for itself', async () => {
    await using served = await startServer({ limits: { connectionsPerClient: 1 }, plugins: [who] })
    await using one = await connectFrom('127.0.0.1', served.port)
    await using other = await connectFrom('127.0.0.2', served.port)
    for (const client of [one, other]) {
      client.send(get())
      expect((await client.response()).status).toBe(200)
    }
    await using more = await RawClient.connect(served.port)
    await more.closed
    expect((await served.untilReported('CONNECTION_LIMIT')).message).toContain('limits.connectionsPerClient')
  })

  test('a stream that was handed over counts too', async () => {
    await using served = await startServer({
      limits: { maxConnections: 1 },
      plugins: [
        answering(() => HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.pipe(stream))),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    await client.response({ interim: true })
    await using second = await RawClient.connect(served.port)
    await second.closed
    await served.untilReported('CONNECTION_LIMIT')
  })

  const connectFrom = (localAddress: string, port: number): Promise<RawClient> =>
    RawClient.open({ port, host: '127.0.0.1', localAddress })
})

describe('a claimed stream and generations', () => {
  test('keeps its generation until it is given back, and no longer', async () => {
    const stopped: string[] = []
    const give: (() => void)[] = []
    const claiming = (name: string) =>
      definePlugin({
        name,
        server(server) {
          server.hooks.connection.tap({ name, stage: Connect.Address }, (stream, info) => {
            give.push(() => server.serve(stream, { ...info, via: [name] }))
            return owner(name)
          })
          server.hooks.stop.tap(name, (_server, reason) => void stopped.push(`${name} ${reason}`))
        },
      })()
    await using served = await startServer({ plugins: [claiming('old'), who] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    while (give.length === 0) await turns(1)
    await served.server.reload({ listen: [{ port: 0 }], plugins: [claiming('new'), who] })
    await turns(20)
    expect(stopped).toEqual([])
    give[0]!()
    expect(JSON.parse((await client.response()).body.toString()).via).toEqual(['old'])
    await turns(20)
    expect(stopped).toEqual(['old reload'])
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })
})
