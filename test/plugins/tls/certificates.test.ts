import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createServer } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { who } from '../../support/layers.ts'
import { get } from '../../support/messages.ts'
import { startServer } from '../../support/server.ts'
import { needTool } from '../../support/tools.ts'
import { namesShown, shakeHands } from './client.ts'
import { type Issued, issue } from './issue.ts'

type Options = NonNullable<Parameters<typeof tls>[0]>

let one: Issued
let other: Issued
let folder: string

beforeAll(async () => {
  one = await issue({ names: ['one.test'] })
  other = await issue({ names: ['other.test'] })
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rawhttp-tls-'))
})
afterEach(() => rm(folder, { recursive: true }))

const listen = [{ port: 0, tls: true }]
const serve = (options: Options) => startServer({ listen, plugins: [tls(options), who] })

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

/** The names of the certificate that a client gets who asks for a name, or for none. */
async function shownFor(port: number, servername: string): Promise<string> {
  await using client = await shakeHands(port, { servername, rejectUnauthorized: false })
  return namesShown(client.tls)
}

describe('a certificate', () => {
  test('may be PEM in the config, bytes, a path or a file: URL', async () => {
    const [cert, key] = [await file('cert.pem', one.cert), await file('key.pem', one.key)]
    const forms: Options[] = [
      one,
      { cert: Buffer.from(one.cert), key: new TextEncoder().encode(one.key) },
      { cert, key },
      { cert: pathToFileURL(cert), key: pathToFileURL(key).href },
    ]
    for (const form of forms) {
      await using served = await serve(form)
      expect(await shownFor(served.port, 'one.test')).toBe('DNS:one.test')
    }
  })

  test('counts a relative path from the folder of the config', async () => {
    await file('cert.pem', one.cert)
    await file('key.pem', one.key)
    const plugins = [tls({ cert: './cert.pem', key: 'key.pem' })]
    await using server = await stopped(createServer({ listen, plugins }, { dir: folder }))
    const [address] = await server.listen()
    expect(await shownFor(Number(new URL(address!.url).port), 'one.test')).toBe('DNS:one.test')
  })

  test('may share a file with its key', async () => {
    const both = await file('both.pem', `${one.key}${one.cert}`)
    await using served = await serve({ cert: both, key: both })
    expect(await shownFor(served.port, 'one.test')).toBe('DNS:one.test')
  })

  test('comes with its chain', async () => {
    const root = await issue({ names: ['root'], isAuthority: true })
    const middle = await issue({ names: ['middle'], isAuthority: true, by: root })
    const leaf = await issue({ names: ['one.test'], by: middle })
    await using served = await serve({ cert: leaf.cert + middle.cert, key: leaf.key })
    await using client = await shakeHands(served.port, { servername: 'one.test', ca: root.cert })
    expect(client.tls.authorized).toBe(true)
    expect(served.reports).toEqual([])
  })

  test.each(['ec', 'rsa'] as const)('may have an encrypted key (%s)', async keyType => {
    const passphrase = 'open sesame'
    const locked = await issue({ names: ['one.test'], passphrase, keyType })
    expect(locked.key).toContain('ENCRYPTED')
    await using served = await serve({ ...locked, passphrase })
    expect(await shownFor(served.port, 'one.test')).toBe('DNS:one.test')
  })

  test('may have a key in the forms of old', async () => {
    const openssl = needTool('openssl', 'openssl')
    const { key } = await issue({ keyType: 'rsa' })
    const { cert: _cert, key: ec } = one
    const sec1 = execFileSync(openssl, ['ec', '-aes256', '-passout', 'pass:abc'], {
      input: ec,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const pkcs1 = execFileSync(openssl, ['rsa', '-traditional'], {
      input: key,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    expect(sec1.toString()).toContain('BEGIN EC PRIVATE KEY')
    expect(pkcs1.toString()).toContain('BEGIN RSA PRIVATE KEY')
    await using served = await serve({ cert: one.cert, key: sec1, passphrase: 'abc' })
    expect(await shownFor(served.port, 'one.test')).toBe('DNS:one.test')
  })
})

describe('several certificates', () => {
  test('are chosen by exact name, then by wildcard, else the first', async () => {
    const first = await issue({ names: ['first.test'] })
    const wild = await issue({ names: ['*.one.test'] })
    const exact = await issue({ names: ['a.one.test', 'second.test'] })
    await using served = await serve({ certificates: [first, wild, exact] })
    const shown = (name: string) => shownFor(served.port, name)
    expect(await shown('b.one.test')).toBe('DNS:*.one.test')
    expect(await shown('B.ONE.test')).toBe('DNS:*.one.test')
    expect(await shown('a.one.test')).toBe('DNS:a.one.test, DNS:second.test')
    expect(await shown('second.test')).toBe('DNS:a.one.test, DNS:second.test')
    // A wildcard stands for one label.
    for (const unknown of ['one.test', 'c.b.one.test', 'elsewhere.test', '']) {
      expect(await shown(unknown), unknown).toBe('DNS:first.test')
    }
  })

  test('of one name: the earlier gets it', async () => {
    const later = await issue({ names: ['one.test', 'later.test'] })
    await using served = await serve({ certificates: [other, one, later] })
    expect(await shownFor(served.port, 'one.test')).toBe('DNS:one.test')
    expect(await shownFor(served.port, 'later.test')).toBe('DNS:one.test, DNS:later.test')
  })

  test('may be told their names', async () => {
    await using served = await serve({
      certificates: [one, { ...other, hosts: ['Told.test', '*.told.test'] }],
    })
    expect(await shownFor(served.port, 'told.test')).toBe('DNS:other.test')
    expect(await shownFor(served.port, 'x.told.test')).toBe('DNS:other.test')
    expect(await shownFor(served.port, 'other.test')).toBe('DNS:one.test')
  })
})

describe('what is wrong with a certificate fails the start, naming option, file and reason', () => {
  const refused = async (options: Options): Promise<string> => {
    const plugins = [tls(options)]
    try {
      await createServer({ listen, plugins })
    } catch (error) {
      expect((error as Error).name).toBe('ConfigError')
      return (error as Error).message.replace('config: plugins[0] (tls): options.', '')
    }
    throw new Error('it was taken')
  }

  test('a file that is not there', async () => {
    const missing = join(folder, 'missing.pem')
    const expected = 'expected a PEM file, got no such file'
    expect(await refused({ cert: missing, key: one.key })).toBe(`cert: ${expected}: ${missing}`)
    expect(await refused({ cert: one.cert, key: missing })).toBe(`key: ${expected}: ${missing}`)
    const ca = { clientCertificates: { ca: [missing] } }
    expect(await refused({ ...one, ...ca })).toBe(`clientCertificates.ca[0]: ${expected}: ${missing}`)
  })

  test('a folder', async () => {
    expect(await refused({ cert: folder, key: one.key })).toBe(
      `cert: expected a PEM file, got one that cannot be read (EISDIR): ${folder}`,
    )
  })

  test('a file without a certificate', async () => {
    const path = await file('cert.pem', one.key)
    expect(await refused({ cert: path, key: one.key })).toBe(
      `cert: expected a certificate in PEM form, got nothing of that kind: ${path}`,
    )
  })

  test('a certificate in DER', async () => {
    const path = await file('cert.der', new X509Certificate(one.cert).raw)
    expect(await refused({ cert: path, key: one.key })).toMatch(
      /^cert: expected a certificate in PEM form, got binary \(openssl can turn it into PEM\): /,
    )
  })

  test('a certificate that was cut or scrambled', async () => {
    const lines = one.cert.split('\n')
    const cut = await file('cert.pem', [...lines.slice(0, 4), ...lines.slice(6)].join('\n'))
    expect(await refused({ cert: cut, key: one.key })).toMatch(
      /^cert: expected a certificate, got one that cannot be parsed, .+cert\.pem$/,
    )
    const chain = await file('chain.pem', one.cert + [...lines.slice(0, 4), ...lines.slice(6)].join('\n'))
    expect(await refused({ cert: chain, key: one.key })).toContain('(number 2 of 2)')
  })

  test('a file without a key, and a key that cannot be parsed', async () => {
    const path = await file('key.pem', one.cert)
    expect(await refused({ cert: one.cert, key: path })).toBe(
      `key: expected a private key in PEM form, got nothing of that kind: ${path}`,
    )
    const scrambled = await file('key.pem', one.key.replace(/\n.{10}/, '\n'))
    expect(await refused({ cert: one.cert, key: scrambled })).toMatch(
      /^key: expected a private key, got one that cannot be parsed, /,
    )
  })

  test('an encrypted key without its passphrase, or with another', async () => {
    const locked = await issue({ passphrase: 'right' })
    const place = 'the text in the config'
    expect(await refused(locked)).toBe(
      `key: expected a private key, got an encrypted one without passphrase: ${place}`,
    )
    expect(await refused({ ...locked, passphrase: 'wrong' })).toBe(
      `key: expected a private key, got one that the passphrase does not open: ${place}`,
    )
  })

  test("another certificate's key", async () => {
    const [cert, key] = [await file('cert.pem', one.cert), await file('key.pem', other.key)]
    expect(await refused({ cert, key })).toBe(
      `key: expected the private key of ${cert}, got the key of another certificate: ${key}`,
    )
    expect(await refused({ certificates: [one, { cert, key }] })).toMatch(/^certificates\[1\]\.key: /)
  })

  test('a chain that does not begin with its own certificate', async () => {
    const root = await issue({ names: ['root'], isAuthority: true })
    const leaf = await issue({ by: root })
    expect(await refused({ cert: root.cert + leaf.cert, key: leaf.key })).toMatch(
      /^cert: expected the server's own certificate first, behind it its issuers, got it as number 2: /,
    )
  })

  test('a certificate that OpenSSL finds too weak', async () => {
    const openssl = needTool('openssl', 'openssl')
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const request = ['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-subj', '/CN=weak', '-days', '2']
    execFileSync(openssl, [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    expect(await refused({ cert, key })).toBe(
      `cert: expected a certificate that OpenSSL takes, got one that it refuses, ee key too small: ${cert}`,
    )
  })

  test('options that do not fit together', async () => {
    expect(await refused({ cert: one.cert })).toBe('key: is required with cert')
    expect(await refused({ key: one.key })).toBe('cert: is required with key and passphrase')
    expect(await refused({ ...one, certificates: [other] })).toBe(
      'certificates: stands beside cert: give cert and key, or certificates',
    )
    expect(await refused({ certificates: [] })).toContain('at least one certificate')
    expect(await refused({ certificates: [{ ...one, hosts: ['a b'] }] })).toContain(
      'certificates[0].hosts[0]',
    )
    expect(await refused({ hsts: { preload: true } })).toContain('includeSubDomains')
    expect(await refused({ redirect: 70_000 })).toContain('redirect')
    expect(await refused({ maxHandshakes: 0 })).toContain('maxHandshakes: expected a number from 1')
    expect(await refused({ watch: 'often' as '1s' })).toContain('watch')
    expect(await refused({ certs: one } as Options)).toContain("did you mean 'cert'")
  })

  test('tls() twice', async () => {
    const site = { name: 'a', plugins: [tls(one)], without: ['tls'] }
    const other = { name: 'b', hosts: ['b.test'], plugins: [tls(one)] }
    await expect(createServer({ sites: [site, other], listen, plugins: [tls(one)] })).rejects.toThrow(
      /\(tls\): options: is there twice: one among the root plugins serves all sites/,
    )
  })
})

describe('what is odd about a certificate is a warning', () => {
  const warnings = async (options: Options): Promise<string[]> => {
    await using served = await serve(options)
    await using client = await shakeHands(served.port, { rejectUnauthorized: false })
    client.http.send(get())
    expect((await client.http.response()).status).toBe(200)
    for (const { severity, code } of served.reports)
      expect([severity, code]).toEqual(['warning', 'TLS_CERTIFICATE'])
    return served.reports.map(({ message }) => message)
  }
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

  test('one that has expired', async () => {
    const cert = await file('cert.pem', '')
    const expired = await issue({ days: -3 })
    await writeFile(cert, expired.cert)
    expect(await warnings({ cert, key: expired.key })).toEqual([
      `${cert}: the certificate expired on ${day(-3)}; clients will refuse it`,
    ])
  })

  test('one that expires within 14 days, and not one that lasts longer', async () => {
    const place = 'the text in the config'
    expect(await warnings(await issue({ days: 13 }))).toEqual([
      `${place}: the certificate expires on ${day(13)}`,
    ])
    expect(await warnings(await issue({ days: 15 }))).toEqual([])
  })

  test('one that is not valid yet', async () => {
    expect(await warnings(await issue({ from: 5 }))).toEqual([
      `the text in the config: the certificate is not valid before ${day(5)}`,
    ])
  })

  test('a chain in which one did not issue the one before it', async () => {
    expect(await warnings({ cert: one.cert + other.cert, key: one.key })).toEqual([
      'the text in the config: certificate 2 did not issue certificate 1; some clients will refuse the chain',
    ])
  })
})

async function stopped(
  made: ReturnType<typeof createServer>,
): Promise<Awaited<ReturnType<typeof createServer>> & AsyncDisposable> {
  const server = await made
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop({ deadline: 0 }) })
}
