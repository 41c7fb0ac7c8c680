import { Chain, type Chained } from './chain.ts'
import { fileLabel, isConfigError, optionsError } from './config/errors.ts'
import type { ResolvedConfig } from './config/types.ts'
import type { Deadlines } from './deadlines.ts'
import { type Diagnostic, refused } from './errors.ts'
import { ServerHookTable } from './hook-tables.ts'
import { KeptValues } from './keep.ts'
import { PathError } from './path.ts'
import { GenerationPeers } from './peers.ts'
import { awaited } from './pending.ts'
import type { PluginServer } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import { Retirement } from './retirement.ts'
import type { PeerLink } from './seat.ts'
import { setUpPlugins } from './setup.ts'
import { SharedHooks } from './shared-hooks.ts'
import type { Sink } from './sink.ts'
import { ROOT_SITE, Site, SiteTable } from './site.ts'
import { SlotValues } from './slots.ts'
import type { ServerStats } from './stats.ts'
import { prefixed, type Tap, tapOf, tapText } from './tap.ts'
import { type Begin, beginPlain, type Tracer, Tracing } from './trace/tracing.ts'
import type { Unfinished } from './unfinished.ts'

/** Milliseconds that the `stop` taps of a generation have together. */
const STOP_LIMIT = 5_000

/** An exchange, as far as the server's end concerns it. */
interface Cuttable extends Chained<Cuttable> {
  /** What is lost then. */
  readonly unfinished: Unfinished
  cut(reason: Error): void
}

/** A tap of one site; null: of the server. */
export type SiteTap = Tap & { readonly site: string | null }

/** What a generation needs of the server that it belongs to. */
export interface GenerationHost {
  readonly deadlines: Deadlines
  serve: PluginServer['serve']
  readonly stats: ServerStats
  /** The line to other workers. */
  readonly link: PeerLink
  /** Who wants traces beside the plugins: the command line. */
  readonly tracer?: Tracer | undefined
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
  readonly kept: KeptValues
  readonly peers: GenerationPeers
  readonly deadlines: Deadlines
  /** Requests that take their time: a handler is at work, a body comes in pieces, or a stream was taken over. */
  readonly atWork = new Chain<Cuttable>()
  /** Requests that want to be told when they should end. */
  readonly retirement = new Retirement()
  firedProtocolError: ServerHookTable['protocolError']['inner'] | null = null
  /** The same for requests that are traced. */
  tracedProtocolError: ServerHookTable['protocolError']['inner'] | null = null
  #begin: Begin = beginPlain
  readonly #host: GenerationHost
  #pins = 0
  /** Resolves when no request is open; null while nobody waits for it. */
  #idle: PromiseWithResolvers<void> | null = null
  #isReporting = false
  #hasReportFailed = false

  private constructor(config: ResolvedConfig, host: GenerationHost) {
    this.config = config
    this.#host = host
    this.deadlines = host.deadlines
    const report = (diagnostic: Diagnostic) => this.report(diagnostic)
    const context = { report, deadlines: host.deadlines }
    this.hooks = new ServerHookTable(context)
    this.kept = new KeptValues(context.report)
    this.peers = new GenerationPeers(host.link, context.report)
    this.sites = config.sites.map(site => new Site(site, site.limits, context))
    this.rootSite = new Site({ name: ROOT_SITE, hosts: [], dir: config.dir }, config.limits, context)
    this.table = new SiteTable(this.sites)
  }

  /**
   * Sets all plugins up, one after the other, which seals the hooks.
   *
   * @throws what a plugin's setup throws, with the plugin named.
   */
  static async build(config: ResolvedConfig, host: GenerationHost): Promise<Generation> {
    const generation = new Generation(config, host)
    const { hooks, sites, rootSite, kept, peers } = generation
    const serve: PluginServer['serve'] = (stream, info) => host.serve(stream, info)
    const report = (diagnostic: Diagnostic) => generation.report(diagnostic)
    const dispatch = (site: Site, request: HttpRequest, sink: Sink) =>
      generation.dispatch(request, sink, site)
    const slots = new SlotValues()
    const { stats } = host
    const tracing = new Tracing(report)
    if (host.tracer !== undefined) tracing.add({ tracer: host.tracer, plugin: null, sites: null, test: null })
    const common = { config, hooks, sites, rootSite, kept, peers, slots, stats, tracing }
    await setUpPlugins({ ...common, serve, dispatch, report })
    const shared = new SharedHooks()
    for (const site of [rootSite, ...sites]) site.seal(shared, tracing.isWanted)
    generation.firedProtocolError = hooks.protocolError.fired
    if (tracing.isWanted) generation.#trace(tracing)
    return generation
  }

  #trace(tracing: Tracing): void {
    const { protocolError } = this.hooks
    this.#begin = tracing.begin
    this.tracedProtocolError = protocolError.fired === null ? null : protocolError.traced()
  }

  /** Every tap of every hook in its final order, the server's hooks first. */
  taps(): readonly SiteTap[] {
    const listed: SiteTap[] = this.hooks.all.flatMap(hook => hook.taps.map(tap => ({ ...tap, site: null })))
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

  /**
   * Runs `start` on every plugin; after this the generation may serve.
   *
   * @throws what a tap throws, with the plugin named.
   */
  async start(before: Generation | null): Promise<void> {
    this.kept.prepare(before?.kept ?? null)
    this.peers.open()
    try {
      await this.hooks.start.fired?.promise()
      this.peers.listen()
    } catch (thrown) {
      const tap = tapOf(thrown)
      throw tap === undefined ? thrown : this.#named(thrown, tap)
    }
  }

  /** A failed `start` with the plugin's place in the config in front, and the option where the plugin names one. */
  #named(thrown: unknown, tap: Tap): Error {
    const { file, plugins, sites } = this.config
    const listed = [...plugins, ...sites.flatMap(site => site.plugins)]
    const at = listed.find(({ name }) => name === tap.plugin)?.at ?? 'plugins'
    if (isConfigError(thrown)) return optionsError(thrown, `${at} (${tap.plugin})`, file)
    return prefixed(thrown, `${fileLabel(file)}: ${at}: ${tapText(tap)}`)
  }

  /**
   * Sends a request down the line.
   *
   * @param to The site that answers; by default the one that the request's host says.
   */
  dispatch(request: HttpRequest, sink: Sink, to: Site | null = null): void {
    locate(request)
    const site = to === null || request.refused !== null ? this.siteOf(request) : to
    if (site === this.rootSite) request.refused ??= refused('HOST-UNKNOWN')
    this.#begin(this, site, request, sink)
  }

  /** Counts a request in. */
  pin(): void {
    this.#pins++
  }

  unpin(): void {
    this.#pins--
    if (this.#pins > 0) return
    this.#idle?.resolve()
    this.#idle = null
  }

  /** When the last request of this generation has ended. */
  idle(): Promise<void> {
    if (this.#pins === 0) return Promise.resolve()
    this.#idle ??= Promise.withResolvers()
    return this.#idle.promise
  }

  /** Requests that are open. */
  get pins(): number {
    return this.#pins
  }

  /** Ends every request that still takes its time: each gets its `done`. */
  cut(reason: Error): void {
    // One that is cut may end others.
    for (const exchange of this.atWork.all()) if (this.atWork.has(exchange)) exchange.cut(reason)
  }

  /** Waits no longer for answers that a transport has got as a whole, and not told the end of. */
  letGo(): void {
    this.#idle?.resolve()
  }

  /** The next generation is in charge. */
  retire(): void {
    this.hooks.retire.fired?.call()
    this.dismiss('the server has a new config')
  }

  /** Asks the open requests to come to their end; who does not listen is left alone. */
  dismiss(why: string): void {
    this.retirement.begin(new Error(why))
  }

  /**
   * Runs `stop` on every plugin. It never throws: a tap that fails is reported, and the others still run; one that
   * does not end in time is reported too, and nobody waits for it any longer.
   */
  async stop(reason: 'reload' | 'shutdown' | 'failed'): Promise<void> {
    this.peers.close()
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      const taps = awaited().filter(what => what.includes(', stop tap '))
      const message = `${taps.join('; ')} did not end within ${STOP_LIMIT} ms; the server goes on without`
      this.report({ code: 'STOP_LATE', message, severity: 'error' })
      late.resolve()
    }, STOP_LIMIT)
    await Promise.race([this.hooks.stop.fired?.promise(reason), late.promise])
    clearTimeout(timer)
  }

  /** Tells the `report` taps, or the server's own way when there is none or one fails. */
  report(diagnostic: Diagnostic): void {
    const { fired } = this.hooks.report
    if (fired === null || this.#isReporting) return this.#reportOtherwise(diagnostic)
    this.#isReporting = true
    fired.call(diagnostic)
    this.#isReporting = false
    if (this.#hasReportFailed) this.#host.fallbackReport(diagnostic)
    this.#hasReportFailed = false
  }

  // What a report tap reports in its turn, its own failure above all, must not come back to it.
  #reportOtherwise(diagnostic: Diagnostic): void {
    this.#hasReportFailed ||= this.#isReporting && diagnostic.hook === 'report'
    this.#host.fallbackReport(diagnostic)
  }
}

/** Finds the path of a request, or notes why it has none. */
function locate(request: HttpRequest): void {
  if (request.refused !== null) return
  try {
    request.locate(request.target)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    request.refused = refused(error.id)
  }
}
