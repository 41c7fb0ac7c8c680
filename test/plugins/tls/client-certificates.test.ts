import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { HttpResponse } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { shakeHands, type TlsClient } from './client.ts'
import { type Issued, issue } from './issue.ts'

let issued: Issued
let authority: Issued
let ann: Issued
let stranger: Issued
beforeAll(async () => {
  issued = await issue()
  authority = await issue({ names: ['authority'], isAuthority: true })
  ann = await issue({ names: ['ann'], by: authority })
  stranger = await issue({ names: ['stranger'] })
})

const listen = [{ port: 0, tls: true }]
const name = answering(({ connection }) =>
  HttpResponse.text(String(connection?.tls?.peerCertificate?.subject.CN ?? 'nobody')),
)
const plugins = (required = true) => [
  tls({ ...issued, clientCertificates: { ca: authority.cert, required } }),
  name,
]
const serve = (required = true): Promise<TestServer> => startServer({ listen, plugins: plugins(required) })

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const by = (version: (typeof versions)[number], who?: Issued): ConnectionOptions => ({
  ca: issued.cert,
  minVersion: version,
  maxVersion: version,
  ...who,
})

async function ask(client: TlsClient): Promise<string> {
  client.http.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const { status, body } = await client.http.response()
  return `${status} ${body}`
}

describe.each(versions)('client certificates, by %s', version => {
  test('are on the request', async () => {
    await using served = await serve()
    await using client = await shakeHands(served.port, by(version, ann))
    expect(await ask(client)).toBe('200 ann')
  })

  test('are on the request when the session is resumed', async () => {
    await using served = await serve()
    await using client = await shakeHands(served.port, by(version, ann))
    await ask(client)
    const session = await client.session
    await using again = await shakeHands(served.port, { ...by(version, ann), session })
    expect(again.tls.isSessionReused()).toBe(true)
    expect(await ask(again)).toBe('200 ann')
  })

  test('are required: without one there is an alert', async () => {
    await using served = await serve()
    const alert = (async () => {
      // By TLS 1.3 the client is done before the server has seen its certificate.
      await using client = await shakeHands(served.port, by(version))
      await once(client.tls, 'error').then(([error]) => Promise.reject(error))
    })()
    await expect(alert).rejects.toThrow(/certificate required|handshake failure/)
    expect((await served.untilReported('TLS_HANDSHAKE')).message).toContain(
      'peer did not return a certificate',
    )
    expect(served.ended).toEqual([])
  })

  test('may be left out if they are not required', async () => {
    await using served = await serve(false)
    await using client = await shakeHands(served.port, by(version))
    expect(await ask(client)).toBe('200 nobody')
  })

  test.each([true, false])(
    'of others are refused readably, and no site is asked (required: %s)',
    async required => {
      await using served = await serve(required)
      await using client = await shakeHands(served.port, by(version, stranger))
      expect(await ask(client)).toMatch(/^400 The certificate of the client is not accepted: .*self-signed/)
      const { message, severity } = await served.untilReported('TLS_CLIENT_CERTIFICATE')
      expect([severity, message]).toEqual([
        'info',
        expect.stringContaining('its certificate is not accepted'),
      ])
      expect(served.ended).toEqual([])
    },
  )

  test('that have expired are refused', async () => {
    await using served = await serve()
    const late = await issue({ names: ['late'], by: authority, days: -1 })
    await using client = await shakeHands(served.port, by(version, late))
    expect(await ask(client)).toMatch(/^400 .*expired/)
  })

  test('are asked for although a session of the time before could be resumed', async () => {
    await using served = await startServer({ listen, plugins: [tls(issued), name] })
    await using client = await shakeHands(served.port, by(version))
    expect(await ask(client)).toBe('200 nobody')
    const session = await client.session
    await served.server.reload({ listen, plugins: plugins() })
    const refused = (async () => {
      await using back = await shakeHands(served.port, { ...by(version), session })
      return await ask(back)
    })()
    await expect(refused).rejects.toThrow()
  })
})

describe('the issuers of client certificates', () => {
  test('may be several', async () => {
    const other = await issue({ names: ['other'], isAuthority: true })
    const bob = await issue({ names: ['bob'], by: other })
    const ca = [authority.cert, other.cert]
    await using served = await startServer({
      listen,
      plugins: [tls({ ...issued, clientCertificates: { ca } }), name],
    })
    for (const [who, expected] of [
      [ann, '200 ann'],
      [bob, '200 bob'],
    ] as const) {
      await using client = await shakeHands(served.port, by('TLSv1.3', who))
      expect(await ask(client)).toBe(expected)
    }
  })

  test('are swapped when their file changes, and sessions of the old ones end', async () => {
    const ca = await tempFile('ca.pem', authority.cert)
    await using served = await startServer({
      listen,
      plugins: [tls({ ...issued, clientCertificates: { ca }, watch: '20ms' }), name],
    })
    await using client = await shakeHands(served.port, by('TLSv1.3', ann))
    expect(await ask(client)).toBe('200 ann')
    const session = await client.session
    await writeFile(ca, (await issue({ names: ['other'], isAuthority: true })).cert)
    await served.untilReported('TLS_SWAPPED')
    await using again = await shakeHands(served.port, { ...by('TLSv1.3', ann), session })
    expect(again.tls.isSessionReused()).toBe(false)
    expect(await ask(again)).toMatch(/^400 /)
  })
})

test('with required certificates a request may not name another host than the connection', async () => {
  await using served = await serve()
  await using client = await shakeHands(served.port, by('TLSv1.3', ann))
  client.http.send('GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect((await client.http.response()).status).toBe(421)
  expect((await client.http.response()).status).toBe(200)
})
