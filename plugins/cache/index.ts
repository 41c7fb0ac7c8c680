import {
  Deliver,
  definePlugin,
  Handle,
  type HttpRequest,
  type HttpResponse,
  type Outcome,
  type PluginServer,
  type PluginSite,
  ROOT_SITE,
  Slots,
  Transform,
} from 'rawhttp'
import { hasChanged, invalidate } from './invalidation.ts'
import { abandon, keep, noteLength } from './keeper.ts'
import { Kept, KeptStore } from './kept.ts'
import { keyOf } from './key.ts'
import { lookUp } from './lookup.ts'
import { type CacheSettings, cacheOptions } from './schema.ts'
import { SharedPurges } from './shared-purges.ts'
import { tellStatus } from './status.ts'
import { Visits } from './visit.ts'

export type { CacheOptions } from './schema.ts'

/**
 * Keeps answers in memory: files and their encoded variants as long as the file is unchanged, and any answer whose
 * Cache-Control allows a shared cache (RFC 9111). One store a site, bounded by bytes. Requests that miss the same thing
 * at the same time run the handler once.
 *
 * Guards run before it on every request. Other plugins purge through `site.get(Slots.cache)`.
 *
 * @example
 * plugins: [compression(), cache({ maxSize: '64mb' })]
 */
export const cache = definePlugin({
  name: 'cache',
  options: cacheOptions,
  site(site, settings) {
    // Refused messages have no key.
    if (site.name === ROOT_SITE) return
    if (site.get(Slots.cache) !== undefined)
      throw new Error('a site has one cache: take one out of the scopes, or put one around both')
    tapSite(site, settings)
  },
})

function tapSite(site: PluginSite, settings: CacheSettings): void {
  const kept = new KeptStore(site, settings)
  const purges = new SharedPurges(site, () => kept.store)
  site.set(Slots.cache, purges.service)
  const { handle, transform, deliver, done } = site.hooks
  site.set(Kept, kept)
  handle.tapAsync({ name: 'cache', stage: Handle.Cache }, lookUp)
  const { purges: ofSites, finish } = instanceOf(site.server, settings)
  ofSites.set(site.name, purges)
  transform.tap({ name: 'cache:length', stage: Transform.Encode - 1 }, noteLength)
  transform.tapAsync({ name: 'cache:store', stage: Transform.Store }, keep)
  deliver.tap({ name: 'cache:status', stage: Deliver.Headers }, finish)
  done.tap('cache', leave)
}

/** What the sites of one plugin instance have in common. */
interface Instance {
  /** By the name of the site. */
  readonly purges: Map<string, SharedPurges>
  readonly finish: (response: HttpResponse, request: HttpRequest) => void
}

/** By the server as each plugin instance sees it. */
const instances = new WeakMap<PluginServer, Instance>()

function instanceOf(server: PluginServer, { cacheStatus }: CacheSettings): Instance {
  const known = instances.get(server)
  if (known !== undefined) return known
  const purges: Instance['purges'] = new Map()
  const finish: Instance['finish'] = (response, request) => {
    const visit = request.get(Visits)
    // Who gave the answer has said that it is finished, or hands the connection over: it is not stored.
    if (visit?.isOpen === true && !visit.isReading) abandon(visit, 'alone')
    if (hasChanged(response, request))
      invalidate(purges.get(request.site.name)!, response, visit?.key ?? keyOf(request))
    tellStatus(response, request, cacheStatus)
  }
  instances.set(server, { purges, finish })
  return { purges, finish }
}

function leave(request: HttpRequest, _response: HttpResponse | null, { result }: Outcome): void {
  const visit = request.get(Visits)
  if (visit?.isOpen === true && !visit.isReading) abandon(visit, result === 'aborted' ? 'again' : 'alone')
}
