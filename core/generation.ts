import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResolvedConfig, ResolvedPlugin, ResolvedSite } from './config/types.ts'
import type { Deadlines } from './deadlines.ts'
import { asError, type Diagnostic } from './errors.ts'
import { ServerHookTable } from './hooks.ts'
import { KeptValues } from './keep.ts'
import type { PluginServer, PluginSite } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import { compileScopes } from './scope.ts'
import { Site, SiteTable } from './site.ts'
import { SlotValues } from './slots.ts'
import type { HookContext, Tap } from './tap.ts'

/** The site that answers what no other may: refused messages, and hosts that nobody takes. */
export const ROOT_SITE = '-'

/** What a generation needs of the server that it belongs to. */
export interface GenerationHost {
  readonly deadlines: Deadlines
  serve: PluginServer['serve']
  /** Where diagnostics go when no plugin listens. */
  fallbackReport(diagnostic: Diagnostic): void
}

/**
 * One load of a config: its sites and sealed hooks. Immutable once built; a request is pinned to the generation it
 * began in, and `stop` runs when the last one has ended.
 */
export class Generation {
  readonly config: ResolvedConfig
  readonly hooks: ServerHookTable
  readonly sites: readonly Site[]
  readonly rootSite: Site
  readonly table: SiteTable
  readonly kept = new KeptValues()
  readonly deadlines: Deadlines
  firedProtocolError: ServerHookTable['protocolError']['inner'] | null = null
  readonly #host: GenerationHost
  readonly #context: HookContext
  readonly #slots = new SlotValues()
  readonly #facades = new Map<ResolvedPlugin, PluginServer>()
  readonly #kernelFacade: PluginServer
  #pins = 0
  #onIdle: (() => void) | null = null
  #isReporting = false

  private constructor(config: ResolvedConfig, host: GenerationHost) {
    this.config = config
    this.#host = host
    this.deadlines = host.deadlines
    this.#context = { owner: null, isSealed: false, report: diagnostic => this.report(diagnostic) }
    this.hooks = new ServerHookTable(this.#context)
    this.sites = config.sites.map(site => new Site(site, site.limits, this.#context))
    this.rootSite = new Site({ name: ROOT_SITE, hosts: [], dir: config.dir }, config.limits, this.#context)
    this.table = new SiteTable(this.sites)
    this.#kernelFacade = this.#makeFacade('kernel', 'kernel')
  }

  /**
   * Sets all plugins up, one after the other, and seals the hooks.
   *
   * @throws what a plugin's setup throws, with the plugin named.
   */
  static async build(config: ResolvedConfig, host: GenerationHost): Promise<Generation> {
    const generation = new Generation(config, host)
    await generation.#setUp()
    generation.#seal()
    return generation
  }

  /** Every tap of every hook in its final order, the server's hooks first. */
  taps(): readonly (Tap & { readonly site: string | null })[] {
    const listed = this.hooks.all.flatMap(hook =>
      hook.taps.map(tap => ({ ...tap, site: null as string | null })),
    )
    for (const site of [this.rootSite, ...this.sites]) {
      for (const hook of site.hooks.all) listed.push(...hook.taps.map(tap => ({ ...tap, site: site.name })))
    }
    return listed
  }

  /** The site of a request, or the root site when it is refused or nobody takes its host. */
  siteOf(request: HttpRequest): Site {
    if (request.refused !== null) return this.rootSite
    return this.table.only ?? this.table.find(request.hostname) ?? this.rootSite
  }

  /** Runs `start` on every plugin; after this the generation may serve. */
  async start(before: Generation | null): Promise<void> {
    this.kept.prepare(before?.kept ?? null)
    await this.hooks.start.fired?.promise(this.#kernelFacade)
  }

  /** Counts a request in. */
  pin(): void {
    this.#pins++
  }

  unpin(): void {
    this.#pins--
    if (this.#pins === 0) this.#onIdle?.()
  }

  /** When the last request of this generation has ended. */
  idle(): Promise<void> {
    if (this.#pins === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#onIdle = resolve
    })
  }

  /** Requests that are open. */
  get pins(): number {
    return this.#pins
  }

  retire(): void {
    this.hooks.retire.fired?.call(this.#kernelFacade)
  }

  async stop(reason: 'reload' | 'shutdown' | 'failed'): Promise<void> {
    try {
      await this.hooks.stop.fired?.promise(this.#kernelFacade, reason)
    } catch (error) {
      this.report({ code: 'STOP_FAILED', message: asError(error).message, severity: 'error', cause: error })
    }
  }

  /** Tells the `report` taps, or the server's own way when there is none or one fails. */
  report(diagnostic: Diagnostic): void {
    const { fired } = this.hooks.report
    // A report tap that fails reports itself: that one must not come back here.
    if (fired === null || this.#isReporting) return this.#host.fallbackReport(diagnostic)
    this.#isReporting = true
    try {
      fired.call(diagnostic)
    } finally {
      this.#isReporting = false
    }
  }

  async #setUp(): Promise<void> {
    const { plugins, sites } = this.config
    for (const plugin of plugins) await this.#setUpServer(plugin)
    for (const [index, site] of sites.entries()) {
      for (const plugin of site.plugins) {
        if (!plugins.includes(plugin)) await this.#setUpServer(plugin)
        await this.#setUpSite(plugin, this.sites[index]!, site)
      }
    }
    for (const plugin of plugins) await this.#setUpSite(plugin, this.rootSite, null)
  }

  async #setUpServer(plugin: ResolvedPlugin): Promise<void> {
    const { server } = plugin.definition
    if (server === undefined) return
    await this.#setUpAs(plugin, 'server()', () => server(this.#facade(plugin), plugin.settings as never))
  }

  async #setUpSite(plugin: ResolvedPlugin, site: Site, config: ResolvedSite | null): Promise<void> {
    const setUp = plugin.definition.site
    if (setUp === undefined) return
    const facade = this.#siteFacade(plugin, site, config?.dir ?? this.config.dir)
    await this.#setUpAs(plugin, `site() for "${site.name}"`, () => setUp(facade, plugin.settings as never))
  }

  async #setUpAs(plugin: ResolvedPlugin, what: string, run: () => void | Promise<void>): Promise<void> {
    this.#context.owner = { plugin: plugin.name, test: compileScopes(plugin.scopes) }
    try {
      await run()
    } catch (thrown) {
      const error = asError(thrown)
      error.message = `plugin "${plugin.name}", ${what}: ${error.message}`
      throw error
    } finally {
      this.#context.owner = null
    }
  }

  /** One for each instance: plugins of two sites may have one listed name, but keep values of their own. */
  #facade(plugin: ResolvedPlugin): PluginServer {
    const made = this.#facades.get(plugin)
    if (made !== undefined) return made
    const site = this.config.sites.find(each => each.plugins.includes(plugin))
    const isRoot = this.config.plugins.includes(plugin)
    const facade = this.#makeFacade(plugin.name, isRoot ? plugin.name : `${plugin.name}@${site?.name}/server`)
    this.#facades.set(plugin, facade)
    return facade
  }

  #makeFacade(plugin: string, keeper: string): PluginServer {
    return {
      hooks: this.hooks,
      keep: this.kept.keeper(keeper),
      get: key => this.#slots.get(key),
      set: (key, value) => this.#slots.set(key, value),
      resolve: path => absolute(this.config.dir, path),
      serve: (stream, info) => this.#host.serve(stream, info),
      report: diagnostic => this.report({ plugin, ...diagnostic }),
    }
  }

  #siteFacade(plugin: ResolvedPlugin, site: Site, dir: string): PluginSite {
    return {
      name: site.name,
      hosts: site.hosts,
      server: this.#facade(plugin),
      hooks: site.hooks,
      keep: this.kept.keeper(`${plugin.name}@${site.name}`),
      get: key => site.get(key),
      set: (key, value) => site.set(key, value),
      resolve: path => absolute(dir, path),
    }
  }

  #seal(): void {
    this.#context.isSealed = true
    for (const site of [this.rootSite, ...this.sites]) site.seal()
    this.firedProtocolError = this.hooks.protocolError.fired
  }
}

function absolute(dir: string, path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path)
  return path.startsWith('file:') ? fileURLToPath(new URL(path)) : resolve(dir, path)
}
