import {
  createServer,
  definePlugin,
  Handle,
  HttpError,
  HttpResponse,
  type Plugins,
  type RequestTrace,
} from 'rawhttp'
import { cors } from 'rawhttp/plugins/cors'
import { proxyProtocol } from 'rawhttp/plugins/proxy-protocol'
import { type TraceOptions, trace } from 'rawhttp/plugins/trace'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exchangeBytes } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'

const get = (path: string, ...fields: string[]) =>
  [`GET ${path} HTTP/1.1`, 'host: localhost', 'connection: close', ...fields, '', ''].join('\r\n')

interface Served extends TestServer {
  ask(path: string, ...fields: string[]): Promise<string>
  /** The traces that the endpoint shows. */
  traces(...fields: string[]): Promise<RequestTrace[]>
}

async function serve(options: TraceOptions, plugins: Plugins = [], rest = {}): Promise<Served> {
  const server = await startServer({
    plugins: [
      trace(options),
      answering(request => (request.path === '/a' ? HttpResponse.text('a') : undefined)),
      ...plugins,
    ],
    ...rest,
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const ask = (path: string, ...fields: string[]) => exchangeBytes(server.port, get(path, ...fields))
  const traces = async (...fields: string[]) => bodyOf(await ask('/.rawhttp/trace', ...fields)).traces
  return Object.assign(server, { ask, traces })
}

const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
const statusOf = (answer: string) => Number(answer.slice(9, 12))
const fieldOf = (answer: string, name: string) =>
  new RegExp(`\r\n${name}: ([^\r]*)`).exec(answer.slice(0, answer.indexOf('\r\n\r\n')))?.[1]
const paths = (traces: readonly RequestTrace[]) => traces.map(({ request }) => request.path)

describe('the endpoint', () => {
  test('shows the traces as JSON, the newest first, which nobody stores', async () => {
    const { ask, traces } = await serve({ sample: 1 })
    await ask('/a')
    await ask('/b')
    const answer = await ask('/.rawhttp/trace')
    expect([fieldOf(answer, 'content-type'), fieldOf(answer, 'cache-control')]).toEqual([
      'application/json',
      'no-store',
    ])
    expect(fieldOf(answer, 'x-content-type-options')).toBe('nosniff')
    const [newest, oldest] = await traces()
    expect(newest).toMatchObject({
      request: { path: '/b' },
      answer: { status: 404 },
      outcome: { result: 'sent' },
    })
    expect(oldest).toMatchObject({
      request: { path: '/a', client: { address: '127.0.0.1' } },
      site: { name: 'default', why: 'default' },
      answer: { status: 200, source: { plugin: 'test-answer' } },
    })
  })

  test('shows no trace of itself', async () => {
    const { traces } = await serve({ sample: 1 })
    await traces()
    expect(await traces()).toEqual([])
  })

  test('stands where `path` says, or nowhere', async () => {
    const there = await serve({ path: '/traces' })
    expect([statusOf(await there.ask('/traces')), statusOf(await there.ask('/.rawhttp/trace'))]).toEqual([
      200, 404,
    ])
    const nowhere = await serve({ path: false })
    expect(statusOf(await nowhere.ask('/.rawhttp/trace'))).toBe(404)
  })

  test('knows GET and HEAD only', async () => {
    const { port } = await serve({})
    const post = await exchangeBytes(
      port,
      'POST /.rawhttp/trace HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    )
    expect([statusOf(post), fieldOf(post, 'allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  test('answers by address where all sites have names', async () => {
    const { ask, port } = await serve({ sample: 1 }, [], { sites: [{ name: 'a', hosts: ['a.example'] }] })
    expect(statusOf(await ask('/.rawhttp/trace'))).toBe(200)
    const stranger = await exchangeBytes(port, get('/.rawhttp/trace').replace('localhost', 'b.example'))
    expect(statusOf(stranger)).toBe(421)
  })
})

describe('who may read it', () => {
  const status = async (server: Served, host: string, ...fields: string[]) =>
    statusOf(await exchangeBytes(server.port, get('/.rawhttp/trace', ...fields).replace('localhost', host)))

  test.each(['127.0.0.1:8080', '[::1]', 'localhost.', 'named.example'])(
    'a client here who asks for %s',
    async host => {
      const server = await serve({}, [], { sites: [{ name: 'a', hosts: ['*', 'named.example'] }] })
      expect(await status(server, host)).toBe(200)
    },
  )

  test.each(['rebound.example', '192.0.2.1', 'localhost.example'])(
    'but not for %s, under which a page of the web may come',
    async host => {
      expect(await status(await serve({}), host)).toBe(403)
    },
  )

  test.each(['x-forwarded-for: 127.0.0.1', 'forwarded: for=127.0.0.1', 'x-real-ip: 127.0.0.1', 'via: 1.1 p'])(
    'nobody behind a proxy: %s',
    async field => {
      expect(await status(await serve({}), 'localhost', field)).toBe(403)
    },
  )

  test('also when the proxy is believed', async () => {
    const server = await serve({}, [], { trustedProxies: ['loopback'] })
    for (const address of ['127.0.0.1', '192.0.2.1', '127.0.0.9'])
      expect(await status(server, 'localhost', `x-forwarded-for: ${address}`)).toBe(403)
  })

  test('nor who is said to be here by the PROXY protocol', async () => {
    const server = await serve({}, [proxyProtocol({ from: ['loopback'] })])
    const header = 'PROXY TCP4 127.0.0.1 127.0.0.1 4000 80\r\n'
    const answer = await exchangeBytes(server.port, header + get('/.rawhttp/trace'))
    expect(statusOf(answer)).toBe(403)
  })

  test.each([
    ['sec-fetch-site: cross-site', 'sec-fetch-mode: cors'],
    ['sec-fetch-site: same-site'],
    ['origin: https://other.example'],
  ])('nor a page of another origin, whatever cors allows: %s', async (...fields) => {
    const server = await serve({}, [cors({ origin: '*' })])
    expect(await status(server, 'localhost', ...fields)).toBe(403)
    expect(await status(server, 'localhost', 'origin: http://localhost')).toBe(200)
    const followed = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate']
    expect(await status(server, 'localhost', ...followed)).toBe(200)
  })

  test('a guard decides in the place of all that', async () => {
    const server = await serve({
      guard: async ({ headers }) => {
        const key = headers.get('x-key')
        if (key === undefined) throw new HttpError(401)
        return key === 'right' ? undefined : HttpResponse.text('wrong', 403)
      },
    })
    expect(await status(server, 'rebound.example', 'x-key: right')).toBe(200)
    expect(await status(server, 'localhost', 'x-key: other')).toBe(403)
    expect(await status(server, 'localhost')).toBe(401)
    expect(await status(server, 'localhost', 'x-key: right', 'x-forwarded-for: 192.0.2.1')).toBe(200)
  })

  test('a guard is set up for each site', async () => {
    const sites: string[] = []
    const guard = Object.assign(() => undefined, {
      setup: ({ name }: { name: string }) => void sites.push(name),
    })
    await serve({ guard }, [], { sites: [{ name: 'a', hosts: ['a'] }, { name: 'b' }] })
    expect(sites).toEqual(['a', 'b'])
  })
})

describe('what is traced', () => {
  test('is nothing with a share of 0, and everything with 1', async () => {
    const none = await serve({ sample: 0 })
    const all = await serve({ sample: 1 })
    for (const { ask } of [none, all]) await ask('/a')
    expect([(await none.traces()).length, (await all.traces()).length]).toEqual([0, 1])
  })

  test('is the paths that are named', async () => {
    const { ask, traces } = await serve({ sample: 0, paths: ['/b/*', '/c'] })
    for (const path of ['/a', '/b/x', '/c', '/c/d']) await ask(path)
    expect(paths(await traces())).toEqual(['/c', '/b/x'])
  })

  test('is what a client on this machine asks for by a field', async () => {
    const { ask, traces } = await serve({ sample: 0, header: 'X-Look' })
    await ask('/a')
    await ask('/b', 'x-look: 1')
    await ask('/c', 'x-look: 1', 'x-forwarded-for: 192.0.2.1')
    await ask('/d', 'x-trace: 1')
    expect(paths(await traces())).toEqual(['/b'])
    const never = await serve({ sample: 0, header: false })
    await never.ask('/a', 'x-trace: 1')
    expect(await never.traces()).toEqual([])
  })

  test('is of the sites alone whose list has the plugin', async () => {
    const server = await startServer({
      sites: [
        { name: 'a', hosts: ['a'], plugins: [trace({ sample: 1, guard: () => undefined })] },
        { name: 'b', hosts: ['b'] },
      ],
    })
    onTestFinished(() => server[Symbol.asyncDispose]())
    for (const host of ['a', 'b', 'c']) await exchangeBytes(server.port, get('/x').replace('localhost', host))
    const shown = bodyOf(await exchangeBytes(server.port, get('/.rawhttp/trace').replace('localhost', 'a')))
    expect(shown.traces.map(({ site }: RequestTrace) => site.name)).toEqual(['a'])
  })
})

describe('what is kept', () => {
  test('is the last ones, as many as `keep` says', async () => {
    const { ask, traces } = await serve({ sample: 1, keep: 2 })
    for (const path of ['/a', '/b', '/c']) await ask(path)
    expect(paths(await traces())).toEqual(['/c', '/b'])
  })

  test('takes no more bytes than `memory` says', async () => {
    const { ask, traces } = await serve({ sample: 1, memory: 6_000 })
    for (let i = 0; i < 6; i++) await ask(`/${i}`)
    const kept = await traces()
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.length).toBeLessThan(6)
    expect(kept[0]!.request.path).toBe('/5')
    expect(JSON.stringify(kept).length).toBeLessThanOrEqual(6_000 + kept.length)
    await ask('/large', `x-large: ${'x'.repeat(7_000)}`)
    expect(paths(await traces())[0]).toBe('/5')
  })

  test('lives on over a reload, but for what is to be masked from then on', async () => {
    const plugins = (options: TraceOptions) => ({
      listen: [{ port: 0 }],
      plugins: [trace({ sample: 1, ...options })],
    })
    const server = await createServer(plugins({}))
    onTestFinished(() => server.stop({ deadline: 0 }))
    const client = { address: '127.0.0.1', port: 1 }
    const kept = async () =>
      paths(JSON.parse((await server.inject({ url: '/.rawhttp/trace', client })).text()).traces)
    await server.inject('/a')
    await server.reload(plugins({ keep: 10 }))
    expect(await kept()).toEqual(['/a'])
    await server.reload(plugins({ mask: ['x-key'] }))
    expect(await kept()).toEqual([])
  })
})

describe('nothing of a client', () => {
  test('leaves a trace with its credentials, nor with fields that are to be masked', async () => {
    const cookie = definePlugin({
      name: 'cookie',
      site: site =>
        site.hooks.deliver.tap(
          'cookie',
          response => void response.append('set-cookie', 'sid=s3cret').set('x-key', 's3cret'),
        ),
    })
    const { ask } = await serve({ sample: 1, mask: ['X-Key'] }, [cookie()])
    const secrets = ['authorization', 'proxy-authorization', 'cookie', 'x-key'].map(name => `${name}: s3cret`)
    await ask('/a', ...secrets)
    const shown = await ask('/.rawhttp/trace')
    expect(shown.slice(shown.indexOf('\r\n\r\n'))).not.toContain('s3cret')
    expect(bodyOf(shown).traces[0].request.headers).toContainEqual(['x-key', '(masked)'])
    expect(bodyOf(shown).traces[0].answer.fields).toContainEqual(
      expect.objectContaining({ name: 'set-cookie', value: '(masked)' }),
    )
  })

  test('gets out of the JSON', async () => {
    const { ask, traces } = await serve({ sample: 1 })
    await ask('/a', 'x-odd: "}]</script>\\', 'user-agent: é')
    const [shown] = await traces()
    expect(shown!.request.headers).toContainEqual(['x-odd', '"}]</script>\\'])
  })
})

describe('Server-Timing', () => {
  const label = definePlugin({
    name: 'label',
    site: site => site.hooks.handle.tap({ name: 'a "b"; c,é', stage: Handle.Guard }, () => undefined),
  })

  test('tells how long each tap took that ran, their names as tokens', async () => {
    const { ask } = await serve({ sample: 1 }, [label()])
    const timing = fieldOf(await ask('/a'), 'server-timing')
    const metrics = timing!.split(', ')
    expect(metrics.map(metric => metric.split(';dur=')[0])).toEqual([
      'handle.trace',
      'handle.a--b---c--',
      'handle.test-answer',
    ])
    for (const metric of metrics) expect(metric).toMatch(/^[\w.-]+;dur=\d+(\.\d{1,3})?$/)
  })

  test('is for requests that are traced', async () => {
    const { ask } = await serve({ sample: 0 })
    expect(fieldOf(await ask('/a'), 'server-timing')).toBeUndefined()
    expect(fieldOf(await ask('/a', 'x-trace: 1'), 'server-timing')).toBeDefined()
  })

  test('is for clients on this machine, unless told otherwise', async () => {
    const far = 'x-forwarded-for: 192.0.2.1'
    const timed = async (serverTiming: TraceOptions['serverTiming']) =>
      fieldOf(await (await serve({ sample: 1, serverTiming })).ask('/a', far), 'server-timing') !== undefined
    expect([await timed('loopback'), await timed('everybody'), await timed(false)]).toEqual([
      false,
      true,
      false,
    ])
  })

  test('stands beside that of the handler', async () => {
    const own = HttpResponse.text('x', { headers: { 'server-timing': 'db;dur=1' } })
    const { ask } = await serve({ sample: 1 }, [answering(() => own, 'own')])
    const answer = await ask('/own')
    expect(answer.match(/\r\nserver-timing: /g)).toHaveLength(2)
  })
})

describe('options that are wrong are refused with their place', () => {
  test.each<[object, string]>([
    [{ sample: 2 }, '.sample: expected a share from 0 to 1, got 2'],
    [{ paths: ['/a/*/b'] }, ".paths[0]: expected a path such as '/api/*', with a * only at its end"],
    [{ header: 'a b' }, '.header: '],
    [{ path: 'trace' }, ".path: expected a path such as '/.rawhttp/trace', or false, got 'trace'"],
    [{ guard: {} }, '.guard: expected a function, got'],
    [{ keep: 0 }, '.keep: expected a number from 1 to 10000, got 0'],
    [{ memory: 'much' }, ".memory: expected a size such as 65536 or '2mb', got 'much'"],
    [{ serverTiming: true }, ".serverTiming: expected 'loopback', 'everybody' or false, got true"],
    [{ mask: ['a:'] }, '.mask[0]: expected a field name'],
    [{ sampel: 1 }, ".sampel: unknown option; did you mean 'sample'?"],
  ])('%j', async (options, sentence) => {
    await expect(createServer({ plugins: [trace(options as TraceOptions)] })).rejects.toThrow(
      `plugins[0] (trace): options${sentence}`,
    )
  })
})
