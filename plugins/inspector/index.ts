import {
  definePlugin,
  Handle,
  type HttpRequest,
  HttpResponse,
  isOfAnotherPage,
  type PluginServer,
  type PluginSite,
  ROOT_SITE,
  Slots,
} from 'rawhttp'
import { isNear } from './access.ts'
import { readAssets } from './assets.ts'
import { Feed, MAX_PAGES } from './feed.ts'
import { type InspectorSettings, inspectorOptions } from './schema.ts'

export type { InspectorOptions } from './schema.ts'

/** What the sites of one instance have in common. */
interface Inspector {
  readonly feed: Feed
  readonly settings: InspectorSettings
  /** What there is at a path of the page; undefined for nothing. */
  readonly answer: (path: string) => HttpResponse | undefined
}

/** By the server as each plugin instance sees it. */
const instances = new WeakMap<PluginServer, Inspector>()

/**
 * A live page of what this server does, at `/.rawhttp/inspector`: requests as they come, with what each tap did, who set
 * each field, and gauges of connections and caches. For clients on this machine; nobody else learns that it is there.
 * Nothing is traced while no page is open.
 *
 * Belongs to the root plugins: then it shows all sites, and what no site takes.
 *
 * @example
 * plugins: [inspector()]
 */
export const inspector = definePlugin({
  name: 'inspector',
  options: inspectorOptions,
  async server(server, settings) {
    const feed = new Feed(server, settings)
    const assets = await readAssets(settings.path, server.peers.isAlone)
    const events = `${settings.path}/events`
    const answer = (path: string) => (path === events ? stream(feed) : assets.get(path))
    instances.set(server, { feed, settings, answer })
    server.trace({
      wants: request => !isOwn(request, settings) && feed.wants(request),
      finished: (trace, request) => feed.finished(trace, request),
    })
  },
  site(site, settings) {
    const instance = instances.get(site.server)!
    instance.feed.add(site)
    site.hooks.done.tap('inspector', request => {
      if (!isOwn(request, settings)) instance.feed.ended(request)
    })
    if (site.name !== ROOT_SITE) tapHandle(site, instance)
    else if (settings.guard === null) tapUnknownHosts(site, instance)
  },
})

function stream(feed: Feed): HttpResponse {
  if (feed.isFull) return HttpResponse.error(503, `The inspector is open in ${MAX_PAGES} pages already.`)
  return HttpResponse.events(({ signal }) => feed.frames(signal))
}

function tapHandle(site: PluginSite, { settings, answer }: Inspector): void {
  const { guard, path } = settings
  guard?.setup?.(site)
  site.hooks.handle.tapAsync({ name: 'inspector', stage: Handle.Early - 12 }, (request, callback) => {
    // Others get what they would get without this plugin.
    if (!isOwn(request, settings)) return callback()
    if (!isRead(request)) return callback(null, void request.allow('GET'))
    request.set(Slots.route, path)
    if (guard === null) return callback(null, answer(request.path))
    // A guard that lets nobody in by throwing may do so at once.
    Promise.resolve(guard(request))
      .then(refusal => refusal ?? answer(request.path))
      .then(given => callback(null, given), callback)
  })
}

// Who works on this machine asks by its address, which no site has to have.
function tapUnknownHosts({ server }: PluginSite, { settings, answer }: Inspector): void {
  server.hooks.protocolError.tap('inspector', (_error, request) => {
    if (request.refused?.id !== 'HOST-UNKNOWN' || !isRead(request) || !isOwn(request, settings)) return
    request.set(Slots.route, settings.path)
    return answer(request.path)
  })
}

/** Whether a request is the page's own, from somebody who may make it. */
function isOwn(request: HttpRequest, { path, guard }: InspectorSettings): boolean {
  if (!request.path.startsWith(path)) return false
  if (request.path.length > path.length && request.path[path.length] !== '/') return false
  return !isOfAnotherPage(request) && (guard !== null || isNear(request))
}

const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'
