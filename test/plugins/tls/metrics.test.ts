import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { metrics } from 'rawhttp/plugins/metrics'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, expect, test } from 'vitest'
import { get } from '../../support/messages.ts'
import { exchangeBytes, RawClient } from '../../support/raw-client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { linesOf } from '../metrics/exposition.ts'
import { shakeHands } from './client.ts'
import { type Issued, issue } from './issue.ts'

let issued: Issued
beforeAll(async () => {
  issued = await issue({ names: ['one.test', 'two.test'], days: 10 })
})

const listen = [{ port: 0, tls: true }]
const plugins = (options: object = {}) => [tls({ ...issued, ...options }), metrics({ process: false })]
const trusting = { rejectUnauthorized: false }

async function figures({ server }: TestServer): Promise<ReadonlyMap<string, number>> {
  return linesOf((await server.inject('/metrics')).text())
}

const done = (protocol: string, resumed: boolean) =>
  `rawhttp_tls_handshakes_total{protocol="${protocol}",resumed="${resumed}"}`
const failed = (reason: string) => `rawhttp_tls_handshake_failures_total{reason="${reason}"}`

/** The server has finished its part of the handshake for sure once it has answered. */
async function visit(port: number): Promise<void> {
  await using client = await shakeHands(port, trusting)
  client.http.send(get())
  await client.http.response()
}

test('handshakes are counted by version, and by whether a session was resumed', async () => {
  await using served = await startServer({ listen, plugins: plugins() })
  await using first = await shakeHands(served.port, trusting)
  first.http.send(get())
  await first.http.response()
  await using again = await shakeHands(served.port, { ...trusting, session: await first.session })
  expect(again.tls.isSessionReused()).toBe(true)
  again.http.send(get())
  await again.http.response()
  await using older = await shakeHands(served.port, { ...trusting, maxVersion: 'TLSv1.2' })
  older.http.send(get())
  await older.http.response()
  const lines = await figures(served)
  expect(
    [done('TLSv1.3', false), done('TLSv1.3', true), done('TLSv1.2', false)].map(name => lines.get(name)),
  ).toEqual([1, 1, 1])
  expect(lines.get(failed('handshake'))).toBe(0)
})

test('what came to nothing is counted by its reason, once', async () => {
  await using served = await startServer({ listen, plugins: plugins() })
  await exchangeBytes(served.port, get())
  await shakeHands(served.port, {
    ...trusting,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'ALL@SECLEVEL=0',
  }).catch(() => undefined)
  await served.untilReported('TLS_HANDSHAKE')
  await using silent = await RawClient.connect(served.port)
  silent.end()
  await silent.closed
  while ((await figures(served)).get(failed('handshake')) === 0) await new Promise(setImmediate)
  const lines = await figures(served)
  const reasons = ['not_tls', 'handshake', 'left', 'given_up', 'client_certificate']
  expect(reasons.map(reason => lines.get(failed(reason)))).toEqual([1, 1, 0, 0, 0])
})

/** What a client says first. */
async function helloBytes(): Promise<Buffer> {
  const [inner, outer] = duplexPair()
  const client = connectTls({ socket: inner, ...trusting, servername: 'one.test' })
  client.on('error', () => undefined)
  const [hello] = (await once(outer, 'data')) as [Buffer]
  return hello
}

test('a client that leaves in the middle, or is cut there, is counted', async () => {
  await using served = await startServer({ listen, plugins: plugins(), limits: { handshakeTimeout: 100 } })
  const hello = await helloBytes()
  await using leaving = await RawClient.connect(served.port)
  leaving.send(hello)
  leaving.end()
  await leaving.closed
  await using hanging = await RawClient.connect(served.port)
  hanging.send(hello)
  await hanging.closed
  const lines = await figures(served)
  expect([failed('left'), failed('given_up')].map(name => lines.get(name))).toEqual([1, 1])
})

test('a client certificate that is not accepted is counted', async () => {
  const clientCertificates = { ca: (await issue({ isAuthority: true })).cert, required: false }
  await using served = await startServer({ listen, plugins: plugins({ clientCertificates }) })
  const stranger = await issue()
  await using client = await shakeHands(served.port, { ...trusting, ...stranger })
  await client.http.rest()
  expect((await figures(served)).get(failed('client_certificate'))).toBe(1)
})

test('counts go on after a reload, and the end of each certificate is told', async () => {
  await using served = await startServer({ listen, plugins: plugins() })
  await visit(served.port)
  await served.server.reload({ listen, plugins: plugins() })
  await visit(served.port)
  const lines = await figures(served)
  expect(lines.get(done('TLSv1.3', false))).toBe(2)
  const ends = lines.get('rawhttp_tls_certificate_expiry_timestamp_seconds{certificate="1",name="one.test"}')!
  expect(Math.abs(ends - Date.now() / 1_000 - 10 * 86_400)).toBeLessThan(86_400)
})
