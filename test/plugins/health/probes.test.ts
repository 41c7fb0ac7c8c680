import { type Config, Handle, HttpResponse, type Plugins, Slots } from 'rawhttp'
import { health } from 'rawhttp/plugins/health'
import { tls } from 'rawhttp/plugins/tls'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { get, request } from '../../support/messages.ts'
import { RawClient, type RawResponse } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'

const page = answering(({ path }) => HttpResponse.text(`page ${path}`))

async function ask({ port }: TestServer, bytes: string, localAddress = '127.0.0.1'): Promise<RawResponse> {
  await using client = await RawClient.open({ port, host: '127.0.0.1', localAddress })
  client.send(bytes)
  return await client.response({ toHead: bytes.startsWith('HEAD') })
}

const fails = () => Promise.reject(new Error('10.1.2.3: refused\nby the database'))

describe('a probe', () => {
  test('is answered before guards, and never stored', async () => {
    const guard: Plugins[number] = onSite('guard', site =>
      site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard - 50 }, () => HttpResponse.error(401)),
    )
    const { ask: inject } = await serve([guard, health()])
    for (const path of ['/livez', '/readyz', '/livez?x=1']) {
      const answer = await inject(path)
      expect([answer.status, answer.headers.get('cache-control'), answer.text()]).toEqual([
        200,
        'no-store',
        'ok\n',
      ])
    }
    expect((await inject('/livezz')).status).toBe(401)
  })

  test('may be a HEAD, and other methods are told what may be', async () => {
    await using served = await startServer({ plugins: [health()] })
    const head = await ask(served, request('HEAD', '/readyz'))
    expect([head.status, head.field('content-length')]).toEqual([200, '3'])
    const post = await ask(served, request('POST', '/readyz', ['Content-Length: 0']))
    expect([post.status, post.field('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  test('is named by its route, so that dashboards can leave it out', async () => {
    const { ask: inject, done } = await serve([health()])
    await inject('/livez')
    await inject('/readyz?verbose')
    expect(done.map(each => each.request.get(Slots.route))).toEqual(['/livez', '/readyz'])
  })
})

test('a probe is not sent to https, in whatever order the plugins stand', async () => {
  for (const plugins of [
    [tls({ redirect: true }), health()],
    [health(), tls({ redirect: true })],
  ]) {
    const { ask: inject } = await serve(plugins)
    expect((await inject('/livez')).status).toBe(200)
    expect((await inject('/other')).status).toBe(308)
  }
})

describe('why a check fails', () => {
  const plugins = [health({ checks: { database: fails }, remember: 0 })]

  test('is shown to this machine when it asks, in one line each', async () => {
    await using served = await startServer({ plugins })
    expect((await ask(served, get('/readyz?verbose'))).body.toString()).toBe(
      '[-]database failed: 10.1.2.3: refused\\x0aby the database\nreadyz check failed\n',
    )
    expect((await ask(served, get('/livez?verbose'))).body.toString()).toBe('livez check passed\n')
    expect((await ask(served, get('/readyz'))).body.toString()).toBe('not ready\n')
  })

  test('is not shown to others, nor to who is behind a proxy', async () => {
    const secret = [health({ checks: { database: fails }, remember: 0, details: ['127.0.0.9'] })]
    await using served = await startServer({ plugins: secret })
    const stranger = await ask(served, get('/readyz?verbose'))
    expect([stranger.status, stranger.body.toString()]).toEqual([503, 'not ready\n'])
    const friend = await ask(served, get('/readyz?verbose'), '127.0.0.9')
    expect(friend.body.toString()).toContain('[-]database')
    const proxied = await ask(served, get('/readyz?verbose', 'X-Forwarded-For: 127.0.0.9'), '127.0.0.9')
    expect(proxied.body.toString()).toBe('not ready\n')
  })
})

describe('a probe by address', () => {
  const byAddress = (target: string, method = 'GET') =>
    `${method} ${target} HTTP/1.1\r\nHost: 10.0.0.5:8080\r\n\r\n`
  const named = (plugins: Plugins): Config => ({ plugins, sites: [{ name: 'named', hosts: ['a.example'] }] })

  test('is answered where all sites have names, and nothing else is', async () => {
    await using served = await startServer(named([health(), page]))
    for (const path of ['/livez', '/readyz']) {
      const answer = await ask(served, byAddress(path))
      expect([answer.status, answer.body.toString()]).toEqual([200, 'ok\n'])
    }
    expect((await ask(served, byAddress('/'))).status).toBe(421)
    expect((await ask(served, byAddress('/livez', 'DELETE'))).status).toBe(421)
  })

  test('tells what the last run gave, and begins the next one', async () => {
    let isGone = true
    const check = async () => (isGone ? fails() : undefined)
    await using served = await startServer(named([health({ checks: { check }, remember: 0 })]))
    const first = await ask(served, byAddress('/readyz?verbose'))
    expect([first.status, first.body.toString()]).toEqual([
      503,
      '[-]checks failed: they run for the first time\nreadyz check failed\n',
    ])
    await turns()
    isGone = false
    expect((await ask(served, byAddress('/readyz'))).status).toBe(503)
    await turns()
    expect((await ask(served, byAddress('/readyz'))).status).toBe(200)
  })

  test('is not answered for a plugin of one site', async () => {
    await using served = await startServer({
      sites: [{ name: 'named', hosts: ['a.example'], plugins: [health()] }],
    })
    expect((await ask(served, byAddress('/livez'))).status).toBe(421)
    expect((await ask(served, 'GET /livez HTTP/1.1\r\nHost: a.example\r\n\r\n')).status).toBe(200)
  })

  test('belongs to the site for all hosts where there is one', async () => {
    await using served = await startServer({ plugins: [health()] })
    expect((await ask(served, byAddress('/livez'))).status).toBe(200)
    expect(served.ended[0]!.outcome.result).toBe('sent')
  })
})

describe('a server that stops', () => {
  test('is not ready before its ports close, and serves as long as it was told to', async () => {
    await using served = await startServer({ plugins: [health({ delay: '1h' }), page] })
    const { port, server } = served
    expect((await ask(served, get('/readyz'))).status).toBe(200)
    const stopped = server.stop({ deadline: 1_000_000 })
    const ready = await ask(served, get('/readyz?verbose'))
    expect([ready.status, ready.body.toString()]).toEqual([
      503,
      '[-]shutdown failed: the server stops\nreadyz check failed\n',
    ])
    expect((await ask(served, get('/livez'))).status).toBe(200)
    expect((await ask(served, get('/x'))).body.toString()).toBe('page /x')
    await server.stop({ deadline: 0 })
    await stopped
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('closes its ports after the delay', async () => {
    await using served = await startServer({ plugins: [health({ delay: 5 }), page] })
    await served.server.stop()
    await expect(RawClient.connect(served.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(served.reports).toEqual([])
  })

  test('is not made ready by a reload', async () => {
    const config = { listen: [{ port: 0 }], plugins: [health({ delay: '1h' })] }
    await using served = await startServer(config)
    const stopped = served.server.stop({ deadline: 1_000_000 })
    await served.server.reload({ ...config, plugins: [health({ delay: '2h' })] })
    expect((await served.server.inject('/readyz')).status).toBe(503)
    await served.server.stop({ deadline: 0 })
    await stopped
  })
})
