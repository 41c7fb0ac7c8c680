import fc from 'fast-check'
import { HttpResponse, type PluginItem, type Plugins } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { ipFilter } from 'rawhttp/plugins/ip-filter'
import { rateLimit, rateLimitGuard } from 'rawhttp/plugins/rate-limit'
import { requestId } from 'rawhttp/plugins/request-id'
import { route, router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { expect, test } from 'vitest'
import { tempSite } from '../../plugins/static/temp-site.ts'
import { serve } from '../../support/in-memory.ts'

const FRIEND = '192.0.2.1'
const BANNED = '192.0.2.2'
const LIMIT = 8
const ROUTE_LIMIT = 2

/** Every path is a file, or an answer that any cache may keep. */
const paths = ['/a.txt', '/b.html', '/kept'] as const

/** The plugins, those that answer and those that refuse, by name: each test wants them in an order of its own. */
function plugins(root: string): Readonly<Record<string, () => PluginItem>> {
  const kept = () => HttpResponse.text('secret', { headers: { 'cache-control': 'public, max-age=3600' } })
  const few = rateLimitGuard({ limit: ROUTE_LIMIT, window: '1h', name: 'few' })
  return {
    cache: () => cache(),
    compression: () => compression(),
    static: () => staticFiles({ root }),
    router: () => router({ 'GET /kept': () => kept(), 'GET /few': route({ guards: [few] }, kept) }),
    filter: () => ipFilter({ deny: [BANNED] }),
    limit: () => rateLimit({ limit: LIMIT, window: '1h' }),
    ids: () => requestId(),
  }
}

const names = Object.keys(plugins('/'))

/** An order, and which of them stand in the site's list: those of the root come first there, whatever they are. */
const places = fc.record({
  order: fc.shuffledSubarray(names, { minLength: names.length }),
  inSite: fc.subarray(names),
})

test('a client who is refused never gets what is stored or a file, whatever the order in the config', async () => {
  await using files = await tempSite({ 'a.txt': 'secret', 'b.html': '<p>secret</p>' })
  const path = fc.constantFrom(...paths)
  await fc.assert(
    fc.asyncProperty(places, fc.array(path, { minLength: LIMIT }), async ({ order, inSite }, asked) => {
      const all = plugins(files.root)
      const list = (wanted: (name: string) => boolean): Plugins =>
        order.filter(wanted).map(name => all[name]!())
      const { ask } = await serve({
        plugins: list(name => !inSite.includes(name)),
        sites: [{ name: 'a', plugins: list(name => inSite.includes(name)) }],
      })
      const from = (address: string, url: string) => ask({ url, client: { address, port: 1 } })
      // What there is to be had is in the cache by now.
      for (const url of [...paths, ...paths]) expect((await from(FRIEND, url)).text()).toContain('secret')
      for (const url of paths) {
        const banned = await from(BANNED, url)
        expect([banned.status, banned.text()]).toEqual([403, '403 Forbidden\n'])
        expect(banned.headers.get('x-request-id')).toBeDefined()
      }
      let left = LIMIT - 2 * paths.length
      for (const url of asked) {
        const answer = await from(FRIEND, url)
        expect(answer.status).toBe(left-- > 0 ? 200 : 429)
        expect(answer.text().includes('secret')).toBe(answer.status === 200)
      }
      // A route's own guard holds for what is stored, too.
      const others = [1, 2, 3].map(() => from('192.0.2.3', '/few'))
      expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200, 429])
    }),
    { numRuns: 60 },
  )
})
