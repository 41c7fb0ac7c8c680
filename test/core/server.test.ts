import { Connect, createServer, definePlugin, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, request, statuses } from '../support/messages.ts'
import { phases } from '../support/phases.ts'
import { exchangeBytes } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const path = answering(({ path: asked }) => HttpResponse.text(asked))

describe('listen', () => {
  test('runs start once, before any port is open', async () => {
    const log: string[] = []
    const server = await createServer({ listen: [{ port: 0 }], plugins: [phases(log), path] })
    await server.inject()
    await server.listen()
    expect(log).toEqual(['start'])
    await server.stop()
    expect(log).toEqual(['start', 'stop shutdown'])
  })

  test('does not open a port when start fails, and runs stop for what had begun', async () => {
    const log: string[] = []
    const failing = definePlugin({
      name: 'failing',
      server({ hooks }) {
        hooks.start.tap('start', () => {
          throw new Error('no disk')
        })
      },
    })
    const server = await createServer({ listen: [{ port: 0 }], plugins: [phases(log), failing()] })
    await expect(server.listen()).rejects.toThrow('no disk')
    expect(log).toEqual(['start', 'stop failed'])
    await server.stop()
    expect(log).toHaveLength(2)
  })

  test('of tls: true that no plugin terminates is a config error with the way out', async () => {
    const address = definePlugin({
      name: 'address',
      server: ({ hooks }) =>
        hooks.connection.tap({ name: 'address', stage: Connect.Address }, () => undefined),
    })
    const log: string[] = []
    const made = createServer({
      listen: [{ port: 0 }, { port: 0, tls: true }],
      plugins: [address(), phases(log)],
    })
    await expect(made).rejects.toMatchObject({ name: 'ConfigError', path: 'listen[1].tls' })
    await expect(made).rejects.toThrow('add tls() to plugins')
    expect(log).toEqual([])
  })

  test('a reload to such a config is refused, and the old one serves on', async () => {
    await using served = await startServer({ plugins: [path] })
    await expect(served.server.reload({ listen: [{ port: 0, tls: true }] })).rejects.toThrow('add tls()')
    expect(statuses(await exchangeBytes(served.port, get('/', 'Connection: close')))).toEqual([200])
  })

  test('that is stopped meanwhile leaves no port open', async () => {
    const server = await createServer({ listen: [{ port: 0 }, { port: 0 }] })
    const listening = server.listen()
    const outcome = expect(listening).rejects.toThrow('was stopped')
    await server.stop()
    await outcome
    await turns()
    const handles = process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap')
    expect(handles).toEqual([])
  })

  test('twice, or after stop, is an error', async () => {
    const server = await createServer({ listen: [{ port: 0 }] })
    await server.listen()
    await expect(server.listen()).rejects.toThrow('listens already')
    await server.stop()
    await expect(server.inject()).rejects.toThrow('was stopped')
  })
})

describe('hosts', () => {
  const named = (name: string, hosts: string[]) => ({
    name,
    hosts,
    plugins: [answering(({ site }) => HttpResponse.text(site.name), `answer-${name}`)],
  })

  test('each request goes to the site of its host, others to none', async () => {
    await using served = await startServer({
      sites: [named('exact', ['a.test']), named('wild', ['*.a.test']), named('other', ['b.test'])],
    })
    const asked = async (host: string) => {
      const bytes = await exchangeBytes(
        served.port,
        `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      )
      return bytes.slice(bytes.indexOf('\r\n\r\n') + 4)
    }
    expect(await asked('A.test:8080')).toBe('exact')
    expect(await asked('x.y.a.test')).toBe('wild')
    expect(await asked('b.test.')).toBe('other')
    expect(await asked('c.test')).toContain('421 Misdirected Request')
  })

  test('the authority of an absolute target counts, not Host', async () => {
    await using served = await startServer({ sites: [named('one', ['a.test']), named('two', ['b.test'])] })
    const message = request('GET', 'http://b.test/', ['Connection: close']).replace('Host: a', 'Host: a.test')
    expect((await exchangeBytes(served.port, message)).endsWith('two')).toBe(true)
  })
})
