import { Handle, HttpResponse, type Plugins } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { rateLimit, rateLimitGuard } from 'rawhttp/plugins/rate-limit'
import { route, router } from 'rawhttp/plugins/router'
import { expect, test } from 'vitest'
import { type InMemory, onSite, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

const SLOW = { window: '1h' } as const

async function statuses(site: InMemory, count: number, url = '/'): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push((await site.ask(url)).status)
  return all
}

test('a guard limits its route, and says what is left', async () => {
  let runs = 0
  const site = await serve([
    router({
      'GET /': route({ guards: [rateLimitGuard({ limit: 2, ...SLOW, name: 'few' })] }, () => `run ${++runs}`),
      'GET /free': () => 'free',
    }),
  ])
  const first = await site.ask('/')
  expect(first.headers.get('ratelimit-policy')).toBe('"few";q=2;w=3600')
  expect(first.headers.get('ratelimit')).toBe('"few";r=1;t=1800')
  expect(await statuses(site, 2)).toEqual([200, 429])
  const refused = await site.ask('/')
  expect(refused.headers.get('retry-after')).toBe('1800')
  expect(refused.headers.get('ratelimit')).toBe('"few";r=0;t=1800')
  expect(runs).toBe(2)
  expect(await statuses(site, 3, '/free')).toEqual([200, 200, 200])
  expect((await site.ask('/free')).headers.has('ratelimit')).toBe(false)
})

test('a guard of several routes and routers counts together, another one for itself', async () => {
  const one = rateLimitGuard({ limit: 2, ...SLOW })
  const other = rateLimitGuard({ limit: 2, ...SLOW })
  const site = await serve([
    router({ 'GET /a': route({ guards: [one] }, () => 'a'), 'GET /b': route({ guards: [one] }, () => 'b') }),
    router({
      'GET /c': route({ guards: [one] }, () => 'c'),
      'GET /d': route({ guards: [other] }, () => 'd'),
    }),
  ])
  expect(await statuses(site, 1, '/a')).toEqual([200])
  expect(await statuses(site, 1, '/b')).toEqual([200])
  const refused = await site.ask('/c')
  expect([refused.status, refused.headers.getAll('ratelimit')]).toEqual([429, ['"2-in-3600s";r=0;t=1800']])
  const { status, headers } = await site.ask('/d')
  expect([status, headers.getAll('ratelimit')]).toEqual([200, ['"2-in-3600s#2";r=1;t=1800']])
})

test('a guard of a root router counts over all sites', async () => {
  const site = await serve({
    plugins: [router({ 'GET /': route({ guards: [rateLimitGuard({ limit: 2, ...SLOW })] }, () => 'in') })],
    sites: [
      { name: 'a', hosts: ['a.example'] },
      { name: 'b', hosts: ['b.example'] },
    ],
  })
  const at = async (host: string) => (await site.ask({ url: '/', headers: { host } })).status
  expect([await at('a.example'), await at('b.example'), await at('a.example')]).toEqual([200, 200, 429])
})

test('a guard stands before the cache, and beside the limit of the plugin', async () => {
  const guards = [rateLimitGuard({ limit: 2, ...SLOW, name: 'route' })]
  const kept = () => HttpResponse.text('kept', { headers: { 'cache-control': 'public, max-age=60' } })
  const site = await serve([
    cache(),
    router({ 'GET /': route({ guards }, kept) }),
    rateLimit({ limit: 9, ...SLOW, name: 'all' }),
  ])
  expect((await site.ask('/')).headers.getAll('ratelimit').sort()).toEqual([
    '"all";r=8;t=400',
    '"route";r=1;t=1800',
  ])
  expect(await statuses(site, 2)).toEqual([200, 429])
})

test('a guard keeps its counts over a reload, which makes it anew', async () => {
  const plugins = (): Plugins => [
    router({ 'GET /': route({ guards: [rateLimitGuard({ limit: 2, ...SLOW })] }, () => 'in') }),
  ]
  const site = await serve(plugins())
  expect(await statuses(site, 2)).toEqual([200, 200])
  await site.reload({ plugins: plugins() })
  expect(await statuses(site, 1)).toEqual([429])
})

test('two servers that are given the same guard count each for itself', async () => {
  const guard = rateLimitGuard({ limit: 1, ...SLOW })
  const plugins = [router({ 'GET /': route({ guards: [guard] }, () => 'in') })]
  const [one, two] = [await serve(plugins), await serve(plugins)]
  expect(await statuses(one, 2)).toEqual([200, 429])
  expect(await statuses(two, 2)).toEqual([200, 429])
})

test('a guard is a tap of handle, too: with its setup it tells what is left', async () => {
  const guard = rateLimitGuard({ limit: 1, ...SLOW })
  const own = onSite('own', site => {
    guard.setup(site)
    site.hooks.handle.tap({ name: 'own', stage: Handle.Guard }, request => void guard(request))
  })
  const site = await serve([own, answering(() => HttpResponse.text('in'))])
  expect((await site.ask('/')).headers.get('ratelimit')).toBe('"1-in-3600s";r=0;t=3600')
  expect(await statuses(site, 1)).toEqual([429])
})

test('without its setup it still limits', async () => {
  const guard = rateLimitGuard({ limit: 1, ...SLOW })
  const own = onSite('own', site =>
    site.hooks.handle.tap({ name: 'own', stage: Handle.Guard }, request => void guard(request)),
  )
  const site = await serve([own, answering(() => HttpResponse.text('in'))])
  expect(await statuses(site, 3)).toEqual([200, 429, 429])
})

test('without its setup it cannot count in Redis, and says so', async () => {
  const guard = rateLimitGuard({ limit: 1, ...SLOW, redis: 'redis://127.0.0.1:1' })
  const own = onSite('own', site =>
    site.hooks.handle.tapPromise({ name: 'own', stage: Handle.Guard }, async request => await guard(request)),
  )
  const site = await serve([own, answering(() => HttpResponse.text('in'))])
  expect(await statuses(site, 1)).toEqual([500])
  expect(site.reports[0]?.message).toContain(
    'to connect to Redis it needs guard.setup(site), called in site()',
  )
})

test('a mistake in the options of a guard names the option', () => {
  expect(() => rateLimitGuard({ limit: 0, window: '1s' })).toThrow(
    'config: rateLimitGuard().limit: expected a whole number from 1 to 1000000, got 0',
  )
  expect(() => rateLimitGuard({ limit: 1, window: '1s', allow: ['x'] })).toThrow(
    'config: rateLimitGuard().allow[0]: expected an address',
  )
})
