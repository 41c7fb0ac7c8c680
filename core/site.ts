import type { Deadlines } from './deadlines.ts'
import type { HookContext } from './hook.ts'
import { SiteHookTable } from './hook-tables.ts'
import type { ExchangeLimits } from './limits.ts'
import type { SharedHooks } from './shared-hooks.ts'
import { SlotValues } from './slots.ts'
import { TextTable } from './text-table.ts'

/** The site that answers what no other may: refused messages, and hosts that nobody takes. */
export const ROOT_SITE = '-'

/** What all sites of a generation share. */
export interface SiteContext extends HookContext {
  readonly deadlines: Deadlines
}

/** One site of a generation: its hosts, its hooks, what its plugins share. */
export class Site extends SlotValues {
  readonly name: string
  readonly hosts: readonly string[]
  readonly dir: string
  readonly limits: Readonly<ExchangeLimits>
  readonly hooks: SiteHookTable
  /** Where diagnostics go. */
  readonly report: SiteContext['report']
  /** The clock of its generation. */
  readonly deadlines: Deadlines
  /** What the line fires; null where nobody tapped. Filled when the generation is sealed. */
  fired: FiredHooks = none
  /** The same for requests that are traced; null in a generation that traces none. */
  traced: FiredHooks | null = null

  constructor(
    facts: { readonly name: string; readonly hosts: readonly string[]; readonly dir: string },
    limits: Readonly<ExchangeLimits>,
    context: SiteContext,
  ) {
    super()
    this.name = facts.name
    this.hosts = facts.hosts
    this.dir = facts.dir
    this.limits = limits
    this.hooks = new SiteHookTable(context)
    this.report = context.report
    this.deadlines = context.deadlines
  }

  /** Nobody taps any more. */
  seal(shared: SharedHooks, isTraced: boolean): void {
    const { handle, error, transform, deliver, done } = this.hooks
    this.fired = shared.table({
      handle: shared.firedBy(handle),
      error: shared.firedBy(error),
      transform: shared.firedBy(transform),
      deliver: shared.firedBy(deliver),
      done: shared.firedBy(done),
    })
    if (!isTraced) return
    this.traced = shared.table({
      handle: shared.tracedBy(handle),
      error: shared.tracedBy(error),
      transform: shared.tracedBy(transform),
      deliver: shared.tracedBy(deliver),
      done: shared.tracedBy(done),
    })
  }
}

/** The hooks of a site that somebody tapped. */
export type FiredHooks = {
  readonly [Name in 'handle' | 'error' | 'transform' | 'deliver' | 'done']:
    | SiteHookTable[Name]['inner']
    | null
}

const none: FiredHooks = { handle: null, error: null, transform: null, deliver: null, done: null }

/** Which site answers for a host: an exact name, then the longest wildcard, then the site for every host. */
export class SiteTable {
  readonly #exact = new TextTable<Site>()
  /** By what stands behind the star. */
  readonly #wildcards = new TextTable<Site>()
  readonly #default: Site | null

  constructor(sites: readonly Site[]) {
    let fallback: Site | null = null
    for (const site of sites) {
      for (const host of site.hosts) {
        if (host === '*') fallback = site
        else if (host.startsWith('*.')) this.#wildcards.set(host.slice(1), site)
        else this.#exact.set(host, site)
      }
    }
    this.#default = fallback
  }

  /** The only possible answer, when the host need not be looked at. */
  get only(): Site | null {
    return this.#exact.size === 0 && this.#wildcards.size === 0 ? this.#default : null
  }

  /**
   * The site of a host, or null.
   *
   * @param hostname In lower case, without port and trailing dot.
   */
  find(hostname: string): Site | null {
    const exact = this.#exact.get(hostname)
    if (exact !== undefined) return exact
    if (this.#wildcards.size > 0) {
      // From 1 on: a wildcard stands for one label at least.
      for (let dot = hostname.indexOf('.', 1); dot !== -1; dot = hostname.indexOf('.', dot + 1)) {
        const site = this.#wildcards.get(hostname.slice(dot))
        if (site !== undefined) return site
      }
    }
    return this.#default
  }
}
