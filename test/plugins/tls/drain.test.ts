import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { HttpResponse, type Plugins } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Gates } from '../../support/gates.ts'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { steady, turns } from '../../support/turns.ts'
import { shakeHands, type TlsClient } from './client.ts'
import { type Issued, issue } from './issue.ts'

// What a client sees of a stop, by how far its connection is. Neither the deadline of the stop nor that of handshakes is
// ever reached, so each stop ends because nothing is left.
const AMPLE = { deadline: 1_000_000 }

let issued: Issued
/** The first bytes of a client of TLS, which is then silent. */
let hello: Buffer
beforeAll(async () => {
  issued = await issue()
  const [inner, outer] = duplexPair()
  connectTls({ socket: inner, servername: 'localhost' }).on('error', () => undefined)
  ;[hello] = (await once(outer, 'data')) as [Buffer]
})

async function started(options: object, ...plugins: Plugins): Promise<TestServer> {
  const served = await startServer({
    listen: [{ port: 0, tls: true }],
    limits: { handshakeTimeout: '10m' },
    plugins: [tls({ ...issued, ...options }), ...plugins],
  })
  onTestFinished(() => served[Symbol.asyncDispose]())
  return served
}

/** A client that has sent some bytes, which have come. */
async function sending(served: TestServer, bytes: Uint8Array): Promise<RawClient> {
  const { received, accepted } = served.server.stats
  const client = await RawClient.connect(served.port)
  onTestFinished(() => client[Symbol.asyncDispose]())
  client.send(bytes)
  while (served.server.stats.accepted === accepted) await turns(1)
  while (served.server.stats.received < received + bytes.length) await turns(1)
  return client
}

async function shaken(served: TestServer): Promise<TlsClient> {
  const client = await shakeHands(served.port, { ca: issued.cert })
  onTestFinished(() => client[Symbol.asyncDispose]())
  return client
}

/** Waits for the end of the connection as TLS tells it, answers it, and waits for the stop. */
async function politely(served: TestServer, { http }: TlsClient, stopped: Promise<void>): Promise<void> {
  expect(await http.closed).toBe('end')
  http.end()
  await stopped
  expect(served.reports).toEqual([])
}

describe('a stop ends a handshake at once', () => {
  test.each([
    ['that has not begun', () => Buffer.alloc(0)],
    ['whose hello has come in part', () => hello.subarray(0, 100)],
  ])('%s', async (_, bytes) => {
    const served = await started({})
    const client = await sending(served, bytes())
    await served.server.stop(AMPLE)
    expect(await client.rest()).toBe('')
    expect(await client.closed).toBe('end')
    expect(served.reports).toEqual([])
  })

  test('whose client is silent behind the answer to its hello', async () => {
    const served = await started({})
    const client = await sending(served, hello)
    await client.bytes(1)
    await served.server.stop(AMPLE)
    expect(await client.closed).toBe('end')
    expect(served.reports).toEqual([])
  })

  test('that waits for its turn', async () => {
    const served = await started({ maxHandshakes: 1 })
    const first = await sending(served, hello)
    await first.bytes(1)
    const second = await sending(served, hello)
    await served.server.stop(AMPLE)
    expect(await Promise.all([first.closed, second.closed])).toEqual(['end', 'end'])
    expect(served.reports).toEqual([])
  })
})

describe('a stop ends a connection over TLS', () => {
  const path = answering(({ path: asked }) => HttpResponse.text(asked))

  test('without a request at once, by the word of TLS', async () => {
    const served = await started({}, path)
    const client = await shaken(served)
    while (served.server.stats.connections === 0) await turns(1)
    const stopped = served.server.stop(AMPLE)
    expect(await client.http.rest()).toBe('')
    await politely(served, client, stopped)
  })

  test('that is kept alive at once, behind the answers before', async () => {
    const served = await started({}, path)
    const client = await shaken(served)
    client.http.send(get('/before'))
    expect((await client.http.response()).body.toString()).toBe('/before')
    const stopped = served.server.stop(AMPLE)
    await politely(served, client, stopped)
  })

  test('behind the answer to the request that is at work', async () => {
    const gates = new Gates()
    const served = await started({}, answering(gates.answer))
    const client = await shaken(served)
    client.http.send(get('/slow'))
    await gates.until(1)
    const stopped = served.server.stop(AMPLE)
    gates.open('/slow')
    const response = await client.http.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['/slow', 'close'])
    await politely(served, client, stopped)
  })

  test('behind an answer for which its client takes its time', async () => {
    const body = Buffer.alloc(8_000_000, 'x')
    const served = await started(
      {},
      answering(() => HttpResponse.bytes(body)),
    )
    const client = await shaken(served)
    client.tls.pause()
    client.http.send(get())
    await steady(() => served.server.stats.sent)
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    expect(served.ended).toEqual([])
    client.tls.resume()
    expect((await client.http.response()).body.equals(body)).toBe(true)
    await politely(served, client, stopped)
  })

  test('whose request is still at work when it is forced, and names it', async () => {
    const gates = new Gates()
    const served = await started({}, answering(gates.answer))
    const client = await shaken(served)
    client.http.send(get('/slow'))
    await gates.until(1)
    const stopped = served.server.stop(AMPLE)
    await served.server.stop({ deadline: 0 })
    await stopped
    await client.http.closed
    expect(served.reports).toMatchObject([{ code: 'DRAIN_CUT', request: 'GET /slow', site: 'default' }])
    expect(served.reports[0]!.message).toContain(` 127.0.0.1:${client.tls.localPort} after `)
  })
})
