import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileLabel, isConfigError, optionsError } from './config/errors.ts'
import type { ResolvedConfig, ResolvedPlugin } from './config/types.ts'
import type { Diagnostic } from './errors.ts'
import type { TapOwner } from './hook.ts'
import type { ServerHookTable } from './hook-tables.ts'
import type { KeptValues } from './keep.ts'
import { logTo } from './log.ts'
import type { GenerationPeers } from './peers.ts'
import { awaiting } from './pending.ts'
import { caller, inBrackets } from './place.ts'
import type { PluginServer, PluginSite } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import { compileScopes } from './scope.ts'
import type { Sink } from './sink.ts'
import type { Site } from './site.ts'
import type { SlotHolder } from './slots.ts'
import type { ServerStats } from './stats.ts'
import { prefixed } from './tap.ts'
import type { Tracer, Tracing } from './trace/tracing.ts'

/** The parts of a generation that plugins set up. */
export interface SetupTarget {
  readonly config: ResolvedConfig
  readonly hooks: ServerHookTable
  /** In the order of the config's sites. */
  readonly sites: readonly Site[]
  /** The site of what no other site gets; root plugins apply to it. */
  readonly rootSite: Site
  readonly kept: KeptValues
  readonly peers: GenerationPeers
  readonly slots: SlotHolder
  readonly stats: ServerStats
  readonly tracing: Tracing
  readonly serve: PluginServer['serve']
  dispatch(site: Site, request: HttpRequest, sink: Sink): void
  report(diagnostic: Diagnostic): void
}

/**
 * Runs the setups of all plugins, one after the other: root before site, each list in its order.
 *
 * @throws what a setup throws, with the plugin named.
 */
export async function setUpPlugins(target: SetupTarget): Promise<void> {
  const { plugins, sites, dir } = target.config
  const setup = new Setup(target)
  for (const plugin of plugins) await setup.server(plugin)
  for (const [index, site] of sites.entries()) {
    for (const plugin of site.plugins) {
      if (!plugins.includes(plugin)) await setup.server(plugin)
      await setup.site(plugin, target.sites[index]!, site.dir)
    }
  }
  for (const plugin of plugins) await setup.site(plugin, target.rootSite, dir)
}

class Setup {
  readonly #target: SetupTarget
  readonly #owners = new Map<ResolvedPlugin, TapOwner>()
  /** Of instances outside any scope, by name and place: a function that several of them tap is one tap. */
  readonly #guards = new Map<string, TapOwner['guards']>()

  constructor(target: SetupTarget) {
    this.#target = target
  }

  async server(plugin: ResolvedPlugin): Promise<void> {
    const { server } = plugin.definition
    if (server === undefined) return
    await this.#run(plugin, 'server()', owner => server(owner.server, plugin.settings as never))
  }

  async site(plugin: ResolvedPlugin, site: Site, dir: string): Promise<void> {
    const setUp = plugin.definition.site
    if (setUp === undefined) return
    await this.#run(plugin, `site() for "${site.name}"`, owner =>
      setUp(this.#siteFor(owner, site, dir), plugin.settings as never),
    )
  }

  // A plugin may tap while its own setup runs, and only then: what it forgot to await cannot slip in later, at a
  // place in the order that depends on time.
  async #run(
    plugin: ResolvedPlugin,
    what: string,
    setUp: (owner: TapOwner) => void | Promise<void>,
  ): Promise<void> {
    let owner: TapOwner | null = null
    try {
      owner = this.#ownerOf(plugin)
      owner.isOpen = true
      await awaiting(`${this.#place(plugin)}: plugin "${plugin.name}", ${what}`, () => setUp(owner!))
    } catch (thrown) {
      throw this.#named(thrown, plugin, what)
    } finally {
      if (owner !== null) owner.isOpen = false
    }
  }

  #place({ at }: ResolvedPlugin): string {
    return `${fileLabel(this.#target.config.file)}: ${at}`
  }

  #named(thrown: unknown, plugin: ResolvedPlugin, what: string): Error {
    const { definition, at, name } = plugin
    if (isConfigError(thrown))
      return optionsError(thrown, `${at} (${definition.name})`, this.#target.config.file)
    return prefixed(thrown, `${this.#place(plugin)}: plugin "${name}", ${what}`)
  }

  /** One for each instance: plugins of two sites may have one listed name, but keep values of their own. */
  #ownerOf(plugin: ResolvedPlugin): TapOwner {
    const known = this.#owners.get(plugin)
    if (known !== undefined) return known
    const { config } = this.#target
    const site = config.sites.find(each => each.plugins.includes(plugin))
    const place = config.plugins.includes(plugin) ? plugin.name : `${plugin.name}@${site?.name}/server`
    const owner: Writable<TapOwner> = {
      plugin: plugin.name,
      place: plugin.place,
      scopes: plugin.scopes,
      test: compileScopes(plugin.scopes),
      isOpen: false,
      server: undefined as never,
      guards: this.#guardsOf(plugin),
    }
    owner.server = this.#serverFor(owner, place, plugin)
    this.#owners.set(plugin, owner)
    return owner
  }

  // Instances that were written at one place are those of a function that makes many sites. What is blamed on a shared
  // tap is true of all of them: their name, and where it stands.
  #guardsOf({ name, place, scopes }: ResolvedPlugin): TapOwner['guards'] {
    if (scopes.length > 0) return new Map()
    const key = `${name}${inBrackets(place)}`
    const guards = this.#guards.get(key) ?? new Map()
    this.#guards.set(key, guards)
    return guards
  }

  #serverFor(owner: TapOwner, place: string, instance: ResolvedPlugin): PluginServer {
    const { config, hooks, kept, peers, slots, stats, tracing, serve, report } = this.#target
    const { plugin } = owner
    const named = (diagnostic: Diagnostic) => report({ ...diagnostic, plugin })
    return Object.freeze({
      hooks: hooks.facesFor(asServerOwner(owner)),
      keep: kept.keeper(plugin, place),
      get: slots.get.bind(slots),
      set: slots.set.bind(slots),
      resolve: (path: string | URL) => absolute(config.dir, path),
      serve,
      stats,
      peers: peers.facesFor(plugin, place),
      trace: (tracer: Tracer) => {
        if (!owner.isOpen) throw new Error(lateTracer(plugin))
        tracing.add({ tracer, plugin, sites: this.#sitesOf(instance), test: owner.test })
        return tracing.soFar
      },
      log: logTo(named),
      report: named,
    })
  }

  /** The sites that an instance serves, by name; null: all. */
  #sitesOf(plugin: ResolvedPlugin): ReadonlySet<string> | null {
    const { config, rootSite } = this.#target
    const served = config.sites.filter(site => site.plugins.includes(plugin))
    const isOfRoot = config.plugins.includes(plugin)
    if (isOfRoot && served.length === config.sites.length) return null
    return new Set([...served.map(site => site.name), ...(isOfRoot ? [rootSite.name] : [])])
  }

  #siteFor(owner: TapOwner, site: Site, dir: string): PluginSite {
    const { plugin, server } = owner
    return Object.freeze({
      name: site.name,
      hosts: site.hosts,
      server,
      hooks: site.hooks.facesFor(owner),
      keep: this.#target.kept.keeper(plugin, `${plugin}@${site.name}`, site.name),
      get: site.get.bind(site),
      set: site.set.bind(site),
      resolve: (path: string | URL) => absolute(dir, path),
      dispatch: (request: HttpRequest, sink: Sink) => this.#target.dispatch(site, request, sink),
    })
  }
}

const lateTracer = (plugin: string): string =>
  `plugin "${plugin}": hooks are sealed; call server.trace in server() or site(), before they end${inBrackets(caller())}`

/** An instance as one that taps the server's hooks: they give each its own server, so that none shares a tap. */
function asServerOwner(owner: TapOwner): TapOwner {
  return {
    ...owner,
    guards: new Map(),
    get isOpen() {
      return owner.isOpen
    },
    get server() {
      return owner.server
    },
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

function absolute(dir: string, path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path)
  return path.startsWith('file:') ? fileURLToPath(new URL(path)) : resolve(dir, path)
}
