import { createServer, definePlugin, HttpResponse, type Metric, type Plugins, Slots } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { health } from 'rawhttp/plugins/health'
import { metrics } from 'rawhttp/plugins/metrics'
import { router } from 'rawhttp/plugins/router'
import { tls } from 'rawhttp/plugins/tls'
import { describe, expect, test } from 'vitest'
import { onServer, serve } from '../../support/in-memory.ts'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'
import { linesOf, readByPython } from './exposition.ts'

const OPEN = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1' }

/** A plugin that offers metrics. */
const offering = (...offered: readonly Metric[]): Plugins[number] =>
  onServer('offering', server => {
    for (const metric of offered) server.get(Slots.metrics).add(metric)
  })

const jobs: Metric = {
  name: 'test_jobs_total',
  help: 'Jobs "done"\\\nin all.',
  type: 'counter',
  read: () => [
    { labels: { queue: 'a"b\\c\nd' }, value: 3 },
    { labels: { queue: 'é' }, value: 0.5 },
  ],
}

/** A server with something of everything to show. */
async function busy() {
  const { ask } = await serve([
    offering(jobs),
    metrics(),
    health(),
    cache(),
    tls(),
    router({
      'GET /users/:id': ({ params }) => params.id,
      'POST /users': async ({ request }) => await request.body.text(),
      'GET /broken': () => HttpResponse.error(500),
    }),
  ])
  for (const path of ['/users/1', '/users/2', '/broken', '/nowhere', '/livez']) await ask(path)
  await ask({ url: '/users', method: 'POST', body: 'hello' })
  return ask
}

describe('what Prometheus itself reads', () => {
  test('is all that there is, in the text format', async () => {
    const ask = await busy()
    const answer = await ask('/metrics')
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('vary')).toBe('accept')
    const families = await readByPython(answer.text(), 'text')
    const named = (name: string) => families.find(family => family.name === name)!
    expect(named('http_requests').samples).toContainEqual([
      'http_requests_total',
      { site: 'default', method: 'GET', route: '/users/:id', status_class: '2xx' },
      2,
    ])
    expect(named('http_request_duration_seconds').type).toBe('histogram')
    expect(named('test_jobs')).toEqual({
      name: 'test_jobs',
      type: 'counter',
      help: 'Jobs "done"\\\nin all.',
      samples: [
        ['test_jobs_total', { queue: 'a"b\\c\nd' }, 3],
        ['test_jobs_total', { queue: 'é' }, 0.5],
      ],
    })
    const samples = families.flatMap(family => family.samples)
    expect(samples.every(([, , value]) => Number.isFinite(value))).toBe(true)
  })

  test('is the same in OpenMetrics, whatever was asked for before', async () => {
    const ask = await busy()
    const answer = await ask({ url: '/metrics', headers: OPEN })
    expect(answer.headers.get('content-type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    )
    const open = await readByPython(answer.text(), 'openmetrics')
    const plain = await readByPython((await ask('/metrics')).text(), 'text')
    const again = await readByPython((await ask({ url: '/metrics', headers: OPEN })).text(), 'openmetrics')
    const names = (families: typeof open) => families.map(({ name, type }) => `${name} ${type}`)
    expect(names(open)).toEqual(names(plain))
    expect(names(again)).toEqual(names(open))
    expect(open.find(({ name }) => name === 'test_jobs')!.samples).toHaveLength(2)
  })

  test.each([
    ['', 'text/plain'],
    ['*/*', 'text/plain'],
    ['text/html', 'text/plain'],
    ['text/plain, application/openmetrics-text;q=0.5', 'text/plain'],
    ['application/openmetrics-text', 'application/openmetrics-text'],
    ['text/*;q=0.1, application/openmetrics-text;version=1.0.0', 'application/openmetrics-text'],
    ['application/openmetrics-text;q=0, */*', 'text/plain'],
  ])('"%s" gets %s', async (accept, type) => {
    const { ask } = await serve([metrics({ process: false })])
    const answer = await ask({ url: '/metrics', headers: accept === '' ? {} : { accept } })
    expect(answer.headers.get('content-type')).toMatch(new RegExp(`^${type};`))
  })
})

describe('the figures of the server', () => {
  test('are connections, requests in flight, bytes and generations', async () => {
    const config = { limits: { maxConnections: 2 }, plugins: [metrics({ process: false })] }
    await using served = await startServer(config)
    await using idle = await RawClient.connect(served.port)
    await using client = await RawClient.connect(served.port)
    await using third = await RawClient.connect(served.port)
    await third.closed
    const question = get('/metrics')
    client.send(question)
    const lines = linesOf((await client.response()).body.toString())
    expect(lines.get('rawhttp_connections')).toBe(2)
    expect(lines.get('rawhttp_connections_accepted_total')).toBe(2)
    expect(lines.get('rawhttp_connections_refused_total{limit="maxConnections"}')).toBe(1)
    expect(lines.get('http_requests_in_flight')).toBe(1)
    expect(lines.get('rawhttp_generations')).toBe(1)
    expect(lines.get('rawhttp_received_bytes_total')).toBe(question.length)
    idle.end()
  })

  test('are those of each cache', async () => {
    const routes = router({
      'GET /kept': () => HttpResponse.text('kept', { headers: { 'cache-control': 'max-age=60' } }),
    })
    const { ask } = await serve([metrics({ process: false }), cache(), routes])
    for (let count = 0; count < 3; count++) await ask('/kept')
    const lines = linesOf((await ask('/metrics')).text())
    const names = ['entries', 'hits_total', 'misses_total', 'stored_total', 'evicted_total']
    const figures = names.map(name => lines.get(`rawhttp_cache_${name}{site="default"}`))
    expect(figures).toEqual([1, 2, 1, 1, 0])
  })

  test('of the process are memory, the event loop, garbage collection and versions, unless they are left out', async () => {
    const { ask } = await serve([metrics()])
    const text = (await ask('/metrics')).text()
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_duration_seconds',
      'nodejs_version_info',
    ])
      expect(text).toContain(`# TYPE ${name} `)
    const { ask: askOther } = await serve([metrics({ process: false })])
    expect((await askOther('/metrics')).text()).not.toMatch(/process_|nodejs_/)
  })

  test('of the process are watched once for all servers in it', async () => {
    const looks = async () => {
      const { ask } = await serve([metrics()])
      return linesOf((await ask('/metrics')).text()).get('nodejs_eventloop_utilization_histogram_count')!
    }
    // Ten times a second the event loop is looked at, beginning with the first server.
    while ((await looks()) === 0) await turns(10)
    expect(await looks()).toBeGreaterThan(0)
  })
})

describe('what other plugins offer', () => {
  test('is read each time, from plugins before and behind', async () => {
    let count = 0
    const counts = (name: string): Metric => ({ name, help: 'h', type: 'gauge', read: () => ++count })
    const { ask } = await serve([
      offering(counts('test_a')),
      metrics({ process: false }),
      definePlugin({ name: 'other', server: server => server.get(Slots.metrics).add(counts('test_b')) })(),
    ])
    const read = async () => linesOf((await ask('/metrics')).text())
    const [first, second] = [await read(), await read()]
    expect([first.get('test_a'), first.get('test_b')]).toEqual([1, 2])
    expect([second.get('test_a'), second.get('test_b')]).toEqual([3, 4])
  })

  test('is for nobody where the plugin is not used', async () => {
    let count = 0
    const { ask } = await serve([offering({ ...jobs, read: () => ++count })])
    expect((await ask('/metrics')).status).toBe(404)
    expect(count).toBe(0)
  })

  test.each<[string, Metric['read'], string]>([
    ['fails', () => JSON.parse('{'), 'JSON'],
    ['is no number', () => Number.NaN, 'expected a finite number, got NaN'],
    [
      'has a label that cannot be',
      () => [{ labels: { 'a b': 'x' }, value: 1 }],
      '"a b" is no name of a label',
    ],
    [
      'has a value that is no text',
      () => [{ labels: { a: 1 as never }, value: 1 }],
      'label a: expected text',
    ],
    [
      'has series without end',
      () => Array.from({ length: 1_001 }, (_, at) => ({ labels: { at: String(at) }, value: 1 })),
      'it has 1001 series; 1000 are allowed',
    ],
  ])('is left out and told once when it %s', async (_how, read, sentence) => {
    const { ask, reports } = await serve([offering({ ...jobs, read }), metrics({ process: false })])
    for (let count = 0; count < 2; count++) {
      const text = (await ask('/metrics')).text()
      expect(text).not.toContain('test_jobs')
      expect(text).toContain('http_requests_total')
    }
    expect(reports).toHaveLength(1)
    expect(reports[0]).toMatchObject({ code: 'METRIC_FAILED', severity: 'error', plugin: 'metrics' })
    expect(reports[0]!.message).toContain('metric "test_jobs_total" is left out: ')
    expect(reports[0]!.message).toContain(sentence)
  })

  test.each<[Metric[], string]>([
    [
      [{ ...jobs, name: 'no-name_total' }],
      'metric "no-name_total": expected a name such as myplugin_jobs_total',
    ],
    [
      [{ ...jobs, name: 'test_jobs' }],
      'metric "test_jobs": the names of counters, and only they, end in _total',
    ],
    [
      [{ ...jobs, type: 'gauge' }],
      'metric "test_jobs_total": the names of counters, and only they, end in _total',
    ],
    [[jobs, jobs], 'metric "test_jobs_total" is there twice'],
    [[{ ...jobs, name: 'http_requests_total' }], 'metric "http_requests_total" is there twice'],
  ])('fails the start when Prometheus would not take it: %#', async (offered, sentence) => {
    const server = await createServer({ plugins: [metrics({ process: false }), offering(...offered)] })
    await expect(server.inject('/metrics')).rejects.toThrow(sentence)
  })
})
