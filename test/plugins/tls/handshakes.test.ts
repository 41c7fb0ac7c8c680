import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { HttpResponse } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { shakeHands } from './client.ts'
import { type Issued, issue } from './issue.ts'

let issued: Issued
beforeAll(async () => {
  issued = await issue()
})

const listen = [{ port: 0, tls: true }]
const hello = answering(() => HttpResponse.text('hello'))
const serve = (options: object = {}, limits: object = {}): Promise<TestServer> =>
  startServer({ listen, limits, plugins: [tls({ ...issued, ...options }), hello] })
const trust = () => ({ ca: issued.cert, servername: 'localhost' })

/** What a client says first, and the way to go on with it once the server has been told. */
async function speaker(): Promise<{ tls: TLSSocket; first: Buffer; go: (socket: Socket) => void }> {
  const [inner, outer] = duplexPair()
  const client = connectTls({ socket: inner, ...trust() })
  client.on('error', () => undefined)
  const [first] = (await once(outer, 'data')) as [Buffer]
  return { tls: client, first, go: socket => void outer.pipe(socket).pipe(outer) }
}

/** The same bytes, each four in a record of their own. */
function inRecords(first: Buffer): Buffer {
  const records: Buffer[] = []
  for (let at = 5; at < first.length; at += 4) {
    const part = first.subarray(at, at + 4)
    records.push(Buffer.from([22, 3, 1, 0, part.length]), part)
  }
  return Buffer.concat(records)
}

describe('a hello', () => {
  test.each([
    ['in two hundred pieces', (first: Buffer) => first],
    ['in pieces, and hundreds of records', inRecords],
  ])('may come %s', async (_what, form) => {
    await using served = await serve()
    const { tls: client, first, go } = await speaker()
    const bytes = form(first)
    const raw = await RawClient.connect(served.port)
    await raw.sendSplit(bytes, Math.ceil(bytes.length / 200))
    go(raw.socket)
    await once(client, 'secureConnect')
    const http = RawClient.over(client)
    http.send(get())
    expect((await http.response()).body.toString()).toBe('hello')
    raw.socket.destroy()
  })

  test('that is broken off is no fault of ours', async () => {
    await using served = await serve()
    const { first } = await speaker()
    await using raw = await RawClient.connect(served.port)
    raw.send(first)
    raw.end()
    await raw.closed
    expect((await served.untilReported('TLS_HANDSHAKE')).message).toContain('it left in the middle')
  })

  test('with nonsense in it gets an alert, and shows escaped in the report', async () => {
    await using served = await serve()
    const { first } = await speaker()
    await using raw = await RawClient.connect(served.port)
    raw.send(first.fill(0x1b, 60))
    expect((await raw.rest()).charCodeAt(0)).toBe(21)
    expect((await served.untilReported('TLS_HANDSHAKE')).message).toMatch(/^[\x20-\x7e]+$/)
  })
})

describe('renegotiation', () => {
  test('is refused, and the connection goes on', async () => {
    await using served = await serve()
    await using client = await shakeHands(served.port, { ...trust(), maxVersion: 'TLSv1.2' })
    const refused = new Promise<Error>(resolve => {
      client.tls.once('error', resolve)
      client.tls.renegotiate({}, error => resolve(error ?? new Error('it was taken')))
    })
    expect((await refused).message).toMatch(/no.renegotiation/i)
    await using other = await shakeHands(served.port, trust())
    other.http.send(get())
    expect((await other.http.response()).status).toBe(200)
  })
})

describe('sessions', () => {
  /** The session of a connection that has answered a request. */
  async function session(port: number, options: ConnectionOptions): Promise<Buffer> {
    await using client = await shakeHands(port, options)
    client.http.send(get())
    await client.http.response()
    return await client.session
  }

  async function isReused(port: number, options: ConnectionOptions): Promise<boolean> {
    await using client = await shakeHands(port, options)
    client.http.send(get())
    expect((await client.http.response()).status).toBe(200)
    return client.tls.isSessionReused()
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('are resumed, by %s', async version => {
    await using served = await serve()
    const options = { ...trust(), minVersion: version, maxVersion: version }
    const ticket = await session(served.port, options)
    expect(await isReused(served.port, { ...options, session: ticket })).toBe(true)
  })

  test('are resumed after a reload', async () => {
    await using served = await serve()
    const ticket = await session(served.port, trust())
    await served.server.reload({ listen, plugins: [tls(issued), hello] })
    expect(await isReused(served.port, { ...trust(), session: ticket })).toBe(true)
  })

  test('are not resumed once their keys are gone', async () => {
    await using served = await serve({ ticketRotation: 40, watch: false })
    const ticket = await session(served.port, trust())
    while (await isReused(served.port, { ...trust(), session: ticket })) {
      // The next rotation comes.
    }
  })

  test('of one server are unknown to another', async () => {
    await using served = await serve()
    await using other = await serve()
    const ticket = await session(served.port, trust())
    expect(await isReused(other.port, { ...trust(), session: ticket })).toBe(false)
  })
})

describe('very many handshakes', () => {
  const open = async (port: number): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  test('2,000 clients that stop in the middle of their hello hold no place', async () => {
    await using served = await serve({ maxHandshakes: 1 })
    const { first } = await speaker()
    const stalled = await Promise.all(Array.from({ length: 2_000 }, () => open(served.port)))
    for (const socket of stalled) socket.write(first.subarray(0, 100))
    // With a single place, one of them in it would keep everybody else out.
    await using client = await shakeHands(served.port, trust())
    client.http.send(get())
    expect((await client.http.response()).body.toString()).toBe('hello')
    for (const socket of stalled) socket.destroy()
  })

  test('clients that say hello and fall silent give way to others', async () => {
    await using served = await serve({ maxHandshakes: 4 })
    const silent = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { first } = await speaker()
        const socket = await open(served.port)
        socket.write(first)
        return socket
      }),
    )
    await Promise.all(silent.slice(0, 4).map(socket => once(socket, 'data')))
    await using client = await shakeHands(served.port, trust())
    client.http.send(get())
    expect((await client.http.response()).body.toString()).toBe('hello')
    const told = served.reports.filter(({ message }) => message.includes('while others waited'))
    // The newest goes first: no more than those who held the places had to go before it.
    expect(told.length).toBeGreaterThan(0)
    expect(told.length).toBeLessThanOrEqual(4)
    for (const socket of silent) socket.destroy()
  })

  test('that are honest are all made, a few at a time', async () => {
    await using served = await serve({ maxHandshakes: 8 })
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        await using client = await shakeHands(served.port, trust())
        client.http.send(get())
        return (await client.http.response()).status
      }),
    )
    expect(new Set(answers)).toEqual(new Set([200]))
    expect(served.reports).toEqual([])
  })

  test('that wait are ended by a stop', async () => {
    await using served = await serve({ maxHandshakes: 1 })
    const { first } = await speaker()
    const sockets = await Promise.all([open(served.port), open(served.port)])
    for (const socket of sockets) socket.write(first)
    await once(sockets[0]!, 'data')
    const closed = sockets.map(socket => new Promise(resolve => socket.resume().once('close', resolve)))
    await served.server.stop({ deadline: 0 })
    await Promise.all(closed)
  })
})
