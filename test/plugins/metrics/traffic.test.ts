import { once } from 'node:events'
import { Handle, type HttpRequest, HttpResponse, Slots } from 'rawhttp'
import { metrics } from 'rawhttp/plugins/metrics'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { get, post, request } from '../../support/messages.ts'
import { exchangeBytes, RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { linesOf } from './exposition.ts'

const counting = () => metrics({ process: false })

const text = async (ask: (target: string) => Promise<{ text(): string }>) =>
  linesOf((await ask('/metrics')).text())

const total = (labels: string) => `http_requests_total{${labels}}`

describe('requests', () => {
  test('are counted by site, method, route and class of status', async () => {
    const { ask } = await serve({
      plugins: [
        counting(),
        router({
          'GET /users/:id': ({ params }) => (params.id === '0' ? HttpResponse.error(404) : params.id),
          'POST /users': () => HttpResponse.text('made', 201),
          'GET /broken': () => {
            throw new Error('broken')
          },
          'GET /moved': () => HttpResponse.redirect('/'),
        }),
      ],
      sites: [
        { name: 'one', hosts: ['one.example'] },
        { name: 'two', hosts: ['*'] },
      ],
    })
    for (const id of [1, 2, 3, 0]) await ask(`http://one.example/users/${id}`)
    await ask({ url: 'http://one.example/users', method: 'POST' })
    await ask('http://one.example/users/7?x=1')
    await ask('http://other.example/users/9')
    await ask('http://other.example/broken')
    await ask('http://other.example/moved')
    await ask('http://other.example/no/such/page')
    const lines = await text(ask)
    expect([...lines].filter(([name]) => name.startsWith('http_requests_total'))).toEqual([
      [total('site="one",method="GET",route="/users/:id",status_class="2xx"'), 4],
      [total('site="one",method="GET",route="/users/:id",status_class="4xx"'), 1],
      [total('site="one",method="POST",route="/users",status_class="2xx"'), 1],
      [total('site="two",method="GET",route="/users/:id",status_class="2xx"'), 1],
      [total('site="two",method="GET",route="/broken",status_class="5xx"'), 1],
      [total('site="two",method="GET",route="/moved",status_class="3xx"'), 1],
      [total('site="two",method="GET",route="none",status_class="4xx"'), 1],
    ])
  })

  test('that guards refuse are counted, wherever the plugin stands', async () => {
    const guard = onSite('guard', site =>
      site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard }, () => HttpResponse.error(403)),
    )
    for (const plugins of [
      [counting(), guard],
      [guard, counting()],
    ]) {
      const { ask } = await serve(plugins)
      await ask('/secret')
      const refused = total('site="default",method="GET",route="none",status_class="4xx"')
      expect((await text(ask)).get(refused)).toBe(1)
    }
  })

  test('of the metrics themselves are counted by their path', async () => {
    const { ask } = await serve([counting()])
    await ask('/metrics')
    const own = total('site="default",method="GET",route="/metrics",status_class="2xx"')
    expect((await text(ask)).get(own)).toBe(1)
  })

  test('that are no HTTP, or for nobody, are counted for the built-in site', async () => {
    await using served = await startServer({
      plugins: [counting()],
      sites: [{ name: 'named', hosts: ['a'] }],
    })
    await exchangeBytes(served.port, 'NONSENSE\r\n\r\n')
    await exchangeBytes(served.port, 'GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n')
    await using client = await RawClient.connect(served.port)
    client.send(get('/metrics'))
    const lines = linesOf((await client.response()).body.toString())
    const onRoot = [...lines].filter(([name]) => name.startsWith('http_requests_total{site="-"'))
    expect(onRoot.reduce((sum, [, value]) => sum + value, 0)).toBe(2)
    expect(onRoot.every(([name]) => name.endsWith('status_class="4xx"}'))).toBe(true)
    expect(lines.get('http_request_results_total{site="-",result="refused"}')).toBe(2)
  })

  test('are counted by how they ended', async () => {
    const hangs = async ({ signal }: HttpRequest) => {
      await once(signal, 'abort')
      return HttpResponse.text('nobody hears it')
    }
    const answers = answering(asked => {
      const { path } = asked
      if (path === '/hangs') return hangs(asked)
      if (path === '/up') return HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.end())
      const broken = async function* () {
        yield 'some'
        await new Promise(resolve => setImmediate(resolve))
        throw new Error('broken')
      }
      return path === '/breaks' ? HttpResponse.stream(broken()) : HttpResponse.text('well')
    })
    await using served = await startServer({ plugins: [counting(), answers] })
    await using leaving = await RawClient.connect(served.port)
    leaving.send(get('/hangs'))
    await using upgraded = await RawClient.connect(served.port)
    upgraded.send(get('/up', 'Connection: upgrade', 'Upgrade: echo'))
    await upgraded.response({ interim: true })
    upgraded.end()
    await exchangeBytes(served.port, get('/breaks'))
    await exchangeBytes(served.port, get('/', 'Connection: close'))
    leaving.reset()
    await served.untilEnded(4)
    await using client = await RawClient.connect(served.port)
    client.send(get('/metrics'))
    const lines = linesOf((await client.response()).body.toString())
    const result = (name: string) => lines.get(`http_request_results_total{site="default",result="${name}"}`)
    expect(['sent', 'aborted', 'failed', 'upgraded', 'timeout'].map(result)).toEqual([1, 1, 1, 1, 0])
    const silent = total('site="default",method="GET",route="none",status_class="none"')
    expect(lines.get(silent)).toBe(1)
    expect(lines.get(total('site="default",method="GET",route="none",status_class="1xx"'))).toBe(1)
  })
})

describe('labels', () => {
  test('of methods are few, whatever clients send', async () => {
    await using served = await startServer({ plugins: [counting()] })
    for (const method of ['BREW', 'PROPFIND', 'get', 'X'.repeat(30)])
      await exchangeBytes(served.port, request(method, '/', ['Connection: close']))
    await using client = await RawClient.connect(served.port)
    client.send(get('/metrics'))
    const names = [...linesOf((await client.response()).body.toString()).keys()]
    const seen = names
      .filter(name => name.startsWith('http_requests_total'))
      .map(name => /method="(.*?)"/.exec(name)![1])
    expect(new Set(seen)).toEqual(new Set(['other']))
  })

  test('of routes have an end, also when a plugin makes one of each path', async () => {
    const careless = onSite('careless', site =>
      site.hooks.handle.tap({ name: 'careless', stage: Handle.Prepare }, asked =>
        asked.set(Slots.route, asked.path),
      ),
    )
    const { ask } = await serve([counting(), careless])
    for (let page = 0; page < 1_200; page++) await ask(`/page-${page}`)
    const lines = await text(ask)
    const routes = [...lines.keys()].filter(name => name.startsWith('http_requests_total'))
    expect(routes).toHaveLength(1_001)
    expect(lines.get(total('site="default",method="GET",route="other",status_class="4xx"'))).toBe(200)
  })

  test('are escaped', async () => {
    const odd = onSite('odd', site =>
      site.hooks.handle.tap({ name: 'odd', stage: Handle.Prepare }, asked =>
        asked.set(Slots.route, 'a"b\\c\nd'),
      ),
    )
    const { ask } = await serve([counting(), odd])
    await ask('/')
    expect([...(await text(ask)).keys()]).toContain(
      total('site="default",method="GET",route="a\\"b\\\\c\\nd",status_class="4xx"'),
    )
  })
})

describe('sizes and durations', () => {
  test('are those of bodies that were read, and of whole answers', async () => {
    const reads = answering(async ({ path, body }) => {
      if (path === '/read') await body.text()
      return HttpResponse.text('x'.repeat(1_000))
    })
    await using served = await startServer({ plugins: [counting(), reads] })
    await exchangeBytes(served.port, post('/read', 'hello', 'Connection: close'))
    const answer = await exchangeBytes(served.port, get('/', 'Connection: close'))
    await using client = await RawClient.connect(served.port)
    client.send(get('/metrics'))
    const lines = linesOf((await client.response()).body.toString())
    const labels = (method: string) => `{site="default",method="${method}",route="none",status_class="2xx"}`
    expect(lines.get(`http_request_body_bytes_total${labels('POST')}`)).toBe(5)
    expect(lines.get(`http_request_body_bytes_total${labels('GET')}`)).toBe(0)
    expect(lines.get(`http_response_bytes_total${labels('GET')}`)).toBe(answer.length)
  })

  test('fall into buckets that are cumulative', async () => {
    const { ask } = await serve([metrics({ process: false, buckets: [1, '60s'] })])
    for (let count = 0; count < 3; count++) await ask('/')
    const lines = await text(ask)
    const series = 'site="default",method="GET",route="none",status_class="4xx"'
    const bucket = (le: string) => lines.get(`http_request_duration_seconds_bucket{${series},le="${le}"}`)
    expect(bucket('0.001')).toBeLessThanOrEqual(3)
    expect([bucket('60.0'), bucket('+Inf')]).toEqual([3, 3])
    expect(lines.get(`http_request_duration_seconds_count{${series}}`)).toBe(3)
    expect(lines.get(`http_request_duration_seconds_sum{${series}}`)).toBeGreaterThan(0)
  })

  test('of upgrades are no durations of requests', async () => {
    const up = answering(({ path }) =>
      path === '/up' ? HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.end()) : undefined,
    )
    await using served = await startServer({ plugins: [counting(), up] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/up', 'Connection: upgrade', 'Upgrade: echo'))
    await client.response({ interim: true })
    client.end()
    await served.untilEnded(1)
    await using second = await RawClient.connect(served.port)
    second.send(get('/metrics'))
    const lines = linesOf((await second.response()).body.toString())
    const series = '{site="default",method="GET",route="none",status_class="1xx"}'
    expect(lines.get(`http_requests_total${series}`)).toBe(1)
    expect(lines.get(`http_request_duration_seconds_count${series}`)).toBe(0)
  })
})
