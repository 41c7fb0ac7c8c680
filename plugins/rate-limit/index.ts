import {
  definePlugin,
  Handle,
  type HttpRequest,
  type HttpResponse,
  type PluginServer,
  type PluginSite,
  ROOT_SITE,
  readOptions,
  slot,
} from 'rawhttp'
import { Buckets } from './buckets.ts'
import { Limiter } from './limiter.ts'
import { policyOf } from './policy.ts'
import { RedisStore } from './redis-store.ts'
import { type RateLimitOptions, type RateLimitSettings, rateLimitOptions } from './schema.ts'

export type { RateLimitOptions, RedisOptions } from './schema.ts'

const STAGE = Handle.Guard - 10

/** The limits of the plugin, by the server as each instance sees it. */
const limiters = new WeakMap<PluginServer, Limiter>()

/** The limits of guards, on the server and on each site that has set them up. */
const Guarded = slot('rate-limit.guarded', () => new Map<RateLimitGuard, Limiter>())

/** How many limits of a server have the same name. */
const Names = slot('rate-limit.names', () => new Map<string, number>())

/**
 * Limits how often a client may ask, with one token bucket for each. What is over the limit is answered 429, before
 * cache and files. One instance counts over all sites that it serves, in memory or in a Redis that servers share.
 *
 * @example
 * plugins: [rateLimit({ limit: 300, window: '1m' })]
 * @example
 * plugins: [scope({ path: '/login', methods: ['POST'] }, [rateLimit({ limit: 5, window: '1m', name: 'login' })])]
 */
export const rateLimit = definePlugin({
  name: 'rate-limit',
  repeatable: true,
  options: rateLimitOptions,
  server: (server, settings) => void limiters.set(server, limiterOn(server, settings)),
  site(site, settings) {
    // What is refused as a message reaches no handler.
    if (site.name === ROOT_SITE) return
    const limiter = limiters.get(site.server)!
    const place = { name: 'rate-limit', stage: STAGE }
    if (settings.redis === null) site.hooks.handle.tap(place, request => void limiter.check(request))
    else site.hooks.handle.tapPromise(place, async request => await limiter.check(request))
    site.hooks.deliver.tap('rate-limit', limiter.tell)
  },
})

/** A limit as a guard. What sets it up must call {@link setup}; the router does. */
export interface RateLimitGuard {
  /**
   * Counts a request, and throws or rejects with an HttpError 429 when it is one too many. It answers only with a
   * store that is down and `onError: 'refuse'`.
   */
  (request: HttpRequest): undefined | Promise<HttpResponse | undefined>
  /**
   * In `site()`, for every site that the guard is used on. Without it the limit counts in memory, forgets its counts
   * at a reload, and tells nobody what is left.
   */
  readonly setup: (site: PluginSite) => void
}

/**
 * The same limit as a guard, for a route or a `handle` tap of your own. One guard counts together wherever it is used.
 *
 * @example
 * const fewLogins = rateLimitGuard({ limit: 5, window: '1m', name: 'login' })
 * router({ 'POST /login': route({ guards: [fewLogins] }, logIn) })
 * @throws ConfigError for what the options of `rateLimit` may not be either.
 */
export function rateLimitGuard(options: RateLimitOptions): RateLimitGuard {
  const settings = readOptions(rateLimitOptions, options, 'rateLimitGuard()')
  let alone: Limiter | null = null
  const guard = (request: HttpRequest) => {
    const limiter = request.site.get(Guarded).get(whole)
    if (limiter !== undefined) return limiter.check(request)
    alone ??= aloneOf(settings)
    return alone.check(request)
  }
  const setup = (site: PluginSite) => {
    const onSite = site.get(Guarded)
    if (onSite.has(whole) || site.name === ROOT_SITE) return
    const onServer = site.server.get(Guarded)
    const limiter = onServer.get(whole) ?? limiterOn(site.server, settings)
    onServer.set(whole, limiter)
    onSite.set(whole, limiter)
    site.hooks.deliver.tap('rate-limit', limiter.tell)
  }
  const whole: RateLimitGuard = Object.assign(guard, { setup })
  return whole
}

function limiterOn(server: PluginServer, settings: RateLimitSettings): Limiter {
  const policy = policyOf(uniqueName(server, settings.name), settings)
  const buckets = server.keep(`buckets of ${policy.name}`, { create: () => new Buckets() })
  if (settings.redis === null) return new Limiter(settings, policy, buckets)
  const store = new RedisStore(policy, settings.redis, diagnostic => server.report(diagnostic))
  server.hooks.start.tapPromise('rate-limit:connect', () => store.start())
  server.hooks.stop.tap('rate-limit:disconnect', () => store.stop())
  return new Limiter(settings, policy, buckets, store)
}

/** The limit of a guard that nobody has set up. */
function aloneOf(settings: RateLimitSettings): Limiter {
  if (settings.redis !== null)
    throw new Error('rateLimitGuard: to connect to Redis it needs guard.setup(site), called in site()')
  const buckets = new Buckets()
  return new Limiter(settings, policyOf(settings.name, settings), () => buckets)
}

// The order of a config is the same in all servers that run it, so that they mean the same limit by `login#2`.
function uniqueName(server: PluginServer, name: string): string {
  const names = server.get(Names)
  const count = (names.get(name) ?? 0) + 1
  names.set(name, count)
  return count === 1 ? name : `${name}#${count}`
}
