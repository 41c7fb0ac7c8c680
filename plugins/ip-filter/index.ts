import {
  ConfigError,
  Connect,
  type ConnectionOwner,
  definePlugin,
  Handle,
  HttpError,
  type PluginServer,
  ROOT_SITE,
  slot,
} from 'rawhttp'
import { type IpFilterSettings, ipFilterOptions } from './schema.ts'

export type { IpFilterOptions } from './schema.ts'

/** Refuses before maintenance, rate limits and credentials: who may not come costs them nothing. */
const STAGE = Handle.Guard - 30

/** The instances that stand among the root plugins. */
const Roots = slot('ip-filter.roots', () => new Set<PluginServer>())

/**
 * Lets clients in by their address. `deny` wins over `allow`; with `allow` nobody else may come. Refused requests are
 * answered 403, before cache and files; with `connections` whoever is refused cannot even connect.
 *
 * @example
 * plugins: [scope({ path: '/admin/*' }, [ipFilter({ allow: ['private', 'loopback'] })])]
 * @example
 * plugins: [ipFilter({ deny: ['192.0.2.0/24', '2001:db8::/32'], connections: true })]
 */
export const ipFilter = definePlugin({
  name: 'ip-filter',
  repeatable: true,
  options: ipFilterOptions,
  server(server, settings) {
    if (settings.connections) tapConnections(server, settings)
  },
  site(site, { isRefused }) {
    // What is refused as a message reaches no handler.
    if (site.name === ROOT_SITE) return void site.server.get(Roots).add(site.server)
    site.hooks.handle.tap({ name: 'ip-filter', stage: STAGE }, ({ client }) => {
      if (isRefused(client.address)) throw new HttpError(403, undefined, { code: 'ADDRESS_REFUSED' })
    })
  },
})

function tapConnections(server: PluginServer, { isRefused }: IpFilterSettings): void {
  server.hooks.start.tap('ip-filter', () => {
    // A site is known by the Host of a request, and here is none yet.
    if (server.get(Roots).has(server)) return
    throw new ConfigError({
      path: 'connections',
      problem: 'is for the root plugins only: a connection belongs to all sites',
    })
  })
  server.hooks.connection.tap({ name: 'ip-filter', stage: Connect.Filter }, (_stream, info) => {
    if (!isRefused(info.client.address)) return undefined
    info.reset()
    return gone
  })
}

/** Owns what was reset: nobody else is asked about it, and there is nothing left to end. */
const gone: ConnectionOwner = Object.freeze({
  name: 'ip-filter',
  drain: () => undefined,
  destroy: () => undefined,
})
