import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { definePlugin, Handle, HttpResponse, type Plugins } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { basicAuth } from 'rawhttp/plugins/basic-auth'
import { bearerAuth, hashToken } from 'rawhttp/plugins/bearer-auth'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { cookies, cookiesOf } from 'rawhttp/plugins/cookies'
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
import type { ContractOptions, Subject } from 'rawhttp/testing'
import { basic, cheapHash } from '../../plugins/basic-auth/site.ts'
import { openRedis, type RedisServer } from '../../plugins/rate-limit/redis-server.ts'
import { issue } from '../../plugins/tls/issue.ts'
import { answering } from '../../support/server.ts'

/** A plugin and what it is tried with. */
export interface Tried extends ContractOptions {
  readonly plugin: Subject
  /** The system tool that it cannot do without. */
  readonly needs?: string
}

/** What the plugins need of the disk and of other programs. */
export interface Parts {
  readonly dir: string
  /** What holds a token of Ann, for a month. */
  readonly token: string
  /** The URL of a Redis server, which begins with the first who asks. */
  redis(): Promise<string>
}

/** A folder with pages in it, an hour old so that their tags are strong. */
export async function makeParts(): Promise<Parts & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'rawhttp-contract-'))
  const then = new Date(Date.now() - 3_600_000)
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(dir, name), text)
    await utimes(join(dir, name), then, then)
  }
  const { cert, key } = await issue()
  await writeFile(join(dir, 'cert.pem'), cert)
  await writeFile(join(dir, 'key.pem'), key)
  const signer = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(signer.publicKey)), kid: 'one', alg: 'ES256' }
  await writeFile(join(dir, 'keys.json'), JSON.stringify({ keys: [jwk] }))
  const token = await new SignJWT({ ...claims, sub: 'ann' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('30d')
    .sign(signer.privateKey)
  let server: Promise<RedisServer> | null = null
  const redis = async () => {
    server ??= openRedis()
    return (await server).url
  }
  const dispose = async () => {
    await (await server)?.[Symbol.asyncDispose]()
    await rm(dir, { recursive: true, force: true })
  }
  return { dir, token, redis, [Symbol.asyncDispose]: dispose }
}

const claims = { iss: 'https://issuer.example/', aud: 'https://api.example.com' }

const files = {
  'page.html': `<!doctype html><title>A page</title>${'<p>Words that many pages have.</p>'.repeat(200)}`,
  'small.txt': 'a few words',
  '404.html': '<!doctype html><title>{{status}}</title><p>{{detail}}</p>',
}

/** A cacheable answer and a page, made by a handler. */
const pages: Plugins = [
  answering(({ path }) => {
    if (path === '/made') return HttpResponse.html('<p>made</p>'.repeat(500), { headers: fresh })
    if (path === '/lost') return HttpResponse.error(404, 'Nobody knows <this>.')
    return undefined
  }),
]
const fresh = { 'cache-control': 'max-age=60', etag: '"made-1"' }

const hash = await cheapHash('secret')
const secrets = ['0123456789abcdef0123456789abcdef']

const setsCookies = definePlugin({
  name: 'test-cookies',
  site: ({ hooks }) =>
    hooks.handle.tap({ name: 'test-cookies', stage: Handle.Route }, request => {
      if (request.path !== '/cookie') return undefined
      cookiesOf(request).set('seen', 'yes')
      return HttpResponse.text(cookiesOf(request).getSigned('session')?.value ?? 'nobody')
    }),
})

/** The client's side of TLS over a stream. */
const shakeHands = (stream: Duplex): Duplex =>
  connectTls({
    socket: stream,
    servername: 'localhost',
    rejectUnauthorized: false,
    allowHalfOpen: true,
  } as object)

/** A header of the PROXY protocol goes first. */
const withHeader = (stream: Duplex): Duplex => {
  stream.write('PROXY TCP4 192.0.2.7 127.0.0.1 4711 80\r\n')
  return stream
}

/**
 * Every plugin of this package by its name, with options and requests that make it do its work. What stands behind the
 * name in brackets is another way to use it.
 */
export function subjects({ dir, token, redis }: Parts): Readonly<Record<string, Tried>> {
  return {
    'access-log': {
      plugin: accessLog({ format: 'json', file: join(dir, 'access.log') }),
      other: accessLog({ file: join(dir, 'other.log') }),
    },
    'basic-auth': {
      plugin: basicAuth({ users: { ann: hash } }),
      headers: basic('ann', 'secret'),
      requests: [{ url: '/x', headers: { authorization: 'Basic !' } }],
    },
    'bearer-auth': {
      plugin: bearerAuth({ tokens: { ann: hashToken('0123456789abcdef0123456789') } }),
      headers: { authorization: 'Bearer 0123456789abcdef0123456789' },
    },
    'bearer-auth (jwt)': {
      plugin: bearerAuth({
        jwt: {
          jwks: join(dir, 'keys.json'),
          issuer: claims.iss,
          audience: claims.aud,
          algorithms: ['ES256'],
        },
      }),
      headers: { authorization: `Bearer ${token}` },
    },
    cache: {
      plugin: cache({ maxSize: '1mb' }),
      other: cache({ maxSize: '2mb', cacheStatus: false }),
      beside: pages,
      requests: ['/made', '/made?a=b'],
      varies: ['cache-status', 'age'],
    },
    compression: {
      plugin: compression({ minSize: 100 }),
      other: compression({ codings: ['gzip'] }),
      beside: pages,
      headers: { 'accept-encoding': 'br, gzip' },
      requests: ['/made'],
    },
    cookies: {
      plugin: cookies({ secrets }),
      other: cookies({ secrets, defaults: { path: '/other' } }),
      beside: [setsCookies()],
      requests: [{ url: '/cookie', headers: { cookie: 'session=made-up; a="b' } }],
    },
    cors: {
      plugin: cors({ origin: ['https://one.example', 'https://two.example'] }),
      other: cors({ origin: '*' }),
      requests: [
        { url: '/x', headers: { origin: 'https://one.example' } },
        {
          url: '/x',
          method: 'OPTIONS',
          headers: { origin: 'https://one.example', 'access-control-request-method': 'PUT' },
        },
      ],
    },
    'error-pages': {
      plugin: errorPages({ pages: { 404: join(dir, '404.html') } }),
      other: errorPages({ prefer: 'problem' }),
      beside: pages,
      requests: ['/lost', { url: '/lost', headers: { accept: 'application/problem+json' } }],
    },
    headers: {
      plugin: headers([{ set: { 'x-set': 'yes' } }, { status: 'error', append: { link: '</a>; rel=help' } }]),
      other: headers({ set: { 'x-set': 'no' } }),
    },
    health: {
      plugin: health({ checks: { well: async () => undefined }, remember: 0 }),
      requests: ['/livez', '/readyz', '/readyz?verbose'],
    },
    inspector: {
      plugin: inspector(),
      other: inspector({ path: '/look', perSecond: 1 }),
      requests: ['/.rawhttp/inspector', '/.rawhttp/inspector/main.js'],
    },
    'ip-filter': {
      plugin: ipFilter({ allow: ['loopback'], connections: true }),
      other: ipFilter({ deny: ['loopback'] }),
    },
    lint: { plugin: lint(), other: lint({ ignore: ['nosniff-missing'] }) },
    metrics: { plugin: metrics({ process: false }), requests: ['/metrics'], varies: ['body'] },
    'proxy-protocol': {
      plugin: proxyProtocol({ from: ['loopback'] }),
      beside: [answering(({ path, client }) => (path === '/who' ? HttpResponse.json(client) : undefined))],
      requests: ['/who'],
      connection: { wrap: withHeader },
    },
    'rate-limit': {
      plugin: rateLimit({ limit: 100_000, window: '1s' }),
      other: rateLimit({ limit: 3, window: '1h' }),
      varies: ['ratelimit'],
    },
    'rate-limit (redis)': {
      plugin: async () => rateLimit({ limit: 100_000, window: '1s', redis: await redis() }),
      varies: ['ratelimit'],
      needs: 'redis-server',
    },
    redirects: {
      plugin: redirects({
        rules: { '/old/:slug': '/new/:slug', '/gone': { status: 410 } },
        trailingSlash: 'remove',
      }),
      other: redirects({ rules: { '/old/:slug': '/newer/:slug' } }),
      requests: ['/old/a%20b?c=d', '/gone', '/x/'],
    },
    'request-id': { plugin: requestId, varies: ['x-request-id'] },
    rewrites: {
      plugin: rewrites({ '/short/:name': '/contract-kit/shared?name=:name' }),
      other: rewrites({ '/short/:name': '/contract-kit/stream' }),
      requests: ['/short/a%20b'],
    },
    router: {
      plugin: router('/api', {
        'GET /hello/:name': ({ params }) => ({ hello: params.name }),
        'POST /echo': async ({ request }) => await request.body.text(),
      }),
      other: router('/api', { 'GET /hello/:name': () => null }),
      requests: [
        '/api/hello/ann',
        '/api/lost',
        {
          url: '/api/echo',
          method: 'POST',
          body: '{"a":1}',
          headers: { 'content-type': 'application/json' },
        },
      ],
    },
    'security-headers': {
      plugin: securityHeaders({ contentSecurityPolicy: { 'script-src': ["'self'", "'nonce'"] } }),
      other: securityHeaders(),
      varies: ['content-security-policy'],
    },
    'router (of a site)': {
      plugin: router({ 'GET /hello/:name': ({ params }) => ({ hello: params.name }) }),
      place: 'site',
      requests: ['/hello/ann'],
    },
    static: {
      plugin: staticFiles({ root: dir, index: ['page.html'], precompressed: true, listing: true }),
      other: staticFiles({ root: dir, fallback: '404.html' }),
      requests: [
        '/page.html',
        '/small.txt',
        '/lost',
        { url: '/page.html', headers: { range: 'bytes=10-20' } },
      ],
    },
    tls: {
      plugin: tls({ cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem'), hsts: true }),
      config: { listen: [{ port: 0, tls: true }] },
      connection: { wrap: shakeHands },
    },
    trace: {
      plugin: trace({ sample: 1 }),
      other: trace({ sample: 0, path: false }),
      requests: ['/.rawhttp/trace', { url: '/', headers: { 'x-trace': '1' } }],
      varies: ['server-timing', 'body'],
    },
  }
}
