import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tls } from 'rawhttp/plugins/tls'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { who } from '../../support/layers.ts'
import { get } from '../../support/messages.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { namesShown, shakeHands } from './client.ts'
import { type Issued, issue } from './issue.ts'

let folder: string
let old: Issued
let next: Issued

beforeAll(async () => {
  old = await issue({ names: ['old.test'] })
  next = await issue({ names: ['next.test'] })
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rawhttp-tls-'))
  await write(folder, old)
})
afterEach(() => rm(folder, { recursive: true }))

const certOf = (dir = folder) => join(dir, 'cert.pem')
const keyOf = (dir = folder) => join(dir, 'key.pem')

async function write(dir: string, { cert, key }: Issued): Promise<void> {
  await writeFile(keyOf(dir), key)
  await writeFile(certOf(dir), cert)
}

const serve = (dir = folder, watch: '20ms' | false = '20ms'): Promise<TestServer> =>
  startServer({
    listen: [{ port: 0, tls: true }],
    plugins: [tls({ cert: certOf(dir), key: keyOf(dir), watch }), who],
  })

async function shown({ port }: TestServer): Promise<string> {
  await using client = await shakeHands(port, { rejectUnauthorized: false })
  return namesShown(client.tls)
}

describe('files that change', () => {
  test('are taken by the next handshake, and open connections live on', async () => {
    await using served = await serve()
    await using client = await shakeHands(served.port, { rejectUnauthorized: false })
    await write(folder, next)
    const { message, severity } = await served.untilReported('TLS_SWAPPED')
    expect(severity).toBe('info')
    expect(message).toMatch(/^a new certificate is used, valid until \d{4}-\d\d-\d\d: .+cert\.pem$/)
    expect(await shown(served)).toBe('DNS:next.test')
    client.http.send(get())
    expect((await client.http.response()).status).toBe(200)
    expect(namesShown(client.tls)).toBe('DNS:old.test')
  })

  test('are seen when a link is pointed elsewhere', async () => {
    const [first, second, link] = ['first', 'second', 'live'].map(name => join(folder, name))
    for (const [dir, pair] of [
      [first!, old],
      [second!, next],
    ] as const) {
      await mkdir(dir)
      await write(dir, pair)
    }
    await symlink(first!, link!)
    await using served = await serve(link!)
    // As certbot and Kubernetes do it: a new link is moved over the old one.
    await symlink(second!, `${link}.new`)
    await rename(`${link}.new`, link!)
    await served.untilReported('TLS_SWAPPED')
    expect(await shown(served)).toBe('DNS:next.test')
  })

  test('that do not match are not taken until they do', async () => {
    await using served = await serve()
    await writeFile(certOf(), next.cert)
    const { message, severity } = await served.untilReported('TLS_KEPT')
    expect(severity).toBe('error')
    expect(message).toContain(
      `the old certificate is kept: config: key: expected the private key of ${certOf()}`,
    )
    expect(await shown(served)).toBe('DNS:old.test')
    await writeFile(keyOf(), next.key)
    await served.untilReported('TLS_SWAPPED')
    expect(await shown(served)).toBe('DNS:next.test')
  })

  test.each([
    ['broken', () => writeFile(certOf(), 'nonsense'), /nothing of that kind/],
    ['gone', () => unlink(certOf()), /no such file/],
  ])('that are %s leave the old certificate in use', async (_what, change, reason) => {
    await using served = await serve()
    await change()
    expect((await served.untilReported('TLS_KEPT')).message).toMatch(reason)
    expect(await shown(served)).toBe('DNS:old.test')
  })

  test('are taken although another certificate of the list is broken', async () => {
    const second = join(folder, 'second')
    await mkdir(second)
    await write(second, await issue({ names: ['second.test'] }))
    const certificates = [folder, second].map(dir => ({ cert: certOf(dir), key: keyOf(dir) }))
    await using served = await startServer({
      listen: [{ port: 0, tls: true }],
      plugins: [tls({ certificates, watch: '20ms' })],
    })
    await writeFile(certOf(second), 'nonsense')
    await served.untilReported('TLS_KEPT')
    await write(folder, next)
    await served.untilReported('TLS_SWAPPED')
    expect(await shown(served)).toBe('DNS:next.test')
  })

  test('are warned of when what they bring expires', async () => {
    await using served = await serve()
    await write(folder, await issue({ days: 2 }))
    await served.untilReported('TLS_SWAPPED')
    expect((await served.untilReported('TLS_CERTIFICATE')).message).toContain('expires on')
  })

  test('are read anew at a reload, also unwatched', async () => {
    await using served = await serve(folder, false)
    await write(folder, next)
    await served.server.reload({
      listen: [{ port: 0, tls: true }],
      plugins: [tls({ cert: certOf(), key: keyOf(), watch: false }), who],
    })
    expect(await shown(served)).toBe('DNS:next.test')
  })

  test('that are broken fail a reload, and the old generation goes on', async () => {
    await using served = await serve(folder, false)
    await writeFile(keyOf(), next.key)
    const plugins = [tls({ cert: certOf(), key: keyOf() })]
    await expect(served.server.reload({ listen: [{ port: 0, tls: true }], plugins })).rejects.toThrow(
      /another certificate/,
    )
    expect(await shown(served)).toBe('DNS:old.test')
  })
})
