import { createServer, HttpResponse, type PluginItem, scope } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { type RateLimitOptions, rateLimit } from 'rawhttp/plugins/rate-limit'
import { staticFiles } from 'rawhttp/plugins/static'
import { describe, expect, test, vi } from 'vitest'
import { type InMemory, serve } from '../../support/in-memory.ts'
import { exchangeBytes } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { tempSite } from '../static/temp-site.ts'

const ok = answering(() => HttpResponse.text('ok'))
/** A window in which no token comes back while a test runs. */
const SLOW = { window: '1h' } as const

const from = (address: string, url = '/') => ({ url, client: { address, port: 1 } })

/** Statuses of as many requests, one after the other. */
async function statuses(site: InMemory, count: number, address = '192.0.2.1', url = '/'): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push((await site.ask(from(address, url))).status)
  return all
}

const limited = (options: Partial<RateLimitOptions> = {}) => rateLimit({ limit: 2, ...SLOW, ...options })

describe('a client', () => {
  test('may ask as often as the limit says, and is answered 429 from then on', async () => {
    const site = await serve([limited(), ok])
    expect(await statuses(site, 4)).toEqual([200, 200, 429, 429])
  })

  test('is let in again as time passes', async () => {
    const clock = vi.spyOn(performance, 'now')
    const start = performance.now()
    const site = await serve([rateLimit({ limit: 2, window: '10s' }), ok])
    clock.mockReturnValue(start)
    expect(await statuses(site, 3)).toEqual([200, 200, 429])
    clock.mockReturnValue(start + 5_001)
    expect(await statuses(site, 2)).toEqual([200, 429])
    clock.mockRestore()
  })

  test('counts for itself, by its address', async () => {
    const site = await serve([limited(), ok])
    expect(await statuses(site, 3, '192.0.2.1')).toEqual([200, 200, 429])
    expect(await statuses(site, 3, '192.0.2.2')).toEqual([200, 200, 429])
  })

  test('with IPv6 counts with its network, of 64 bits or as many as the config says', async () => {
    const site = await serve([limited(), ok])
    expect(await statuses(site, 1, '2001:db8::1')).toEqual([200])
    expect(await statuses(site, 2, '2001:db8::ffff:1')).toEqual([200, 429])
    expect(await statuses(site, 1, '2001:db8:0:1::1')).toEqual([200])
    const wide = await serve([limited({ ipv6Prefix: 48 }), ok])
    expect(await statuses(wide, 2, '2001:db8:0:1::1')).toEqual([200, 200])
    expect(await statuses(wide, 1, '2001:db8:0:2::1')).toEqual([429])
  })

  test('without an address counts with all others that have none', async () => {
    const site = await serve([limited(), ok])
    expect(await statuses(site, 3, '')).toEqual([200, 200, 429])
    const named = await serve([limited({ allow: ['unix'] }), ok])
    expect(await statuses(named, 3, '')).toEqual([200, 200, 200])
  })

  test('that is in the list of those who may is not counted', async () => {
    const site = await serve([limited({ allow: ['10.0.0.0/8'] }), ok])
    expect(await statuses(site, 4, '10.1.2.3')).toEqual([200, 200, 200, 200])
    expect((await site.ask(from('10.1.2.3'))).headers.get('ratelimit')).toBeUndefined()
    expect(await statuses(site, 3, '11.1.2.3')).toEqual([200, 200, 429])
  })

  test('is whoever a function says; null is not limited', async () => {
    const key: RateLimitOptions['key'] = ({ headers }) => headers.get('x-user') ?? null
    const site = await serve([limited({ key }), ok])
    const as = async (user: string) => (await site.ask({ headers: { 'x-user': user } })).status
    expect([await as('ada'), await as('ada'), await as('ada'), await as('bob')]).toEqual([200, 200, 429, 200])
    expect(await statuses(site, 4)).toEqual([200, 200, 200, 200])
  })

  test('that a function says wrong is a failure that names the plugin', async () => {
    const site = await serve([limited({ key: () => undefined as unknown as null }), ok])
    expect(await statuses(site, 1)).toEqual([500])
    expect(site.reports[0]?.message).toBe(
      'plugin "rate-limit", handle tap "rate-limit" failed: key: expected a text or null, got undefined',
    )
  })
})

describe('what is told', () => {
  test('is the policy and what is left of it, on every answer', async () => {
    const site = await serve([rateLimit({ limit: 3, window: '1h', name: 'api' }), ok])
    const answers = [await site.ask('/'), await site.ask('/'), await site.ask('/'), await site.ask('/')]
    expect(answers.map(({ headers }) => headers.get('ratelimit-policy'))).toEqual(
      Array(4).fill('"api";q=3;w=3600'),
    )
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      '"api";r=2;t=1200',
      '"api";r=1;t=2400',
      '"api";r=0;t=1200',
      '"api";r=0;t=1200',
    ])
    expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual([
      undefined,
      undefined,
      undefined,
      '1200',
    ])
  })

  test('is never that nothing has to be waited for', async () => {
    const site = await serve([rateLimit({ limit: 1_000_000, window: '1s' }), ok])
    const { headers } = await site.ask('/')
    expect(headers.get('ratelimit')).toBe('"1000000-in-1s";r=999999;t=1')
  })

  test('is each limit for itself, under its own name', async () => {
    const site = await serve([
      rateLimit({ limit: 9, ...SLOW }),
      rateLimit({ limit: 5, ...SLOW, name: 'b' }),
      rateLimit({ limit: 7, ...SLOW, name: 'b' }),
      ok,
    ])
    const { headers } = await site.ask('/')
    expect(headers.getAll('ratelimit-policy')).toEqual([
      '"9-in-3600s";q=9;w=3600',
      '"b";q=5;w=3600',
      '"b#2";q=7;w=3600',
    ])
    expect(headers.getAll('ratelimit')).toEqual([
      '"9-in-3600s";r=8;t=400',
      '"b";r=4;t=720',
      '"b#2";r=6;t=515',
    ])
  })

  test.each([
    ['all', true, true],
    ['refused', false, true],
    ['none', false, false],
  ] as const)('goes with fields: %s', async (fields, whenAllowed, whenRefused) => {
    const site = await serve([limited({ limit: 1, fields }), ok])
    for (const told of [whenAllowed, whenRefused]) {
      const { headers } = await site.ask('/')
      expect(headers.has('ratelimit')).toBe(told)
      expect(headers.has('ratelimit-policy')).toBe(told)
    }
    expect((await site.ask('/')).headers.get('retry-after')).toBe('3600')
  })

  test('in a refusal is an error as all others, which error pages shape', async () => {
    const site = await serve([errorPages({ prefer: 'problem' }), limited({ limit: 1, ...SLOW }), ok])
    await site.ask('/')
    const answer = await site.ask('/')
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'too many requests; try again in 3600 s',
    })
  })
})

describe('a limit', () => {
  test('of a scope is for what is inside', async () => {
    const site = await serve([scope({ path: '/login', methods: ['POST'] }, [limited()]), ok])
    const post = async (url: string) =>
      (await site.ask({ ...from('192.0.2.1', url), method: 'POST', body: '' })).status
    expect([await post('/login'), await post('/%6Cogin'), await post('//login')]).toEqual([200, 200, 429])
    expect(await post('/other')).toBe(200)
    expect(await statuses(site, 3, '192.0.2.1', '/login')).toEqual([200, 200, 200])
  })

  test('among the root plugins counts over all sites', async () => {
    const site = await serve({
      plugins: [limited()],
      sites: [
        { name: 'a', hosts: ['a.example'], plugins: [ok] },
        { name: 'b', hosts: ['b.example'], plugins: [ok] },
      ],
    })
    const at = async (host: string) => (await site.ask({ url: '/', headers: { host } })).status
    expect([await at('a.example'), await at('b.example'), await at('a.example')]).toEqual([200, 200, 429])
  })

  test('of a site is its own, in place of that of the root', async () => {
    const site = await serve({
      plugins: [limited({ limit: 1 })],
      sites: [
        { name: 'a', hosts: ['a.example'], plugins: [limited({ limit: 2 }), ok] },
        { name: 'b', hosts: ['b.example'], plugins: [ok] },
      ],
    })
    const at = async (host: string) => (await site.ask({ url: '/', headers: { host } })).status
    expect([await at('a.example'), await at('a.example'), await at('a.example')]).toEqual([200, 200, 429])
    expect([await at('b.example'), await at('b.example')]).toEqual([200, 429])
  })

  test('runs no handler, and stands before cache and files, which count all the same', async () => {
    await using files = await tempSite({ 'a.txt': 'file' })
    let runs = 0
    const kept = answering(({ path }) =>
      path === '/kept'
        ? HttpResponse.text(`run ${++runs}`, { headers: { 'cache-control': 'max-age=60' } })
        : undefined,
    )
    const site = await serve([cache(), staticFiles({ root: files.root }), kept, limited({ limit: 4 })])
    expect(await statuses(site, 2, '192.0.2.1', '/kept')).toEqual([200, 200])
    expect(await statuses(site, 3, '192.0.2.1', '/a.txt')).toEqual([200, 200, 429])
    expect(await statuses(site, 1, '192.0.2.1', '/kept')).toEqual([429])
    const fresh = await site.ask(from('192.0.2.2', '/kept'))
    expect([fresh.text(), runs]).toEqual(['run 1', 1])
    // Not that of the client for whom it was stored.
    expect(fresh.headers.getAll('ratelimit')).toEqual(['"4-in-3600s";r=3;t=900'])
  })

  test('counts a request once, also one whose file changes under its answer', async () => {
    await using files = await tempSite({ 'a.txt': 'one' })
    await using server = await startServer({ plugins: [limited(), staticFiles({ root: files.root })] })
    const get = async () => await (await fetch(`${server.url}/a.txt`)).text()
    expect(await get()).toBe('one')
    await files.write({ 'public/a.txt': 'a new one' }, 0)
    expect(await get()).toBe('a new one')
    expect((await fetch(`${server.url}/a.txt`)).status).toBe(429)
  })

  test('does not see what is refused as a message', async () => {
    await using server = await startServer({ plugins: [limited({ limit: 1 }), ok] })
    for (let i = 0; i < 3; i++)
      expect(await exchangeBytes(server.port, 'GET\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    expect((await fetch(server.url)).status).toBe(200)
    expect((await fetch(server.url)).status).toBe(429)
  })

  test('keeps its counts over a reload; under its own name also with other numbers', async () => {
    const site = await serve([limited({ name: 'all' }), ok])
    expect(await statuses(site, 3)).toEqual([200, 200, 429])
    await site.reload({ plugins: [limited({ name: 'all' }), ok] })
    expect((await site.ask(from('192.0.2.1'))).headers.get('retry-after')).toBe('1800')
    // An empty bucket stays empty, and fills as fast as it now should.
    await site.reload({ plugins: [limited({ name: 'all', limit: 4 }), ok] })
    expect((await site.ask(from('192.0.2.1'))).headers.get('retry-after')).toBe('900')
    await site.reload({ plugins: [limited({ name: 'other' }), ok] })
    expect(await statuses(site, 1)).toEqual([200])
  })

  test('says once that it has more clients than it can remember', async () => {
    const site = await serve([limited({ maxClients: 100 }), ok])
    for (let i = 0; i < 300; i++) await site.ask(from(`10.0.${i >> 8}.${i & 255}`))
    expect(site.reports.map(({ message, severity }) => [severity, message])).toEqual([
      [
        'warning',
        'the rate limit "2-in-3600s" has more than 100 clients at a time: some that have asked for little are ' +
          'forgotten; raise maxClients',
      ],
    ])
  })
})

describe('a mistake in the options', () => {
  const failing = (options: unknown) =>
    createServer({ plugins: [(rateLimit as (options: unknown) => PluginItem)(options)] })
  const base = { limit: 1, window: '1s' }
  const notRedis = 'is not a URL of Redis, such as redis://127.0.0.1:6379 or unix:///run/redis.sock'

  test.each([
    [undefined, "options: expected options such as { limit: 100, window: '1m' }, got undefined"],
    [{ window: '1s' }, 'options.limit: is required'],
    [{ limit: 1 }, 'options.window: is required'],
    [{ ...base, limit: 0 }, 'options.limit: expected a whole number from 1 to 1000000, got 0'],
    [{ ...base, limit: 1.5 }, 'options.limit: expected a whole number from 1 to 1000000, got 1.5'],
    [
      { ...base, window: '500ms' },
      "options.window: expected a duration of whole seconds such as '1m', got '500ms'",
    ],
    [
      { ...base, window: 1_500 },
      "options.window: expected a duration of whole seconds such as '1m', got 1500",
    ],
    [{ ...base, window: '0s' }, 'options.window: expected a duration of whole seconds'],
    [{ ...base, burst: 0 }, 'options.burst: expected a whole number from 1'],
    [{ ...base, key: 'ip' }, "options.key: expected a function that gives a text or null, got 'ip'"],
    [{ ...base, ipv6Prefix: 8 }, 'options.ipv6Prefix: expected a whole number from 16 to 128, got 8'],
    [{ ...base, allow: ['10.0.0.1/33'] }, 'options.allow[0]: expected an address such as'],
    [{ ...base, name: 'a"b' }, 'options.name: expected 1 to 64 letters, digits and -._'],
    [{ ...base, fields: true }, "options.fields: expected 'all', 'refused' or 'none', got true"],
    [{ ...base, maxClients: 1 }, 'options.maxClients: expected a whole number from 100'],
    [{ ...base, redis: 'http://x' }, `options.redis: ${notRedis}`],
    [{ ...base, redis: 'redis://:secret@x/y' }, `options.redis: ${notRedis}`],
    [{ ...base, redis: 'unix:/x' }, `options.redis: ${notRedis}`],
    [{ ...base, redis: { url: 7 } }, `options.redis.url: ${notRedis}`],
    [{ ...base, redis: {} }, 'options.redis.url: is required'],
    [
      { ...base, redis: { url: 'redis://x', onError: 'open' } },
      "options.redis.onError: expected 'memory', 'allow' or",
    ],
    [
      { ...base, redis: { url: 'redis://x', timeout: 0 } },
      'options.redis.timeout: expected a duration such as',
    ],
    [{ ...base, max: 1 }, 'options.max: unknown option'],
  ])('%j names the option', async (options, sentence) => {
    const error = await failing(options).then(
      () => null,
      (reason: Error) => reason,
    )
    expect(error?.message).toContain(`config: plugins[0] (rate-limit): ${sentence}`)
    expect(error?.message).not.toContain('secret')
  })
})
