import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createServer, Handle, HttpError, type Plugins } from 'rawhttp'
import { metrics } from 'rawhttp/plugins/metrics'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { get, request } from '../../support/messages.ts'
import { RawClient, type RawResponse } from '../../support/raw-client.ts'
import { startServer, type TestServer } from '../../support/server.ts'

async function ask(
  { port }: Pick<TestServer, 'port'>,
  bytes = get('/metrics'),
  localAddress = '127.0.0.1',
): Promise<RawResponse> {
  await using client = await RawClient.open({ port, host: '127.0.0.1', localAddress })
  client.send(bytes)
  return await client.response({ toHead: bytes.startsWith('HEAD') })
}

const counting = (options: Parameters<typeof metrics>[0] = {}) => metrics({ process: false, ...options })
const byAddress = 'GET /metrics HTTP/1.1\r\nHost: 10.0.0.5:9090\r\n\r\n'

const locked: Plugins[number] = onSite('locked', site =>
  site.hooks.handle.tap({ name: 'locked', stage: Handle.Guard }, ({ headers }) => {
    if (headers.get('authorization') !== 'let me in') throw new HttpError(401)
  }),
)

describe('the metrics', () => {
  test('are for this machine, before guards', async () => {
    await using served = await startServer({ plugins: [locked, counting()] })
    expect((await ask(served)).status).toBe(200)
    expect((await ask(served, get('/'))).status).toBe(401)
  })

  test('are for nobody else, nor for who comes through a proxy', async () => {
    await using served = await startServer({ plugins: [counting({ allow: ['127.0.0.9'] })] })
    expect((await ask(served, undefined, '127.0.0.9')).status).toBe(200)
    const stranger = await ask(served)
    expect([stranger.status, stranger.body.toString()]).toEqual([
      403,
      '403 Forbidden\nThe metrics are not for this address.\n',
    ])
    const proxied = get('/metrics', 'X-Forwarded-For: 127.0.0.9')
    expect((await ask(served, proxied, '127.0.0.9')).status).toBe(403)
  })

  test('may be read with HEAD, and other methods are told what may be', async () => {
    await using served = await startServer({ plugins: [counting()] })
    expect((await ask(served, request('HEAD', '/metrics'))).status).toBe(200)
    const post = await ask(served, request('POST', '/metrics', ['Content-Length: 0']))
    expect([post.status, post.field('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  test('may have guards before them', async () => {
    await using served = await startServer({
      plugins: [locked, counting({ guarded: true })],
      sites: [{ name: 'named', hosts: ['a'] }],
    })
    expect((await ask(served)).status).toBe(401)
    expect((await ask(served, get('/metrics', 'Authorization: let me in'))).status).toBe(200)
    // No guard is asked for a request that no site takes.
    expect((await ask(served, byAddress)).status).toBe(421)
  })

  test('are shown on the listeners that are named, and on no other', async () => {
    await using probe = await startServer({})
    const { port } = probe
    await probe.server.stop({ deadline: 0 })
    await using served = await startServer({
      listen: [{ port: 0 }, { port }],
      plugins: [counting({ listeners: [port] })],
    })
    expect((await ask(served)).status).toBe(404)
    expect((await ask({ port })).status).toBe(200)
    expect((await served.server.inject('/metrics')).status).toBe(404)
  })

  test('are shown by address where all sites have names, under the same rules', async () => {
    const sites = [{ name: 'named', hosts: ['a.example'] }]
    await using served = await startServer({ plugins: [counting()], sites })
    const answer = await ask(served, byAddress)
    expect([answer.status, answer.field('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    expect(answer.body.toString()).toContain('http_requests_in_flight 1\n')
    expect((await ask(served, byAddress.replace('/metrics', '/'))).status).toBe(421)
    await using closed = await startServer({ plugins: [counting({ allow: ['192.0.2.1'] })], sites })
    expect((await ask(closed, byAddress)).status).toBe(421)
  })
})

describe('a config', () => {
  test('without the package is told what to install', async () => {
    const missing = `import { registerHooks } from 'node:module'
registerHooks({ resolve: (name, context, next) => next(name === '@prometheus-io/client' ? 'no-such-package' : name, context) })`
    const program = `import { createServer } from 'rawhttp'
import { metrics } from 'rawhttp/plugins/metrics'
await createServer({ plugins: [metrics()] }).catch(error => console.log(error.message))`
    const hook = `data:text/javascript,${encodeURIComponent(missing)}`
    const flags = ['--conditions=rawhttp-source', '--import', hook, '--input-type=module']
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', program], {
      timeout: 20_000,
    })
    expect(stdout).toBe(
      'config: plugins[0]: plugin "metrics", server(): it needs a package: npm install @prometheus-io/client\n',
    )
  })

  test('that has them twice is told', async () => {
    const twice = { plugins: [counting()], sites: [{ name: 'a', hosts: ['*'], plugins: [counting()] }] }
    await expect(createServer(twice)).rejects.toThrow(
      'is there twice: one among the root plugins counts all sites',
    )
  })

  test.each<[object, string]>([
    [{ path: 'metrics' }, "options.path: expected a path such as '/metrics', got 'metrics'"],
    [
      { allow: 'private' },
      "options.allow: expected a list of addresses such as ['10.0.0.0/8'], got 'private'",
    ],
    [{ allow: ['10.0.0'] }, "options.allow[0]: expected an address such as '192.0.2.7'"],
    [{ listeners: [] }, 'expected at least one listener, got an empty list'],
    [
      { listeners: [0] },
      'options.listeners[0]: expected a port such as 9090, or the path of a Unix socket, got 0',
    ],
    [{ buckets: [] }, 'expected 1 to 50 bounds'],
    [{ buckets: [5, 5] }, 'expected bounds that grow'],
    [{ buckets: ['soon'] }, "options.buckets[0]: expected a duration such as 250 or '1s', got 'soon'"],
    [{ proces: false }, "did you mean 'process'?"],
  ])('with wrong options is told by name: %o', async (options, sentence) => {
    await expect(createServer({ plugins: [metrics(options as never)] })).rejects.toThrow(sentence)
  })
})

describe('a reload', () => {
  const total = 'http_requests_total{site="default",method="GET",route="none",status_class="4xx"} '

  test('goes on counting', async () => {
    const { ask: inject, reload } = await serve([counting()])
    await inject('/a')
    await reload({ plugins: [counting({ path: '/other' })] })
    await inject('/b')
    expect((await inject('/other')).text()).toContain(`${total}2\n`)
  })

  test('with other buckets begins anew', async () => {
    const { ask: inject, reload } = await serve([counting()])
    await inject('/a')
    await reload({ plugins: [counting({ buckets: [1_000] })] })
    await inject('/b')
    const text = (await inject('/metrics')).text()
    expect(text).toContain(`${total}1\n`)
    expect(text).not.toContain('le="0.5"')
  })
})
