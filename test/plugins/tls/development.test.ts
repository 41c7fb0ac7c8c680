import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { who } from '../../support/layers.ts'
import { get } from '../../support/messages.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { shakeHands } from './client.ts'
import { issue } from './issue.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'rawhttp-home-'))
  vi.stubEnv('XDG_STATE_HOME', home)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true })
})

const listen = [{ port: 0, tls: true }]
const serve = (): Promise<TestServer> => startServer({ listen, plugins: [tls(), who] })
const folder = () => join(home, 'rawhttp')
const trusted = () => readFile(join(folder(), 'localhost.crt'), 'utf8')

describe('without a certificate in the config', () => {
  test('one for localhost is made, which a browser would take', async () => {
    await using served = await serve()
    const leaf = new X509Certificate(await trusted())
    expect(leaf.subjectAltName?.split(', ')).toEqual([
      'DNS:localhost',
      'IP Address:127.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
    ])
    expect(leaf.ca).toBe(false)
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(leaf.publicKey.asymmetricKeyType).toBe('ec')
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(398 * 86_400_000)
    await using client = await shakeHands(served.port, { ca: await trusted() })
    client.http.send(get())
    expect((await client.http.response()).status).toBe(200)
  })

  test('it is told where it is, once', async () => {
    await using first = await serve()
    const message = `made a certificate for localhost; to trust it, give ${join(folder(), 'localhost.crt')} to the browser or to curl --cacert`
    expect(first.reports).toMatchObject([{ code: 'TLS_DEVELOPMENT', severity: 'warning', message }])
    await using second = await serve()
    expect(second.reports).toEqual([])
  })

  test('the next start uses the same, and nobody else may read its key', async () => {
    const made: string[] = []
    for (let start = 0; start < 2; start++) {
      await using _served = await serve()
      made.push(await trusted())
    }
    expect(made[1]).toBe(made[0])
    expect((await stat(folder())).mode & 0o777).toBe(0o700)
    expect((await readdir(folder())).toSorted()).toEqual(['localhost.crt', 'localhost.pem'])
    expect((await stat(join(folder(), 'localhost.pem'))).mode & 0o777).toBe(0o600)
  })

  test.each([
    ['is near its end', async () => issue({ days: 29 })],
    ['is broken', async () => ({ cert: 'x', key: 'y' })],
  ])('a kept one that %s is made anew', async (_what, kept) => {
    const { cert, key } = await kept()
    await mkdir(folder())
    await writeFile(join(folder(), 'localhost.pem'), key + cert)
    await using served = await serve()
    await using client = await shakeHands(served.port, { ca: await trusted() })
    expect(client.tls.authorized).toBe(true)
    expect(served.reports.map(({ code }) => code)).toEqual(['TLS_DEVELOPMENT'])
  })

  test('where it cannot be kept it is used for now, also after a reload', async () => {
    // A file where the folder should be: not even root can write there.
    await writeFile(folder(), '')
    await using served = await serve()
    expect(served.reports).toMatchObject([
      {
        code: 'TLS_DEVELOPMENT',
        severity: 'warning',
        message: expect.stringContaining('will not find again: E'),
      },
    ])
    const shown = async () => {
      await using client = await shakeHands(served.port, { rejectUnauthorized: false })
      return client.tls.getPeerCertificate().fingerprint256
    }
    const before = await shown()
    await served.server.reload({ listen, plugins: [tls(), who] })
    expect(await shown()).toBe(before)
  })

  test('a check makes none', async () => {
    await createServer({ listen, plugins: [tls()] })
    expect(await readdir(home)).toEqual([])
  })

  test('an XDG_STATE_HOME that is not absolute does not count', async () => {
    vi.stubEnv('XDG_STATE_HOME', 'relative')
    vi.stubEnv('HOME', home)
    await using _served = await serve()
    expect(await readdir(join(home, '.local/state/rawhttp'))).toContain('localhost.crt')
  })
})
