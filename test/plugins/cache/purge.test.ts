import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { turns } from '../../support/turns.ts'
import { encoding } from './encoding.ts'
import { cached, numbered, stoppedClock } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

async function filled(urls: readonly string[]) {
  const site = await cached((request, run) =>
    HttpResponse.text(`run ${run}`, {
      headers: { ...FRESH, 'cache-tag': `all, ${request.path.split('/')[1]}` },
    }),
  )
  for (const url of urls) await site.ask(url)
  /** Those that are still there. */
  const left = async () => {
    const found: string[] = []
    for (const url of urls) {
      const answer = await site.ask({ url, headers: { 'cache-control': 'only-if-cached' } })
      if (answer.status === 200) found.push(url)
    }
    return found
  }
  return { ...site, left }
}

describe('purging', () => {
  const urls = [
    'http://a.test/news',
    'https://a.test/news',
    'http://b.test/news',
    'http://a.test/news?p=2',
    'http://a.test/newsletter',
    'http://a.test/news/1',
  ]

  test('by path drops it on every host and scheme, and no other query', async () => {
    const { service, left } = await filled(urls)
    expect(service.purge('/news')).toBe(3)
    expect(await left()).toEqual(urls.slice(3))
    expect(service.purge('/news')).toBe(0)
  })

  test('by URL drops one', async () => {
    const { service, left } = await filled(urls)
    expect(service.purge('HTTP://A.test:80/x/../%6Eews?p=2')).toBe(1)
    expect(await left()).toEqual(urls.filter(url => !url.includes('?')))
  })

  test('by prefix drops all that begins so', async () => {
    const { service, left } = await filled(urls)
    expect(service.purgePrefix('/news/')).toBe(1)
    expect(service.purgePrefix('http://a.test/news')).toBe(3)
    expect(await left()).toEqual(['https://a.test/news', 'http://b.test/news'])
  })

  test('by tag drops what named it, and clients never see the tags', async () => {
    const site = await filled(['/a/1', '/a/2', '/b/1'])
    expect((await site.ask('/a/1')).headers.has('cache-tag')).toBe(false)
    expect(site.service.purgeTag('a')).toBe(2)
    expect(await site.left()).toEqual(['/b/1'])
    expect(site.service.purgeTag('unknown')).toBe(0)
    expect(site.service.purgeTag('all')).toBe(1)
  })

  test('of all leaves nothing', async () => {
    const { service, left } = await filled(urls)
    expect(service.purgeAll()).toBe(6)
    expect(await left()).toEqual([])
    expect(service.stats).toMatchObject({ entries: 0 })
  })

  test.each(['news', '', 'ftp://a/news', '/%zz', '/a#b'])('refuses %j in a sentence', async url => {
    const { service } = await filled(['/a'])
    expect(() => service.purge(url)).toThrow(`expected a path such as "/news" or an http URL, got "${url}"`)
  })

  test('hides tags of answers that are not stored, too', async () => {
    const site = await cached(numbered({ 'cache-tag': 'secret' }))
    expect((await site.ask()).headers.has('cache-tag')).toBe(false)
  })
})

describe('a purge while the handler is at work wins', () => {
  test.each([
    ['URL', '/a'],
    ['prefix', '/'],
    ['tag', 'a'],
  ])(
    'by %s: what was begun before is not stored, and who comes later does not wait for it',
    async (by, what) => {
      const gates: PromiseWithResolvers<void>[] = []
      const site = await cached(async (_request, run) => {
        const gate = Promise.withResolvers<void>()
        gates.push(gate)
        await gate.promise
        return HttpResponse.text(`run ${run}`, { headers: { ...FRESH, 'cache-tag': 'a' } })
      })
      const before = site.ask('/a')
      await turns()
      const purge = { URL: site.service.purge, prefix: site.service.purgePrefix, tag: site.service.purgeTag }
      purge[by as keyof typeof purge](what)
      const after = site.ask('/a')
      await turns()
      expect(gates.length).toBe(2)
      gates[1]!.resolve()
      expect((await after).text()).toBe('run 2')
      gates[0]!.resolve()
      expect((await before).text()).toBe('run 1')
      expect((await site.ask('/a')).text()).toBe('run 2')
    },
  )

  test.each(['purge', 'tag'])(
    'over a stale answer, too, that would have stood in for a failure: %s',
    async by => {
      const clock = stoppedClock()
      const gate = Promise.withResolvers<void>()
      const site = await cached(async (_request, run) => {
        if (run === 1)
          return HttpResponse.text('old', {
            headers: { 'cache-control': 'max-age=1, stale-if-error=60', 'cache-tag': 'a' },
          })
        await gate.promise
        return HttpResponse.error(500)
      })
      await site.ask('/a')
      clock.move(2_000)
      const asked = site.ask('/a')
      await turns()
      if (by === 'tag') site.service.purgeTag('a')
      else site.service.purge('/a')
      gate.resolve()
      expect((await asked).status).toBe(500)
    },
  )

  test('and what it has overtaken is not even encoded for the store', async () => {
    const { plugin, made } = encoding()
    const gate = Promise.withResolvers<void>()
    const site = await cached(
      async () => {
        await gate.promise
        return HttpResponse.text('text', { headers: FRESH })
      },
      {},
      [plugin],
    )
    const asked = site.ask({ url: '/a', headers: { 'accept-encoding': 'gzip' } })
    await turns()
    site.service.purge('/a')
    gate.resolve()
    await asked
    expect(made).toEqual(['gzip to send'])
  })

  test('and those who waited before it have it made anew', async () => {
    const gates: PromiseWithResolvers<void>[] = []
    const site = await cached(async (_request, run) => {
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      return HttpResponse.text(`run ${run}`, { headers: FRESH })
    })
    const asked = [site.ask('/a'), site.ask('/a'), site.ask('/a')]
    await turns()
    site.service.purge('/a')
    gates[0]!.resolve()
    await turns()
    expect(gates.length).toBe(2)
    gates[1]!.resolve()
    expect((await Promise.all(asked)).map(answer => answer.text())).toEqual(['run 1', 'run 2', 'run 2'])
  })
})

describe('an unsafe method', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'MKCOL'])('%s drops what it has changed', async method => {
    const site = await cached(numbered(FRESH))
    await site.ask('/a?x=1')
    await site.ask('/b')
    await site.ask({ url: '/a?x=1', method })
    expect((await site.ask('/a?x=1')).text()).toBe('run 4')
    expect((await site.ask('/b')).text()).toBe('run 2')
  })

  test('that fails drops nothing', async () => {
    const site = await cached((request, run) =>
      HttpResponse.text(`run ${run}`, { headers: FRESH, status: request.method === 'POST' ? 400 : 200 }),
    )
    await site.ask('/a')
    await site.ask({ url: '/a', method: 'POST' })
    expect((await site.ask('/a')).text()).toBe('run 1')
  })

  test('drops what its answer points to, on the same origin only', async () => {
    const site = await cached((request, run) =>
      HttpResponse.text(`run ${run}`, {
        status: request.method === 'POST' ? 201 : 200,
        headers:
          request.method === 'POST'
            ? { location: '../b?x=1', 'content-location': 'http://other.test/c' }
            : FRESH,
      }),
    )
    const urls = ['http://a.test/b?x=1', 'http://other.test/c', 'http://a.test/c']
    for (const url of urls) await site.ask(url)
    await site.ask({ url: 'http://a.test/d/e', method: 'POST' })
    expect(await Promise.all(urls.map(async url => (await site.ask(url)).text()))).toEqual([
      'run 5',
      'run 2',
      'run 3',
    ])
  })

  test.each(['OPTIONS', 'QUERY'])('is not %s', async method => {
    const site = await cached(numbered(FRESH))
    await site.ask('/a')
    await site.ask({ url: '/a', method })
    expect((await site.ask('/a')).text()).toBe('run 1')
  })
})
