import { setTimeout as sleep } from 'node:timers/promises'
import {
  type HttpRequest,
  maskTrace,
  type PluginServer,
  type PluginSite,
  type RequestTrace,
  Slots,
} from 'rawhttp'
import { Budget } from './budget.ts'
import type { InspectorSettings } from './schema.ts'
import { Watcher } from './watcher.ts'
import type { Gauges, Seen } from './wire.ts'

/** Milliseconds between two frames; with nothing to tell only each tenth goes, for the gauges. */
const FRAME = 100
const QUIET_FRAMES = 10

/** Pages that may be open at once. */
export const MAX_PAGES = 16

/** What the open pages of one plugin instance are told. While there are none, nothing is traced. */
export class Feed {
  readonly #server: PluginServer
  readonly #mask: ReadonlySet<string>
  readonly #budget: Budget
  readonly #sites: PluginSite[] = []
  readonly #watchers = new Set<Watcher>()
  /** Traced requests that have not ended. */
  readonly #traced = new WeakSet<HttpRequest>()
  #count = 0
  #answered = 0

  constructor(server: PluginServer, { mask, perSecond }: InspectorSettings) {
    this.#server = server
    this.#mask = mask
    this.#budget = new Budget(perSecond)
  }

  get isFull(): boolean {
    return this.#watchers.size >= MAX_PAGES
  }

  /** A site whose cache counts. */
  add(site: PluginSite): void {
    this.#sites.push(site)
  }

  /** Whether a request is to be traced. */
  wants(request: HttpRequest): boolean {
    if (this.#watchers.size === 0 || !this.#budget.take()) return false
    this.#traced.add(request)
    return true
  }

  /** A request has ended, traced or not. */
  ended(request: HttpRequest): void {
    this.#answered++
    if (!this.#traced.has(request)) for (const watcher of this.#watchers) watcher.leaveOut()
  }

  /** The trace of a request is whole. */
  finished(trace: RequestTrace, { connection }: HttpRequest): void {
    const seen: Seen = {
      id: ++this.#count,
      listener: connection?.listener ?? null,
      connection: connection?.id ?? null,
      via: connection?.via ?? [],
      trace: maskTrace(trace, this.#mask),
    }
    const text = JSON.stringify(seen)
    const bytes = Buffer.byteLength(text)
    for (const watcher of this.#watchers) watcher.add(text, bytes)
  }

  /** What one page gets, until it leaves or the server asks it to come back. */
  async *frames(signal: AbortSignal): AsyncGenerator<string> {
    const watcher = new Watcher()
    this.#watchers.add(watcher)
    try {
      for (let turn = 0; ; turn++) {
        if (watcher.hasNews || turn % QUIET_FRAMES === 0) yield watcher.frame(this.#gauges())
        await sleep(FRAME, undefined, { signal })
      }
    } finally {
      this.#watchers.delete(watcher)
    }
  }

  #gauges(): Gauges {
    const { connections, requests } = this.#server.stats
    return {
      connections,
      requests: Math.max(0, requests - this.#watchers.size),
      answered: this.#answered,
      cache: this.#cache(),
    }
  }

  #cache(): Gauges['cache'] {
    const all = this.#sites.flatMap(site => site.get(Slots.cache)?.stats ?? [])
    if (all.length === 0) return null
    return all.reduce((sum, each) => ({ hits: sum.hits + each.hits, misses: sum.misses + each.misses }), {
      hits: 0,
      misses: 0,
    })
  }
}
