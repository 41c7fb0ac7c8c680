import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { type Config, Connect, type ConnectionInfo, createServer, HttpResponse, type Plugins } from 'rawhttp'
import { proxyProtocol } from 'rawhttp/plugins/proxy-protocol'
import { tls } from 'rawhttp/plugins/tls'
import { describe, expect, test } from 'vitest'
import { layer } from '../../support/layers.ts'
import { get, statuses } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { needTool } from '../../support/tools.ts'
import { shakeHands } from '../tls/client.ts'
import { issue } from '../tls/issue.ts'
import { version2 } from './encode.ts'

const tell = answering(({ client, connection, scheme }) =>
  HttpResponse.json({ client, local: connection!.local, via: connection!.via, scheme }),
)
const from = ['loopback']
const line = 'PROXY TCP4 192.0.2.1 203.0.113.1 4711 443\r\n'
const told = {
  client: { address: '192.0.2.1', port: 4711 },
  local: { address: '203.0.113.1', port: 443 },
  via: ['proxy-protocol'],
  scheme: 'http',
}
const closing = get('/', 'Connection: close')

/** What the server says to bytes. */
async function answerTo(port: number, bytes: string | Uint8Array): Promise<unknown> {
  await using client = await RawClient.connect(port)
  client.send(bytes)
  return JSON.parse((await client.response()).body.toString())
}

const start = (options: Parameters<typeof proxyProtocol>[0], config: Config = {}) =>
  startServer({ ...config, plugins: [proxyProtocol(options), ...(config.plugins ?? []), tell] })

describe('a header', () => {
  test('says who the client is, and where it connected to', async () => {
    await using served = await start({ from })
    expect(await answerTo(served.port, line + get())).toEqual(told)
    const v2 = version2({
      from: { bytes: [192, 0, 2, 1], port: 4711 },
      to: { bytes: [203, 0, 113, 1], port: 443 },
    })
    expect(await answerTo(served.port, Buffer.concat([v2, Buffer.from(get())]))).toEqual(told)
  })

  test('may come byte by byte, and the request with it', async () => {
    await using served = await start({ from })
    await using client = await RawClient.connect(served.port)
    await client.sendSplit(line + get())
    expect(JSON.parse((await client.response()).body.toString())).toEqual(told)
  })

  test('holds for all requests of the connection, and stands there once', async () => {
    await using served = await start({ from })
    await using client = await RawClient.connect(served.port)
    client.send(line + get() + get() + line + get())
    for (const _request of [1, 2]) expect(JSON.parse((await client.response()).body.toString())).toEqual(told)
    expect((await client.response()).status).toBe(400)
  })

  test('that speaks of nobody leaves the connection as it is', async () => {
    await using served = await start({ from })
    const proxy = { client: { address: '127.0.0.1' }, via: ['proxy-protocol'] }
    expect(await answerTo(served.port, `PROXY UNKNOWN\r\n${get()}`)).toMatchObject(proxy)
    const local = version2('unspec', { command: 'LOCAL', transport: 'UNSPEC', rest: get() })
    expect(await answerTo(served.port, local)).toMatchObject(proxy)
  })

  test('is read once, also when a site asks for it as well', async () => {
    const sites = [{ name: 'a', plugins: [proxyProtocol({ from })] }]
    await using served = await start({ from }, { sites })
    expect(await answerTo(served.port, `PROXY UNKNOWN\r\n${get()}`)).toMatchObject({
      via: ['proxy-protocol'],
    })
  })

  test('comes before TLS, and TLS before HTTP', async () => {
    const issued = await issue()
    await using served = await start({ from }, { listen: [{ port: 0, tls: true }], plugins: [tls(issued)] })
    const socket = connectPlain({ port: served.port, host: '127.0.0.1' })
    await once(socket, 'connect')
    socket.write(line)
    await using client = await shakeHands(served.port, { socket, ca: issued.cert })
    client.http.send(get())
    expect(JSON.parse((await client.http.response()).body.toString())).toEqual({
      ...told,
      via: ['proxy-protocol', 'tls'],
      scheme: 'https',
    })
  })

  test('is what rules for connections go by', async () => {
    const seen: ConnectionInfo[] = []
    const filter = layer('test-filter', Connect.Filter, (stream, info) => {
      seen.push(info)
      stream.destroy()
      return { name: 'test-filter', drain: () => undefined, destroy: () => undefined }
    })
    await using served = await start({ from }, { plugins: [filter] })
    await using client = await RawClient.connect(served.port)
    client.send(line)
    await client.closed
    expect(seen.map(info => info.client)).toEqual([told.client])
  })

  test('says whose X-Forwarded-For is believed: the client, not the proxy', async () => {
    const forwarded = get('/', 'X-Forwarded-For: 6.6.6.6')
    await using served = await start({ from }, { trustedProxies: ['loopback'] })
    expect(await answerTo(served.port, line + forwarded)).toEqual(told)
    await using behind = await start({ from }, { trustedProxies: ['192.0.2.1'] })
    expect(await answerTo(behind.port, line + forwarded)).toMatchObject({ client: { address: '6.6.6.6' } })
  })

  test('comes by a Unix socket, too', async () => {
    const path = `${await tempFile('a', '')}.sock`
    const plugins: Plugins = [proxyProtocol({ from: ['unix'] }), tell]
    const server = await createServer({ listen: [{ path }], plugins })
    await server.listen()
    await using client = await RawClient.open({ path })
    client.send(line + get())
    expect(JSON.parse((await client.response()).body.toString())).toEqual(told)
    await server.stop({ deadline: 0 })
  })
})

describe('who may send one', () => {
  test('is in the list: to others it is no HTTP', async () => {
    await using served = await start({ from: ['10.0.0.0/8'] })
    await using client = await RawClient.connect(served.port)
    client.send(line + closing)
    expect(statuses(await client.rest())).toEqual([400])
    expect(await answerTo(served.port, get())).toMatchObject({ client: { address: '127.0.0.1' }, via: [] })
  })

  test('is asked on the listeners that are named', async () => {
    await using served = await start({ from, listeners: ['/run/other.sock', 1] })
    expect(await answerTo(served.port, get())).toMatchObject({ via: [] })
    const path = `${await tempFile('a', '')}.sock`
    const plugins: Plugins = [proxyProtocol({ from: ['unix'], listeners: ['./a.sock'] }), tell]
    const server = await createServer({ listen: [{ path: './a.sock' }], plugins }, { dir: dirname(path) })
    await server.listen()
    await using client = await RawClient.open({ path })
    client.send(line + get())
    expect(JSON.parse((await client.response()).body.toString())).toEqual(told)
    await server.stop({ deadline: 0 })
  })
})

describe('without a header', () => {
  const resetOf = async (bytes: string, end = false) => {
    await using served = await start({ from })
    await using client = await RawClient.connect(served.port)
    client.send(bytes)
    if (end) client.end()
    expect(await client.closed).toBe('reset')
    expect(client.received).toBe('')
    expect(served.reports.filter(({ code }) => code === 'PROXY_HEADER')).toHaveLength(1)
    return (await served.untilReported('PROXY_HEADER')).message
  }

  test('or with a malformed one the connection is reset, with one report', async () => {
    const by = /^a connection from 127\.0\.0\.1 on 127\.0\.0\.1:\d+ was reset: /
    expect(await resetOf(get())).toMatch(by)
    expect(await resetOf(get())).toMatch(/: it sent no PROXY header$/)
    expect(await resetOf('PROXY TCP4 x\r\n')).toMatch(
      /: its PROXY header is malformed: its line is not as version 1 has it$/,
    )
    expect(await resetOf('PROXY TCP4 192.0', true)).toMatch(/: it ended within its PROXY header$/)
  })

  test('it is served as it is where none is required', async () => {
    await using served = await start({ from, required: false })
    expect(await answerTo(served.port, get())).toMatchObject({ client: { address: '127.0.0.1' }, via: [] })
    expect(await answerTo(served.port, line + get())).toEqual(told)
    await using client = await RawClient.connect(served.port)
    await client.sendSplit('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    expect((await client.response()).status).toBe(200)
  })

  test('a client that says nothing is cut by handshakeTimeout, one that leaves is no news', async () => {
    await using served = await start({ from }, { limits: { handshakeTimeout: 30 } })
    await using gone = await RawClient.connect(served.port)
    gone.end()
    await gone.closed
    await using silent = await RawClient.connect(served.port)
    silent.send('PROXY TCP4')
    await silent.closed
    expect((await served.untilReported('HANDSHAKE_TIMEOUT')).message).toMatch(
      /^proxy-protocol did not finish/,
    )
    expect(served.reports.map(({ code }) => code)).toEqual(['HANDSHAKE_TIMEOUT'])
  })

  test.each(['', 'PROXY TCP4 192.0.2.1 20'])(
    'a connection that has sent %j is closed by a stop',
    async part => {
      await using served = await start({ from }, { limits: { handshakeTimeout: '5m' } })
      await using client = await RawClient.connect(served.port)
      await using other = await RawClient.connect(served.port)
      client.send(part)
      other.send(line + get())
      await other.response()
      const stopped = served.server.stop({ deadline: 300_000 })
      expect(await client.rest()).toBe('')
      other.end()
      await stopped
      expect(await client.closed).toBe('end')
      expect(served.reports).toEqual([])
    },
  )

  test('a request behind a header is named by the client that the header tells, when a stop cuts it', async () => {
    const began = Promise.withResolvers<void>()
    const never = answering(() => {
      began.resolve()
      return new Promise(() => undefined)
    }, 'never')
    await using served = await start({ from }, { plugins: [never] })
    await using client = await RawClient.connect(served.port)
    client.send(line + get('/slow'))
    await began.promise
    await served.server.stop({ deadline: 0 })
    expect(served.reports).toMatchObject([{ code: 'DRAIN_CUT', request: 'GET /slow' }])
    expect(served.reports[0]!.message).toContain('the stop cut 192.0.2.1:4711 after ')
  })
})

describe('curl --haproxy-protocol', () => {
  const run = promisify(execFile)

  test('is told apart from the proxy, in plain and through TLS', async () => {
    const curl = needTool('curl', 'curl')
    const issued = await issue()
    const ca = await tempFile('ca.pem', issued.cert)
    for (const isTls of [false, true]) {
      const plugins = isTls ? [tls(issued)] : []
      await using served = await start({ from }, { listen: [{ port: 0, tls: isTls }], plugins })
      const url = `${isTls ? 'https' : 'http'}://localhost:${served.port}/`
      const { stdout } = await run(curl, ['-sS', '--haproxy-protocol', '--cacert', ca, '-4', url], {
        timeout: 20_000,
      })
      const { client, local, via } = JSON.parse(stdout)
      expect([client.address, local]).toEqual(['127.0.0.1', { address: '127.0.0.1', port: served.port }])
      expect(via).toEqual(isTls ? ['proxy-protocol', 'tls'] : ['proxy-protocol'])
    }
  })
})
