import { lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, definePlugin, type HttpRequest, HttpResponse, type ListenConfig } from 'rawhttp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { leaveSocket } from '../support/dead-socket.ts'
import { get, post, statuses } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering } from '../support/server.ts'
import { cannotRun } from '../support/tools.ts'
import { turns } from '../support/turns.ts'

const who = answering(({ connection, client }: HttpRequest) => {
  const { local, listener } = connection!
  return HttpResponse.json({ client, local, listener })
})

const started = async (...listen: ListenConfig[]) => {
  const server = await createServer({ listen, plugins: [who] })
  const addresses = await server.listen()
  return {
    urls: addresses.map(({ url }) => url),
    server,
    [Symbol.asyncDispose]: () => server.stop({ deadline: 0 }),
  }
}

/** Hears of faults that are meant. */
const quiet = definePlugin({
  name: 'quiet',
  server: ({ hooks }) => hooks.report.tap('quiet', () => undefined),
})

const portOf = (url: string): number => Number(new URL(url).port)

describe('a listener on TCP', () => {
  test('on port 0 gets a free one, and connections know which', async () => {
    await using served = await started({ port: 0 })
    const port = portOf(served.urls[0]!)
    expect(served.urls).toEqual([`http://127.0.0.1:${port}`])
    await using client = await RawClient.connect(port)
    client.send(get())
    const { localPort } = client.socket
    expect(JSON.parse((await client.response()).body.toString())).toEqual({
      client: { address: '127.0.0.1', port: localPort },
      local: { address: '127.0.0.1', port },
      listener: `127.0.0.1:${port}`,
    })
  })

  test('on IPv6 has its address in brackets', async () => {
    const probe = createNetServer()
    const hasIpv6 = await new Promise<boolean>(resolve => {
      probe.once('error', () => resolve(false))
      probe.listen(0, '::1', () => probe.close(() => resolve(true)))
    })
    if (!hasIpv6) cannotRun('This needs IPv6 on the loopback interface.')
    await using served = await started({ port: 0, host: '::1' })
    expect(served.urls[0]).toMatch(/^http:\/\/\[::1\]:\d+$/)
    await using client = await RawClient.connect(portOf(served.urls[0]!), '::1')
    client.send(get())
    expect(JSON.parse((await client.response()).body.toString()).client.address).toBe('::1')
  })

  test('on every address tells each connection which one it came to', async () => {
    await using served = await started({ port: 0, host: '0.0.0.0' })
    const port = portOf(served.urls[0]!)
    for (const address of ['127.0.0.1', '127.0.0.2']) {
      await using client = await RawClient.connect(port, address)
      client.send(get())
      const { local } = JSON.parse((await client.response()).body.toString())
      expect(local).toEqual({ address, port })
    }
  })

  test('on every address shows clients of IPv4 as such', async () => {
    await using open = await started({ port: 0, host: '::' }).catch(() => cannotRun('This needs IPv6.'))
    await using client = await RawClient.connect(portOf(open.urls[0]!))
    client.send(get())
    expect(JSON.parse((await client.response()).body.toString()).client.address).toBe('127.0.0.1')
  })

  test('on a port that is taken fails with the place, and closes what was open', async () => {
    await using first = await started({ port: 0 })
    const taken = portOf(first.urls[0]!)
    const server = await createServer({ listen: [{ port: 0 }, { port: taken }] })
    await expect(server.listen()).rejects.toMatchObject({
      code: 'EADDRINUSE',
      listener: `127.0.0.1:${taken}`,
    })
    await server.stop()
  })

  test('several serve the same sites', async () => {
    await using served = await started({ port: 0 }, { port: 0 })
    expect(served.urls).toHaveLength(2)
    for (const url of served.urls) {
      await using client = await RawClient.connect(portOf(url))
      client.send(get())
      expect((await client.response()).status).toBe(200)
    }
  })
})

describe('a listener on a Unix socket', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rawhttp-listener-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('has the mode that the config says, and clients without an address', async () => {
    const path = join(folder, 'x.sock')
    await using served = await started({ path, mode: 0o600 })
    expect(served.urls).toEqual([`unix:${path}`])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await using client = await RawClient.open({ path })
    client.send(get())
    expect(JSON.parse((await client.response()).body.toString())).toEqual({
      client: { address: '', port: 0 },
      local: { address: '', port: 0 },
      listener: path,
    })
  })

  test('takes the place of one that a killed process has left behind', async () => {
    const path = join(folder, 'x.sock')
    await leaveSocket(path)
    await using _ = await started({ path, mode: 0o600 })
    await using client = await RawClient.open({ path })
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('takes nothing away where somebody listens', async () => {
    const path = join(folder, 'x.sock')
    await using _ = await started({ path })
    const second = await createServer({ listen: [{ path }] })
    await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE', listener: path })
    await second.stop()
    await using client = await RawClient.open({ path })
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('takes no file away that is no socket, nor the link to one', async () => {
    const file = join(folder, 'file')
    const link = join(folder, 'link')
    await writeFile(file, 'precious')
    await leaveSocket(join(folder, 'x.sock'))
    await symlink(join(folder, 'x.sock'), link)
    for (const path of [file, link]) {
      const server = await createServer({ listen: [{ path }] })
      await expect(server.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
      await server.stop()
    }
    expect(await readFile(file, 'utf8')).toBe('precious')
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
  })

  test('does not count its clients as one', async () => {
    const path = join(folder, 'x.sock')
    const server = await createServer({
      listen: [{ path, limits: { connectionsPerClient: 1 } }],
      plugins: [who],
    })
    await server.listen()
    await using first = await RawClient.open({ path })
    await using second = await RawClient.open({ path })
    for (const client of [first, second]) {
      client.send(get())
      expect((await client.response()).status).toBe(200)
    }
    await server.stop({ deadline: 0 })
  })

  test('ends an answer that breaks off without an end of its own: there is no reset', async () => {
    const path = join(folder, 'x.sock')
    const server = await createServer({
      listen: [{ path }],
      plugins: [
        answering(() =>
          HttpResponse.stream(
            (async function* () {
              yield 'part'
              await turns(3)
              throw new Error('the disk is gone')
            })(),
          ),
        ),
        quiet(),
      ],
    })
    await server.listen()
    await using client = await RawClient.open({ path })
    client.send(post('/', 'x'))
    const bytes = await client.rest()
    expect(statuses(bytes)).toEqual([200])
    expect(bytes).not.toContain('\r\n0\r\n')
    await server.stop({ deadline: 0 })
  })
})
