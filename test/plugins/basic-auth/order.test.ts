import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { HttpResponse, Slots, scope } from 'rawhttp'
import { basicAuth } from 'rawhttp/plugins/basic-auth'
import { bearerAuth, hashToken } from 'rawhttp/plugins/bearer-auth'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { cors } from 'rawhttp/plugins/cors'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { router } from 'rawhttp/plugins/router'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { staticFiles } from 'rawhttp/plugins/static'
import { expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { tempFile } from '../../support/temp-file.ts'
import { basic, cheapHash } from './site.ts'

const SECRET = 'the house has a secret '.repeat(100)
const hash = await cheapHash('x')
const token = (name: string) => `${name}-0123456789-0123456789`

/** By Basic below /people, by token below /machines; ann and bob may in both. */
const credentials = {
  '/people': (name: string) => basic(name, 'x'),
  '/machines': (name: string) => ({ authorization: `Bearer ${token(name)}` }),
}

/** Whether an answer was for whoever asks, or for one of them. */
const kinds = {
  mine: 'max-age=60',
  ours: 'public, max-age=60',
  stale: 'max-age=0, stale-while-revalidate=60',
}

const guards = [
  () => scope({ path: '/people/*' }, [basicAuth({ users: { ann: hash, bob: hash } })]),
  () =>
    scope({ path: '/machines/*' }, [
      bearerAuth({ tokens: { ann: hashToken(token('ann')), bob: hashToken(token('bob')) } }),
    ]),
]

const others = (root: string) => [
  () => cache(),
  () => staticFiles({ root }),
  () => compression(),
  () => errorPages(),
  () => cors({ origin: ['https://a.example'], credentials: true }),
  () => securityHeaders(),
  () =>
    router({
      'GET /:area/api/:kind': ({ request, params }) =>
        HttpResponse.text(`${SECRET} of ${request.get(Slots.user)}`, {
          headers: { 'cache-control': kinds[params.kind as keyof typeof kinds] },
        }),
    }),
]

/** A folder with the same file in both areas. */
async function makeRoot(): Promise<string> {
  const file = await tempFile('root.txt', 'open')
  for (const area of ['people', 'machines']) {
    await mkdir(join(dirname(file), area))
    await writeFile(join(dirname(file), area, 'file.txt'), SECRET)
  }
  return dirname(file)
}

const step = fc.record({
  who: fc.constantFrom('ann', 'bob', 'mallory', null),
  area: fc.constantFrom('/people' as const, '/machines' as const),
  path: fc.constantFrom('/file.txt', '/api/mine', '/api/ours', '/api/stale', '/./file.txt', '//api//ours'),
  method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'OPTIONS'),
  extra: fc.constantFrom<Record<string, string>>(
    {},
    { 'accept-encoding': 'gzip' },
    { range: 'bytes=0-9' },
    { origin: 'https://a.example' },
    { 'if-none-match': '*' },
    { cookie: 'session=ann' },
  ),
})

test('in any order of the plugins nobody gets what is not for them, stored or not', async () => {
  const root = await makeRoot()
  const plugins = [...guards, ...others(root)]
  const order = fc.shuffledSubarray(plugins, { minLength: plugins.length })
  await fc.assert(
    fc.asyncProperty(order, fc.array(step, { minLength: 10, maxLength: 30 }), async (order, steps) => {
      const { ask, server } = await serve(order.map(make => make()))
      for (const { who, area, path, method, extra } of steps) {
        const headers = { ...extra, ...(who === null ? {} : credentials[area](who)) }
        const answer = await ask({ method, url: area + path, headers })
        const isKnown = who === 'ann' || who === 'bob'
        if (!isKnown) expect(answer.status).toBe(401)
        else expect(answer.status).not.toBe(401)
        const text = extra['accept-encoding'] === undefined ? answer.text() : ''
        if (!isKnown) expect(text).not.toContain('secret')
        const owner = / of (\w+)$/.exec(text)?.[1]
        if (owner !== undefined && !path.endsWith('ours')) expect(owner).toBe(who)
      }
      await server.stop({ deadline: 0 })
    }),
    { numRuns: 40 },
  )
})

test('an answer that is for all who are let in is stored, and still for nobody else', async () => {
  const root = await makeRoot()
  for (const isFirst of [true, false]) {
    const rest = others(root).map(make => make())
    const auth = guards.map(make => make())
    const { ask } = await serve(isFirst ? [...auth, ...rest] : [...rest, ...auth])
    const ours = (name: string) => ask({ url: '/people/api/ours', headers: basic(name, 'x') })
    expect((await ours('ann')).text()).toMatch(/ of ann$/)
    const second = await ours('bob')
    expect([second.text().endsWith(' of ann'), second.headers.get('cache-status')]).toEqual([
      true,
      'rawhttp; hit; ttl=60',
    ])
    expect((await ask('/people/api/ours')).status).toBe(401)
    expect((await ours('mallory')).status).toBe(401)
  }
})
