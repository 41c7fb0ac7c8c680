import fc from 'fast-check'
import { createServer, HttpResponse, type PluginItem, scope } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { basicAuth } from 'rawhttp/plugins/basic-auth'
import { bearerAuth } from 'rawhttp/plugins/bearer-auth'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { cookies } from 'rawhttp/plugins/cookies'
import { cors } from 'rawhttp/plugins/cors'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { headers } from 'rawhttp/plugins/headers'
import { health } from 'rawhttp/plugins/health'
import { inspector } from 'rawhttp/plugins/inspector'
import { ipFilter } from 'rawhttp/plugins/ip-filter'
import { lint } from 'rawhttp/plugins/lint'
import { metrics } from 'rawhttp/plugins/metrics'
import { proxyProtocol } from 'rawhttp/plugins/proxy-protocol'
import { rateLimit } from 'rawhttp/plugins/rate-limit'
import { redirects } from 'rawhttp/plugins/redirects'
import { requestId } from 'rawhttp/plugins/request-id'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { router } from 'rawhttp/plugins/router'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { staticFiles } from 'rawhttp/plugins/static'
import { tls } from 'rawhttp/plugins/tls'
import { trace } from 'rawhttp/plugins/trace'
import { expect, test } from 'vitest'
import { sharedStages } from '../../core/cli/shared-stages.ts'
import { firstPartyNames } from '../../core/config/first-party.ts'
import type { SiteTap } from '../../core/generation.ts'

/** Every plugin of rawhttp, by its name. */
const all: Readonly<Record<string, PluginItem>> = {
  'access-log': accessLog({ file: '/dev/null' }),
  'basic-auth': scope({ path: '/admin/*' }, [basicAuth({ verify: () => true })]),
  'bearer-auth': scope({ path: '/api/*' }, [bearerAuth({ verify: () => 'ann' })]),
  cache: cache(),
  compression: compression(),
  cookies: cookies({ secrets: ['0123456789abcdef0123456789abcdef'] }),
  cors: cors({ origin: '*' }),
  'error-pages': errorPages(),
  headers: headers({ set: { 'x-a': '1' } }),
  health: health(),
  inspector: inspector(),
  'ip-filter': ipFilter({ deny: ['192.0.2.1'], connections: true }),
  lint: lint(),
  metrics: metrics(),
  'proxy-protocol': proxyProtocol({ from: ['192.0.2.2'] }),
  'rate-limit': rateLimit({ limit: 100_000, window: '1s' }),
  redirects: redirects({ rules: { '/old': '/page' } }),
  'request-id': requestId(),
  rewrites: rewrites({ '/alias': '/page' }),
  router: router({ 'GET /page': () => HttpResponse.text('page '.repeat(1_000)) }),
  'security-headers': securityHeaders(),
  static: staticFiles({ root: import.meta.dirname }),
  tls: tls(),
  trace: trace({ sample: 0 }),
}
const names = Object.keys(all)
const orders = fc.shuffledSubarray(names, { minLength: names.length })

const built = async (order: readonly string[]) => {
  const server = await createServer({
    listen: [{ port: 0 }],
    plugins: order.map(name => all[name]),
    sites: [{ name: 's' }],
  })
  return { server, taps: server.generation.taps() }
}

const placeOf = ({ site, hook, stage }: SiteTap): string => `${site} ${hook} ${stage}`
const labelOf = ({ plugin, name }: SiteTap): string => `${plugin} ${name}`

/** What stands at each stage of each hook, in the order in which the stages come. */
function stagesOf(taps: readonly SiteTap[]) {
  const groups = Map.groupBy(taps, placeOf)
  return [...groups].map(([place, group]) => [place, group.map(labelOf).sort()] as const)
}

test('every plugin of rawhttp takes part', () => {
  expect(firstPartyNames()).toEqual(names)
})

test('the order of the config never moves a tap to another stage, and decides only within one', async () => {
  const expected = stagesOf((await built(names)).taps)
  await fc.assert(
    fc.asyncProperty(orders, async order => {
      const { taps } = await built(order)
      expect(stagesOf(taps)).toEqual(expected)
      for (const group of Map.groupBy(taps, placeOf).values()) {
        const places = group.map(({ plugin }) => order.indexOf(plugin))
        expect(places).toEqual(places.toSorted((a, b) => a - b))
      }
    }),
    { numRuns: 60 },
  )
})

test('on connection, handle and transform only the two kinds of credentials share a stage', async () => {
  await fc.assert(
    fc.asyncProperty(orders, async order => {
      const { taps } = await built(order)
      const shared = sharedStages(taps).map(sentence => sentence.replaceAll(/ \([^)]*\)/g, ''))
      const both = order.filter(name => name === 'basic-auth' || name === 'bearer-auth').join(' and ')
      expect(shared).toEqual([`handle: ${both} stand at Handle.Guard: they run in the order of the config`])
    }),
    { numRuns: 20 },
  )
})

test('what clients get is the same in every order', async () => {
  const asked = [
    { url: '/page', headers: { 'accept-encoding': 'gzip', origin: 'http://b' } },
    { url: '/page', headers: { 'accept-encoding': 'gzip', origin: 'http://b' } },
    { url: '/old' },
    { url: '/alias' },
    { url: '/admin/x' },
    { url: '/api/x' },
    { url: '/livez' },
    { url: '/nothing', headers: { accept: 'text/html' } },
    { method: 'POST', url: '/page' },
    {
      method: 'OPTIONS',
      url: '/page',
      headers: { origin: 'http://b', 'access-control-request-method': 'GET' },
    },
    { url: '/%00' },
  ]
  // A certificate is made by start, and proxies and TLS speak to streams, which are none here.
  const withoutStreams = names.filter(name => !['tls', 'proxy-protocol'].includes(name))
  const answers = async (order: readonly string[]) => {
    const { server } = await built(order)
    const told: unknown[] = []
    for (const each of asked) {
      const { status, headers: fields, body } = await server.inject(each)
      const lines = [...fields].filter(([name]) => !VARYING.has(name)).map(line => line.join(': '))
      told.push({ asked: each, status, lines: lines.sort(), length: body.length })
    }
    await server.stop({ deadline: 0 })
    return told
  }
  const expected = await answers(withoutStreams)
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(withoutStreams, { minLength: withoutStreams.length }),
      async order => {
        expect(await answers(order)).toEqual(expected)
      },
    ),
    { numRuns: 25 },
  )
})

/** Fields that tell of the moment or the very request. */
const VARYING = new Set(['date', 'x-request-id', 'ratelimit', 'age', 'content-security-policy'])
