import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Connect, HttpResponse, type Plugins } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { layer, owner, proxyLine, who } from '../../support/layers.ts'
import { get, post } from '../../support/messages.ts'
import { exchangeBytes, RawClient } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'
import { shakeHands } from './client.ts'
import { type Issued, issue } from './issue.ts'

let issued: Issued
beforeAll(async () => {
  issued = await issue()
})

const listen = [{ port: 0, tls: true }]
const secure = (...plugins: Plugins): Promise<TestServer> =>
  startServer({ listen, limits: { bodyBytes: '16mb' }, plugins: [tls(issued), ...plugins] })
const trust = () => ({ ca: issued.cert })
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a listener with tls: true', () => {
  test('speaks HTTP over TLS, and requests know what was agreed on', async () => {
    await using served = await secure(who)
    expect(served.url).toMatch(/^https:/)
    await using client = await shakeHands(served.port, { ...trust(), ALPNProtocols: ['h2', 'http/1.1'] })
    client.http.send(get())
    expect(JSON.parse((await client.http.response()).body.toString())).toMatchObject({
      scheme: 'https',
      via: ['tls'],
      tls: { protocol: 'TLSv1.3', serverName: 'localhost', alpn: 'http/1.1' },
    })
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async version => {
    await using served = await secure(who)
    await using client = await shakeHands(served.port, {
      ...trust(),
      minVersion: version,
      maxVersion: version,
    })
    expect(client.tls.getProtocol()).toBe(version)
    client.http.send(get())
    expect((await client.http.response()).status).toBe(200)
  })

  test.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async version => {
    await using served = await secure(who)
    const old = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }
    await expect(shakeHands(served.port, { ...trust(), ...old })).rejects.toThrow(/protocol version/)
    expect((await served.untilReported('TLS_HANDSHAKE')).message).toMatch(/unsupported protocol/)
  })

  test.each([
    ['without forward secrecy', 'AES128-GCM-SHA256'],
    ['without authenticated encryption', 'ECDHE-ECDSA-AES128-SHA256'],
  ])('refuses a cipher %s', async (_what, ciphers) => {
    await using served = await secure(who)
    const weak = { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` } as const
    await expect(shakeHands(served.port, { ...trust(), ...weak })).rejects.toThrow(/handshake failure/)
  })

  test('gives a client that has no hardware for AES the cipher that it puts first', async () => {
    await using served = await secure(who)
    const ciphers = (...names: string[]) => ({
      ...trust(),
      maxVersion: 'TLSv1.2' as const,
      ciphers: names.join(':'),
    })
    const [aes, chacha] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305']
    await using slow = await shakeHands(served.port, ciphers(chacha, aes))
    await using strong = await shakeHands(served.port, ciphers('ECDHE-ECDSA-AES256-GCM-SHA384', aes))
    expect(slow.tls.getCipher().name).toBe(chacha)
    expect(strong.tls.getCipher().name).toBe(aes)
  })

  test('refuses a client that speaks other protocols only', async () => {
    await using served = await secure(who)
    const other = shakeHands(served.port, { ...trust(), ALPNProtocols: ['h2', 'smtp'] })
    await expect(other).rejects.toThrow(/no application protocol/)
  })

  test('leaves plain listeners alone', async () => {
    await using served = await startServer({ plugins: [tls(issued), who] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(JSON.parse((await client.response()).body.toString())).toMatchObject({ scheme: 'http', via: [] })
  })

  test('gives a plain HTTP request a readable 400', async () => {
    await using served = await secure(who)
    const answer = await exchangeBytes(served.port, get())
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n.*connection: close\r\n\r\nThis port speaks HTTPS/s,
    )
    expect((await served.untilReported('TLS_HANDSHAKE')).message).toContain('it sent plain HTTP')
    expect(served.ended).toEqual([])
  })

  test('gives the 400 also to who sends on and on, and hangs up', async () => {
    await using served = await secure(who)
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'x'.repeat(3_000_000)))
    await client.until('This port speaks HTTPS')
    // All of it is taken, and dropped: else the answer might be wiped out by a reset.
    const taken = once(client.socket, 'finish')
    client.end()
    await taken
    expect(await client.closed).toBe('end')
  })

  test('answers bytes that are no TLS with an alert, and tells of them', async () => {
    await using served = await secure(who)
    await using client = await RawClient.connect(served.port)
    client.send(new Uint8Array([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80]))
    // A fatal alert: protocol_version.
    expect(Buffer.from(await client.rest(), 'latin1')).toEqual(Buffer.from([21, 3, 1, 0, 2, 2, 70]))
    const { message, severity } = await served.untilReported('TLS_HANDSHAKE')
    expect(severity).toBe('info')
    expect(message).toMatch(/^no TLS with 127\.0\.0\.1 on 127\.0\.0\.1:\d+: it sent something else$/)
  })

  test('cuts a client that says nothing after limits.handshakeTimeout', async () => {
    await using served = await startServer({
      listen,
      limits: { handshakeTimeout: 100 },
      plugins: [tls(issued)],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(served.reports.map(({ code }) => code)).toEqual(['HANDSHAKE_TIMEOUT'])
  })

  test('does not mind who comes and goes without a word', async () => {
    await using served = await secure(who)
    await using client = await RawClient.connect(served.port)
    client.end()
    expect(await client.closed).toBe('end')
    expect(served.reports).toEqual([])
  })
})

describe('HTTP over TLS behaves as over TCP', () => {
  test('many requests on one connection, also at once', async () => {
    await using served = await secure(answering(({ path }) => HttpResponse.text(path)))
    await using client = await shakeHands(served.port, trust())
    const paths = Array.from({ length: 200 }, (_, at) => `/${at}`)
    client.http.send(paths.map(path => get(path)).join(''))
    for (const path of paths) expect((await client.http.response()).body.toString()).toBe(path)
  })

  test('a client that ended its side gets its answer, and then the end', async () => {
    await using served = await secure(
      answering(async () => {
        await turns(20)
        return HttpResponse.text('late')
      }),
    )
    await using client = await shakeHands(served.port, trust())
    client.http.send(get())
    client.http.end()
    expect((await client.http.response()).body.toString()).toBe('late')
    expect(await client.http.closed).toBe('end')
  })

  test('long bodies go both ways', async () => {
    await using served = await secure(answering(async ({ body }) => HttpResponse.bytes(await body.bytes())))
    await using client = await shakeHands(served.port, trust())
    const sent = randomBytes(4_000_000)
    client.http.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${sent.length}\r\n\r\n`)
    client.http.send(sent)
    expect(hash((await client.http.response()).body)).toBe(hash(sent))
  })

  test('a client that does not read holds the body up', async () => {
    let made = 0
    const pieces = async function* () {
      for (; made < 1_000; made++) yield Buffer.alloc(65_536, made)
    }
    await using served = await secure(answering(() => HttpResponse.stream(pieces())))
    await using client = await shakeHands(served.port, trust())
    client.tls.pause()
    client.http.send(get())
    let before = -1
    while (before !== made || made === 0) {
      before = made
      await turns(200)
    }
    expect(made).toBeLessThan(300)
    client.tls.resume()
    expect((await client.http.response()).body.length).toBe(65_536_000)
  })

  test('a body that breaks off and that only the end delimits resets the connection', async () => {
    const broken = async function* () {
      yield 'part'
      await turns(3)
      throw new Error('the disk is gone')
    }
    await using served = await secure(answering(() => HttpResponse.stream(broken())))
    await using client = await shakeHands(served.port, trust())
    client.http.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    expect(await client.http.closed).toBe('reset')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('failed')
  })

  test('the server closes with a close_notify', async () => {
    await using served = await secure(who)
    await using client = await shakeHands(served.port, trust())
    // OpenSSL would call an end without one an error.
    client.http.send(get('/', 'Connection: close'))
    expect((await client.http.response()).status).toBe(200)
    expect(await client.http.closed).toBe('end')
  })

  test('an upgrade gets the secured stream', async () => {
    await using served = await secure(
      answering(() =>
        HttpResponse.upgrade({ protocol: 'echo' }, (stream: Duplex) => void stream.pipe(stream)),
      ),
    )
    await using client = await shakeHands(served.port, trust())
    client.http.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    expect((await client.http.response()).status).toBe(101)
    client.http.send('hello')
    await client.http.until('hello')
  })

  test('a record that was tampered with ends the connection, and its request', async () => {
    const arrived = Promise.withResolvers<void>()
    await using served = await secure(
      answering(({ signal }) => {
        arrived.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }),
    )
    const raw = connect({ port: served.port, host: '127.0.0.1' })
    const socket = connectTls({ socket: raw, servername: 'localhost', ...trust() })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    socket.write(get())
    await arrived.promise
    raw.write(new Uint8Array([23, 3, 3, 0, 32, ...new Uint8Array(32)]))
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
    raw.destroy()
  })
})

describe('what lies below TLS', () => {
  test('may be a layer that read the first bytes', async () => {
    await using served = await secure(proxyLine, who)
    const raw = connect({ port: served.port, host: '127.0.0.1' })
    raw.write('FROM 192.0.2.7 4711\n')
    await using client = await shakeHands(served.port, { ...trust(), socket: raw })
    client.http.send(get())
    expect(JSON.parse((await client.http.response()).body.toString())).toMatchObject({
      client: { address: '192.0.2.7', port: 4711 },
      via: ['proxy', 'tls'],
    })
  })

  test('may be any stream, and the rules of its end hold', async () => {
    const wrapped = layer('wrap', Connect.Address, (stream, info, server) => {
      const [inner, outer] = duplexPair()
      stream.pipe(outer).pipe(stream)
      // A tap that answers claims; only then may it give the stream on.
      queueMicrotask(() => server.serve(inner, { ...info, via: ['wrap'] }))
      return owner('wrap')
    })
    await using served = await secure(wrapped, who)
    await using client = await shakeHands(served.port, trust())
    client.http.send(get() + get('/', 'Connection: close'))
    expect(JSON.parse((await client.http.response()).body.toString()).via).toEqual(['wrap', 'tls'])
    expect((await client.http.response()).status).toBe(200)
    expect(await client.http.closed).toBe('end')
  })
})

describe('a reload', () => {
  test('leaves connections open, also to another certificate', async () => {
    await using served = await secure(answering(() => HttpResponse.text('old')))
    await using client = await shakeHands(served.port, trust())
    client.http.send(get())
    expect((await client.http.response()).body.toString()).toBe('old')
    const next = await issue({ names: ['next.localhost'] })
    const plugins = [tls(next), answering(() => HttpResponse.text('new'))]
    await served.server.reload({ listen, plugins })
    client.http.send(get())
    expect((await client.http.response()).body.toString()).toBe('new')
    await using later = await shakeHands(served.port, { ca: next.cert, servername: 'next.localhost' })
    later.http.send(get())
    expect((await later.http.response()).body.toString()).toBe('new')
  })
})
