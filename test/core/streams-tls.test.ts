import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { Connect, HttpResponse } from 'rawhttp'
import type { Ended } from 'rawhttp/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate } from '../support/certificate.ts'
import { layer, owner, proxyLine, who } from '../support/layers.ts'
import { get, statuses } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const closing = get('/', 'Connection: close')

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

  test('a client that takes a little now and then is not cut, though one write takes it longer than writeTimeout', async () => {
    const writeTimeout = 800
    await using served = await startServer({
      listen,
      limits: { writeTimeout },
      plugins: [secure, answering(() => HttpResponse.bytes(Buffer.alloc(24_000_000)).close())],
    })
    const socket = await secured(served.port)
    let taken = 0
    socket.on('data', (chunk: Buffer) => {
      taken += chunk.length
      if (taken < 2_000_000) return
      taken = 0
      socket.pause()
      setTimeout(() => socket.resume(), writeTimeout / 5)
    })
    const began = performance.now()
    socket.write(get())
    const [{ outcome }] = (await served.untilEnded(1)) as [Ended]
    expect(outcome.result).toBe('sent')
    expect(performance.now() - began).toBeGreaterThan(writeTimeout)
    socket.destroy()
  })

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

  test('a body that only the end delimits and that breaks off resets the connection below TLS', async () => {
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
    socket.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
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

  test('a connection says whether its listener wants it', async () => {
    const wishes: boolean[] = []
    const look = layer('look', Connect.Filter, (_stream, { wantsTls }) => void wishes.push(wantsTls))
    await using served = await startServer({
      listen,
      plugins: [secure, look, who],
    })
    await secured(served.port)
    await using plain = await startServer({ plugins: [look, who] })
    await using client = await RawClient.connect(plain.port)
    client.send(get())
    await client.response()
    expect(wishes).toEqual([true, false])
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
