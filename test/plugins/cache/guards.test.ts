import { Handle, HttpResponse } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { cached, numbered, statusOf } from './origin.ts'

/** Ways to write a path that somebody may take for the same. */
function spellingsOf(path: string): string[] {
  const [, folder = '', name = ''] = path.split('/')
  const escaped = (text: string, at: number, lower = false) => {
    const code = `%${text.charCodeAt(at).toString(16)}`
    return text.slice(0, at) + (lower ? code : code.toUpperCase()) + text.slice(at + 1)
  }
  const folders = [
    folder,
    folder.toUpperCase(),
    `${folder}%20`,
    `${folder};a=b`,
    `${folder}.`,
    `${folder}%00`,
  ]
  for (let at = 0; at < folder.length; at++) folders.push(escaped(folder, at), escaped(folder, at, true))
  const separators = ['/', '//', '///', '/./', '/a/../', '/%2e/', '%2F', '%2f', '%5C', '\\', '/%2E%2E/']
  const ends = [
    name,
    `${name}/`,
    `${name}?`,
    `${name}?a`,
    `${name};a`,
    `./${name}`,
    escaped(name, 0),
    `${name}#a`,
  ]
  return folders.flatMap(one => separators.flatMap(two => ends.map(end => `/${one}${two}${end}`)))
}

/** Lets in who has the right cookie, as a session does. */
const cookieGuard = (path: string) =>
  onSite('cookie-guard', site =>
    site.hooks.handle.tap({ name: 'cookie-guard', stage: Handle.Guard }, request => {
      if (!request.path.startsWith(path)) return undefined
      request.restrict('session')
      return request.headers.get('cookie') === 'session=ada' ? undefined : HttpResponse.error(401)
    }),
  )

const ADA = { cookie: 'session=ada' }

describe('a guard', () => {
  test('of a route that is for all still refuses the second client, who has no credentials', async () => {
    let runs = 0
    const guard = ({ headers }: { headers: { get(name: string): string | undefined } }) =>
      headers.get('authorization') === 'Bearer ada' ? undefined : HttpResponse.error(401)
    const { ask } = await serve([
      cache(),
      router({
        'GET /secret': route({ guards: [guard] }, () =>
          HttpResponse.text(`run ${++runs}`, { headers: { 'cache-control': 'public, max-age=60' } }),
        ),
      }),
    ])
    const withKey = { url: '/secret', headers: { authorization: 'Bearer ada' } }
    expect((await ask(withKey)).text()).toBe('run 1')
    expect(statusOf(await ask(withKey))).toBe('hit; ttl=60')
    expect((await ask('/secret')).status).toBe(401)
    expect(runs).toBe(1)
  })

  test('that goes by a cookie has nothing stored that only says how long it is fresh', async () => {
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }), {}, [cookieGuard('/')])
    expect((await site.ask({ headers: ADA })).text()).toBe('run 1')
    expect((await site.ask({ headers: ADA })).text()).toBe('run 2')
    expect((await site.ask()).status).toBe(401)
    expect(site.service.stats).toMatchObject({ entries: 0, stored: 0 })
  })

  test('gives a client that it knows nothing that was made for those whom it does not', async () => {
    const perhaps = onSite('perhaps', site =>
      site.hooks.handle.tap({ name: 'perhaps', stage: Handle.Guard }, request => {
        if (request.headers.has('cookie')) request.restrict('session')
      }),
    )
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }), {}, [perhaps])
    expect((await site.ask()).text()).toBe('run 1')
    expect((await site.ask({ headers: ADA })).text()).toBe('run 2')
    expect((await site.ask()).text()).toBe('run 1')
  })

  test('is not passed by any spelling of a path once the page is stored', async () => {
    const site = await cached(numbered({ 'cache-control': 'public, max-age=60' }), {}, [
      cookieGuard('/admin/'),
    ])
    await site.ask({ url: '/admin/x', headers: ADA })
    expect(site.service.stats.entries).toBe(1)
    const all = spellingsOf('/admin/x')
    expect(all.length).toBeGreaterThanOrEqual(200)
    for (const spelling of all) {
      const answer = await site.ask({ url: spelling })
      if (answer.text() === 'run 1') expect.unreachable(`${spelling} got the page`)
    }
    expect((await site.ask({ url: '/%61dmin/./x', headers: ADA })).text()).toBe('run 1')
  })

  test('behind the cache that restricts late keeps the answer out, too', async () => {
    const late = onSite('late', site =>
      site.hooks.handle.tap({ name: 'late', stage: Handle.Route - 1 }, request => request.restrict('late')),
    )
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }), {}, [late])
    await site.ask()
    expect((await site.ask()).text()).toBe('run 2')
  })
})

test('without `cache` in a site nothing is stored there, and there is no service', async () => {
  const { Slots } = await import('rawhttp')
  const seen: unknown[] = []
  const look = onSite('look', site => void seen.push(site.get(Slots.cache) === undefined))
  await serve({
    plugins: [cache()],
    sites: [
      { name: 'with', plugins: [look] },
      { name: 'out', hosts: ['out'], without: ['cache'], plugins: [look] },
    ],
  })
  expect(seen).toEqual([false, true])
})
