import { Buffer } from 'node:buffer'
import { Handle, HttpResponse, type PluginSite, type Plugins, Transform } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { basicAuth, hashPassword } from 'rawhttp/plugins/basic-auth'
import { bearerAuth, hashToken } from 'rawhttp/plugins/bearer-auth'
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
import { rateLimit } from 'rawhttp/plugins/rate-limit'
import { redirects } from 'rawhttp/plugins/redirects'
import { requestId } from 'rawhttp/plugins/request-id'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { router } from 'rawhttp/plugins/router'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { staticFiles } from 'rawhttp/plugins/static'
import { trace } from 'rawhttp/plugins/trace'
import { onSite } from '../support/in-memory.ts'

/** A plugin at work, beside a handler that answers all paths with one constant of a kilobyte. */
export interface PluginCase {
  /** Why a request has something to do with it, where its name does not say it. */
  readonly what?: string
  /** The file `/1kb.html` is in the folder. */
  readonly plugins: (folder: string) => Plugins | Promise<Plugins>
  /** Field lines of each request. */
  readonly headers?: readonly string[]
  /** Of the constant. */
  readonly answer?: Readonly<Record<string, string>>
}

const token = 'a-token-of-many-characters'
const tap = (name: string, site: PluginSite): void => {
  site.hooks.handle.tap({ name, stage: Handle.Guard }, () => undefined)
  site.hooks.transform.tap({ name, stage: Transform.Encode }, () => undefined)
  site.hooks.deliver.tap(name, () => undefined)
  site.hooks.done.tap(name, () => undefined)
}

/** By the plugin's name; the first two are of the hooks themselves. */
export const pluginCases: Readonly<Record<string, PluginCase>> = {
  'no tap': { what: 'a plugin that taps nothing', plugins: () => [onSite('idle', () => undefined)] },
  'empty taps': {
    what: 'a tap that does nothing on handle, transform, deliver and done',
    plugins: () => [onSite('idle', site => tap('idle', site))],
  },
  'access-log': { plugins: () => [accessLog()] },
  'basic-auth': {
    what: 'a password that is remembered',
    plugins: async () => [basicAuth({ users: { ann: await hashPassword('secret') } })],
    headers: [`authorization: Basic ${Buffer.from('ann:secret').toString('base64')}`],
  },
  'bearer-auth': {
    plugins: () => [bearerAuth({ tokens: { deploy: hashToken(token) } })],
    headers: [`authorization: Bearer ${token}`],
  },
  cache: { what: 'a hit', plugins: () => [cache()], answer: { 'cache-control': 'max-age=3600' } },
  'cache (no-store)': {
    what: 'an answer that may not be kept',
    plugins: () => [cache()],
    answer: { 'cache-control': 'no-store' },
  },
  compression: { what: 'a client that takes no coding', plugins: () => [compression()] },
  'compression and cache': {
    what: 'brotli from the cache',
    plugins: () => [compression(), cache()],
    headers: ['accept-encoding: br'],
    answer: { 'cache-control': 'max-age=3600' },
  },
  cookies: { plugins: () => [cookies({ secrets: ['x'.repeat(32)] })], headers: ['cookie: a=1; b=2'] },
  cors: { plugins: () => [cors({ origin: ['http://a.test'] })], headers: ['origin: http://a.test'] },
  'error-pages': { plugins: () => [errorPages()] },
  headers: { what: 'one field set', plugins: () => [headers({ set: { 'x-a': 'b' } })] },
  health: { plugins: () => [health()] },
  inspector: { what: 'while no page is open', plugins: () => [inspector()] },
  'ip-filter': { plugins: () => [ipFilter({ allow: ['private', 'loopback'] })] },
  lint: { what: 'for development: every request is traced', plugins: () => [lint()] },
  metrics: { plugins: () => [metrics()] },
  'rate-limit': { plugins: () => [rateLimit({ limit: 1_000_000, window: '1s' })] },
  redirects: { what: 'no rule is for it', plugins: () => [redirects({ rules: { '/old/:id': '/new/:id' } })] },
  'request-id': { plugins: () => [requestId()] },
  rewrites: { what: 'another path', plugins: () => [rewrites({ '/1kb.html': '/other' })] },
  router: {
    what: 'in the place of the constant',
    plugins: () => [router({ 'GET /:name': () => routed })],
  },
  'security-headers': { plugins: () => [securityHeaders()] },
  static: { what: 'a file in the place of the constant', plugins: folder => [staticFiles({ root: folder })] },
  trace: { what: 'one request in a hundred', plugins: () => [trace()] },
}

const routed = HttpResponse.text('x'.repeat(1_024))

/** Those that have their work with a connection, not with a request. */
export const ofConnections = ['proxy-protocol', 'tls']
