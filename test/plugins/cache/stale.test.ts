import { Handle, HttpError, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { turns } from '../../support/turns.ts'
import { cached, numbered, statusOf, stoppedClock } from './origin.ts'

const WHILE = { 'cache-control': 'max-age=10, stale-while-revalidate=30' }
const IF_ERROR = { 'cache-control': 'max-age=10, stale-if-error=30' }

describe('stale-while-revalidate', () => {
  test('gives the old answer at once and has a new one made behind its back, once', async () => {
    const clock = stoppedClock()
    const gate = Promise.withResolvers<void>()
    const site = await cached(async (_request, run) => {
      if (run === 2) await gate.promise
      return HttpResponse.text(`run ${run}`, { headers: WHILE })
    })
    await site.ask()
    clock.move(15_000)
    for (let i = 0; i < 20; i++) {
      const answer = await site.ask()
      expect([answer.text(), statusOf(answer), answer.headers.get('age')]).toEqual([
        'run 1',
        'hit; ttl=-5',
        '15',
      ])
    }
    await turns()
    expect(site.runs).toBe(2)
    gate.resolve()
    await turns()
    expect([(await site.ask()).text(), site.runs]).toEqual(['run 2', 2])
    expect(site.reports).toEqual([])
  })

  test('ends with its time', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered(WHILE))
    await site.ask()
    clock.move(40_000)
    expect(await site.status()).toBe('fwd=stale; stored')
  })

  test.each(['must-revalidate', 'proxy-revalidate'])('is not for what says %s', async directive => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': `${WHILE['cache-control']}, ${directive}` }))
    await site.ask()
    clock.move(15_000)
    expect((await site.ask()).text()).toBe('run 2')
  })

  test('beside s-maxage is what the origin asked for', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': 's-maxage=10, stale-while-revalidate=30' }))
    await site.ask()
    clock.move(15_000)
    expect((await site.ask()).text()).toBe('run 1')
  })

  test('answers HEAD, conditions and parts with the old one, and makes a whole new one', async () => {
    const clock = stoppedClock()
    const methods: string[] = []
    const site = await cached((request, run) => {
      methods.push(
        `${request.method} ${request.headers.get('range')} ${request.headers.get('if-none-match')}`,
      )
      return HttpResponse.text(`run ${run}`, { headers: { ...WHILE, etag: `"${run}"` } })
    })
    await site.ask()
    clock.move(15_000)
    await site.ask({ method: 'HEAD', headers: { range: 'bytes=0-1', 'if-none-match': '"1"' } })
    await turns()
    expect(methods).toEqual(
      ['GET null null', 'GET undefined undefined'].map(text => text.replaceAll('null', 'undefined')),
    )
    expect((await site.ask()).text()).toBe('run 2')
  })

  test('leaves a handler that fails alone for a second', async () => {
    const clock = stoppedClock()
    const site = await cached((_request, run) => {
      if (run > 1) throw new HttpError(503)
      return HttpResponse.text(`run ${run}`, { headers: WHILE })
    })
    await site.ask()
    clock.move(15_000)
    for (let i = 0; i < 5; i++) {
      expect((await site.ask()).text()).toBe('run 1')
      await turns()
    }
    expect(site.runs).toBe(2)
    clock.move(1_000)
    await site.ask()
    await turns()
    expect(site.runs).toBe(3)
  })

  test('passes the guards anew, with what the client sent, and their refusal costs nothing', async () => {
    const clock = stoppedClock()
    const seen: (string | undefined)[] = []
    const guard = onSite('guard', site =>
      site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard }, request => {
        seen.push(request.headers.get('x-key'))
        return seen.length === 3 ? HttpResponse.error(429) : undefined
      }),
    )
    const site = await cached(numbered(WHILE), {}, [guard])
    const ask = async () => (await site.ask({ headers: { 'x-key': 'k' } })).text()
    await ask()
    clock.move(15_000)
    expect(await ask()).toBe('run 1')
    await turns()
    expect(seen).toEqual(['k', 'k', 'k'])
    expect(await ask()).toBe('run 1')
  })

  test('runs nothing behind the back of a client with credentials', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': `public, ${WHILE['cache-control']}` }))
    const ask = async () => (await site.ask({ headers: { authorization: 'a' } })).text()
    await ask()
    clock.move(15_000)
    expect(await ask()).toBe('run 2')
  })

  test('is counted in the log as a request of its own that only updates', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered(WHILE))
    await site.ask()
    clock.move(15_000)
    await site.ask()
    await turns()
    const { Slots } = await import('rawhttp')
    expect(site.done.map(({ request }) => request.get(Slots.cacheStatus))).toEqual([
      'miss',
      'stale',
      'updating',
    ])
    expect(site.done.map(({ outcome }) => outcome.result)).toEqual(['sent', 'sent', 'sent'])
  })
})

describe('stale-if-error', () => {
  test.each([500, 502, 503, 504])('gives the old answer in the place of a %i', async status => {
    const clock = stoppedClock()
    const site = await cached((_request, run) => {
      if (run > 1) throw new HttpError(status)
      return HttpResponse.text(`run ${run}`, { headers: IF_ERROR })
    })
    await site.ask()
    clock.move(15_000)
    const answer = await site.ask()
    expect([answer.status, answer.text(), answer.headers.get('age')]).toEqual([200, 'run 1', '15'])
    expect(statusOf(answer)).toBe(`fwd=stale; fwd-status=${status}; ttl=-5`)
    // For a second the handler is left alone.
    expect(await site.status()).toBe('hit; ttl=-5')
    expect(site.runs).toBe(2)
    clock.move(1_000)
    await site.ask()
    expect(site.runs).toBe(3)
    clock.move(25_000)
    expect((await site.ask()).status).toBe(status)
  })

  test('is for those who waited, too', async () => {
    const clock = stoppedClock()
    const gate = Promise.withResolvers<void>()
    const site = await cached(async (_request, run) => {
      if (run > 1) await gate.promise
      return HttpResponse.text(`run ${run}`, { headers: IF_ERROR, status: run > 1 ? 500 : 200 })
    })
    await site.ask()
    clock.move(15_000)
    const asked = [site.ask(), site.ask(), site.ask()]
    await turns()
    gate.resolve()
    expect((await Promise.all(asked)).map(answer => answer.text())).toEqual(['run 1', 'run 1', 'run 1'])
    expect(site.runs).toBe(2)
  })

  test('does not hide that something is gone', async () => {
    const clock = stoppedClock()
    const site = await cached((_request, run) =>
      HttpResponse.text(`run ${run}`, { headers: run === 1 ? IF_ERROR : {}, status: run === 1 ? 200 : 404 }),
    )
    await site.ask()
    clock.move(15_000)
    expect((await site.ask()).status).toBe(404)
    expect(site.service.stats.entries).toBe(0)
  })
})

describe('what has expired', () => {
  test('with the same strong tag keeps its bytes, with the new fields and a new time', async () => {
    const clock = stoppedClock()
    const site = await cached((_request, run) =>
      HttpResponse.text(`run ${run}`, {
        headers: { 'cache-control': 'max-age=10', etag: '"same"', 'x-run': `${run}` },
      }),
    )
    await site.ask()
    clock.move(10_000)
    const answer = await site.ask()
    expect([answer.text(), answer.headers.get('x-run'), statusOf(answer)]).toEqual([
      'run 1',
      '2',
      'fwd=stale; stored',
    ])
    clock.move(9_000)
    expect(await site.status()).toBe('hit; ttl=1')
  })

  test('and has come to depend on what the request says parts who got it before', async () => {
    const clock = stoppedClock()
    const site = await cached((_request, run) =>
      HttpResponse.text(`run ${run}`, {
        headers: { 'cache-control': 'max-age=10', etag: '"same"', ...(run > 1 ? { vary: 'x-a' } : {}) },
      }),
    )
    await site.ask()
    clock.move(10_000)
    const ask = async (value: string) => (await site.ask({ headers: { 'x-a': value } })).text()
    expect([await ask('1'), await ask('2'), await ask('1')]).toEqual(['run 2', 'run 3', 'run 2'])
  })

  test('with another status is another answer, whatever its tag', async () => {
    const clock = stoppedClock()
    const site = await cached((_request, run) =>
      HttpResponse.text(`run ${run}`, {
        status: run === 1 ? 200 : 410,
        headers: { 'cache-control': 'max-age=10', etag: '"same"' },
      }),
    )
    await site.ask()
    clock.move(10_000)
    const answer = await site.ask()
    expect([answer.status, answer.text()]).toEqual([410, 'run 2'])
  })

  test('with a weak tag does not: it promises less', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': 'max-age=10', etag: 'W/"same"' }))
    await site.ask()
    clock.move(10_000)
    expect((await site.ask()).text()).toBe('run 2')
  })
})
