import { createServer, Handle, HttpResponse, type Plugins, Slots } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { turns } from '../../support/turns.ts'
import { origin } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

/** A server with nothing but these plugins: another one would be a change. */
async function serve(...plugins: Plugins) {
  const server = await createServer({ plugins })
  onTestFinished(() => server.stop({ deadline: 0 }))
  return {
    ask: (url = '/') => server.inject(url),
    reload: (...next: Plugins) => server.reload({ plugins: next }),
  }
}

describe('at a reload', () => {
  test('what is fresh stays if the site is the same', async () => {
    const { plugin, runs } = origin((_request, run) => HttpResponse.text(`run ${run}`, { headers: FRESH }))
    const { ask, reload } = await serve(cache(), plugin)
    await ask()
    await reload(cache(), plugin)
    expect([(await ask()).text(), runs()]).toEqual(['run 1', 1])
  })

  test('it goes if another plugin has changed', async () => {
    const one = origin(() => HttpResponse.text('one', { headers: FRESH }))
    const two = origin(() => HttpResponse.text('two', { headers: FRESH }))
    const { ask, reload } = await serve(cache(), one.plugin)
    await ask()
    await reload(cache(), two.plugin)
    expect((await ask()).text()).toBe('two')
  })

  test('what its source holds goes in any case: the source is of the old config', async () => {
    const { plugin } = origin((request, run) => {
      const response = HttpResponse.text(`run ${run}`, request.path === '/fresh' ? { headers: FRESH } : {})
      if (request.path === '/held') response.isCurrent = () => true
      return response
    })
    const { ask, reload } = await serve(cache(), plugin)
    for (const path of ['/fresh', '/held']) await ask(path)
    await reload(cache(), plugin)
    expect([(await ask('/fresh')).text(), (await ask('/held')).text()]).toEqual(['run 1', 'run 3'])
  })

  test('what the old config still makes is sent, and not stored', async () => {
    const gate = Promise.withResolvers<void>()
    const old = origin(async () => {
      await gate.promise
      return HttpResponse.text('old', { headers: FRESH })
    })
    const next = origin(() => HttpResponse.text('new', { headers: FRESH }))
    const { ask, reload } = await serve(cache(), old.plugin)
    const asked = [ask(), ask()]
    await turns()
    await reload(cache(), next.plugin)
    gate.resolve()
    await turns()
    expect((await Promise.all(asked)).map(answer => answer.text())).toEqual(['old', 'old'])
    expect((await ask()).text()).toBe('new')
  })

  test('a request that reaches the cache of the old config afterwards goes on alone', async () => {
    const gate = Promise.withResolvers<void>()
    const slow = onSite('slow', site =>
      site.hooks.handle.tapPromise({ name: 'slow', stage: Handle.Guard }, () => gate.promise),
    )
    const old = origin(() => HttpResponse.text('old', { headers: FRESH }))
    const next = origin(() => HttpResponse.text('new', { headers: FRESH }))
    const { ask, reload } = await serve(cache(), slow, old.plugin)
    const asked = ask()
    await turns()
    await reload(cache(), next.plugin)
    gate.resolve()
    expect((await asked).text()).toBe('old')
    expect((await ask()).text()).toBe('new')
  })

  test('a smaller bound holds at once', async () => {
    const { plugin } = origin(() => HttpResponse.bytes(Buffer.alloc(10_000), { headers: FRESH }))
    let bytes = () => 0
    const seeing = onSite('seeing', site => {
      if (site.name !== '-') bytes = () => site.get(Slots.cache)!.stats.bytes
    })
    const { ask, reload } = await serve(cache(), seeing, plugin)
    for (let i = 0; i < 20; i++) await ask(`/${i}`)
    expect(bytes()).toBeGreaterThan(200_000)
    await reload(cache({ maxSize: '64kb' }), seeing, plugin)
    for (let i = 0; i < 20; i++) await ask(`/${i}`)
    expect(bytes()).toBeLessThanOrEqual(65_536)
  })
})
