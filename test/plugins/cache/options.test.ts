import { createServer, HttpResponse, Slots, scope } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { describe, expect, test } from 'vitest'
import { cached, numbered, statusOf, stoppedClock } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

describe('a mistake in the options is one sentence with its place', () => {
  test.each([
    [{ maxSize: '1kb' }, "maxSize: expected a size from '64kb' such as '64mb', got '1kb'"],
    [{ maxSize: 'big' }, "maxSize: expected a size from '64kb' such as '64mb', got 'big'"],
    [{ maxEntrySize: 0 }, "maxEntrySize: expected a size such as '4mb', got 0"],
    [{ maxEntries: 0.5 }, 'maxEntries: expected a whole number from 1, got 0.5'],
    [{ obeyClients: 'yes' }, 'obeyClients: expected boolean, got'],
    [{ maxsize: '64mb' }, 'did you mean'],
    ['64mb', "expected options such as { maxSize: '64mb' }, got '64mb'"],
  ])('%j', async (options, sentence) => {
    await expect(createServer({ plugins: [cache(options as never)] })).rejects.toThrow(sentence)
  })

  test('a second cache on one site', async () => {
    const plugins = [scope({ path: '/a/*' }, [cache()]), scope({ path: '/b/*' }, [cache()])]
    await expect(createServer({ plugins })).rejects.toThrow('a site has one cache')
  })
})

test('inside a scope only its requests are cached', async () => {
  const { origin } = await import('./origin.ts')
  const { serve } = await import('../../support/in-memory.ts')
  const { plugin, runs } = origin(() => HttpResponse.text('a', { headers: FRESH }))
  const { ask } = await serve([scope({ path: '/a/*' }, [cache()]), plugin])
  for (const url of ['/a/1', '/a/1', '/b', '/b']) await ask(url)
  expect(runs()).toBe(3)
})

describe('what clients demand', () => {
  test.each([
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'no-store' },
    { 'cache-control': 'max-age=0' },
    { 'cache-control': 'min-fresh=3600' },
    { pragma: 'no-cache' },
  ])('%j is left alone: it would let everybody run the handlers', async headers => {
    const site = await cached(numbered(FRESH))
    await site.ask({ headers })
    expect((await site.ask({ headers })).text()).toBe('run 1')
  })

  test('only-if-cached is answered with what is stored, or 504', async () => {
    const site = await cached(numbered(FRESH))
    const headers = { 'cache-control': 'only-if-cached' }
    expect((await site.ask({ headers })).status).toBe(504)
    await site.ask()
    expect((await site.ask({ headers })).text()).toBe('run 1')
    expect([site.runs, site.reports]).toEqual([1, []])
  })

  test('is obeyed where the option says so', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered(FRESH), { obeyClients: true })
    const ask = async (cacheControl: string) => {
      const answer = await site.ask({ headers: { 'cache-control': cacheControl } })
      return `${answer.text()}, ${statusOf(answer)}`
    }
    await site.ask()
    clock.move(30_000)
    expect(await ask('max-age=30')).toBe('run 1, hit; ttl=30')
    expect(await ask('min-fresh=30')).toBe('run 1, hit; ttl=30')
    expect(await ask('no-store')).toBe('run 1, hit; ttl=30')
    expect(await ask('max-age=29')).toBe('run 2, fwd=request; stored')
    expect(await ask('min-fresh=61')).toBe('run 3, fwd=request; stored')
    expect(await ask('no-cache')).toBe('run 4, fwd=request; stored')
    expect((await site.ask({ headers: { pragma: 'no-cache' } })).text()).toBe('run 5')
    clock.move(70_000)
    expect(await ask('max-stale=10')).toBe('run 5, hit; ttl=-10')
    expect(await ask('max-stale')).toBe('run 5, hit; ttl=-10')
    expect(await ask('max-stale=9, no-store')).toBe('run 6, fwd=request')
    expect(await ask('max-stale=9')).toBe('run 7, fwd=stale; stored')
  })

  test('max-stale is not for what must not be used stale', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': 's-maxage=10' }), { obeyClients: true })
    await site.ask()
    clock.move(11_000)
    expect((await site.ask({ headers: { 'cache-control': 'max-stale' } })).text()).toBe('run 2')
  })
})

describe('Cache-Status', () => {
  test('says in RFC 9211 what the cache did, without a word of the client', async () => {
    const site = await cached(numbered({}))
    expect((await site.ask('/a')).headers.get('cache-status')).toBe('rawhttp; fwd=uri-miss')
    expect(await site.status({ url: '/a', method: 'POST' })).toBe('fwd=method')
    expect(await site.status({ url: '/a', headers: { authorization: 'x' } })).toBe('fwd=bypass')
  })

  test('comes behind that of caches further up', async () => {
    const site = await cached(numbered({ ...FRESH, 'cache-status': 'up; hit' }))
    await site.ask()
    expect((await site.ask()).headers.get('cache-status')).toBe('up; hit, rawhttp; hit; ttl=60')
  })

  test('is silent where the option says so, but for the log', async () => {
    const site = await cached(numbered(FRESH), { cacheStatus: false })
    expect((await site.ask()).headers.has('cache-status')).toBe(false)
    expect(site.done[0]!.request.get(Slots.cacheStatus)).toBe('miss')
  })

  test('is not there where a guard has answered', async () => {
    const { Handle } = await import('rawhttp')
    const { onSite } = await import('../../support/in-memory.ts')
    const guard = onSite('guard', site =>
      site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard }, () => HttpResponse.error(403)),
    )
    const site = await cached(numbered(FRESH), {}, [guard])
    expect((await site.ask()).headers.has('cache-status')).toBe(false)
  })
})
