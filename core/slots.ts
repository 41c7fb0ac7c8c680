import { shortList } from './short-list.ts'

/**
 * A typed key for a value that plugins share: on one request, one site or one server.
 * Keys are compared by identity, so two plugins meet only when they import the same one.
 */
export interface Slot<T> {
  readonly name: string
  /** @internal */ readonly index: number
  /** @internal */ readonly first: (() => NonNullable<T>) | null
  /** Carries the type; never present at run time. */
  readonly value?: T
}

/** What reads and writes slots: a request, a site, a server. */
export interface SlotHolder {
  /** The value set before, else the slot's first value, else `undefined`. */
  get<T>(slot: Slot<T>): T
  set<T>(slot: Slot<T>, value: T): void
}

let count = 0

/**
 * Makes a slot that is empty until it is set.
 *
 * @param name For people who read listings; two slots of one name are two slots.
 */
export function slot<T>(name: string): Slot<T | undefined>
/**
 * Makes a slot with a first value: each holder that has none yet gets one from `first`, and `get` is never undefined.
 *
 * @example
 * const Visits = slot('visits', () => ({ count: 0 }))
 * request.get(Visits).count += 1
 */
export function slot<T>(name: string, first: () => NonNullable<T>): Slot<T>
export function slot<T>(name: string, first: (() => NonNullable<T>) | null = null): Slot<T> {
  return Object.freeze({ name, index: count++, first })
}

/** The values of one holder: an array by slot index, made when the first value is set. */
export class SlotValues implements SlotHolder {
  #values: unknown[] | null = null

  get<T>(key: Slot<T>): T {
    const value = this.#values?.[key.index]
    if (value !== undefined || key.first === null) return value as T
    const first = key.first()
    this.set(key, first)
    return first
  }

  set<T>(key: Slot<T>, value: T): void {
    this.#values ??= shortList()
    this.#values[key.index] = value
  }
}

/** What a cache has done since the server started, and what it holds now. */
export interface CacheStats {
  /** URLs that have something stored. */
  readonly entries: number
  /** Memory that counts against the bound, in bytes; what is being read for the store is in it. */
  readonly bytes: number
  /** Requests that were answered from the store, stale answers and those who waited among them. */
  readonly hits: number
  /** Requests that ran a handler though their answer might have been stored. */
  readonly misses: number
  /** Answers that were put into the store. */
  readonly stored: number
  /** URLs that had to make room. */
  readonly evicted: number
}

/**
 * What a site's cache does for other plugins. Every `purge` also keeps what is being made at that moment out of the
 * store, and returns the number of URLs that were dropped.
 */
export interface CacheService {
  /**
   * Drops what is stored for a URL. A path, `/news?page=2`, means that path on every host of the site, an absolute URL
   * only itself. Without a query only the URL without one is meant.
   *
   * @throws TypeError for what is neither a path nor an http URL.
   */
  purge(url: string): number
  /**
   * The same for every URL that begins so: `/news/` is all below it; `/news` is also `/newsletter`.
   *
   * @throws TypeError for what is neither a path nor an http URL.
   */
  purgePrefix(prefix: string): number
  /** The same for every answer that named this tag. */
  purgeTag(tag: string): number
  purgeAll(): number
  readonly stats: CacheStats
}

/** A list that plugins add to while they set up, and that one of them reads; without a reader it costs nothing. */
export class Offers<T> implements Iterable<T> {
  readonly #offers: T[] = []

  add(offer: T): void {
    this.#offers.push(offer)
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#offers[Symbol.iterator]()
  }
}

/** Something that a server needs to do its work, and that may be gone for a while: a database, a disk. */
export interface HealthCheck {
  /** What operators call it: `sessions`. */
  readonly name: string
  /**
   * Throws when it is gone. It may be asked every second, and never while it still runs.
   *
   * @param signal Aborts when nobody waits for the answer any more.
   */
  readonly run: (signal: AbortSignal) => void | Promise<void>
}

/** A figure that a plugin counts for itself, and that is read when somebody asks for all of them. */
export interface Metric {
  /** By Prometheus' rules: `myplugin_jobs_total`, with its unit, and `_total` for counters only. */
  readonly name: string
  /** One sentence for people. */
  readonly help: string
  /** A `counter` only grows, but for a restart; a `gauge` is what is so at the moment. */
  readonly type: 'counter' | 'gauge'
  /** How the figures of several processes make one. Default: `sum`. */
  readonly merge?: 'sum' | 'min' | 'max' | undefined
  /**
   * The figure now: one number, or one for each set of labels. Labels come from code and config, never from a client,
   * since each new value is a series for ever.
   */
  readonly read: () => number | readonly MetricSample[]
}

/** One number of a {@link Metric}. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The slots that several plugins need. A third-party plugin exports its own. */
export const Slots = Object.freeze({
  /** The id of a request, as logs and error pages show it. */
  requestId: slot<string>('requestId'),
  /** Who the client is, once a guard has found out. */
  user: slot<string>('user'),
  /** The pattern of the route that matched, for metrics: `/users/:id`. */
  route: slot<string>('route'),
  /** What the cache did for this request: `hit`, `miss`, `stale` … */
  cacheStatus: slot<string>('cacheStatus'),
  /** The cache of a site, for who changes content: purges and figures. */
  cache: slot<CacheService>('cache'),
  /** Of a server: what has to work for it to be ready. `server.get(Slots.health).add({ name, run })` in setup. */
  health: slot('health', () => new Offers<HealthCheck>()),
  /** Of a server: figures for whoever shows them. `server.get(Slots.metrics).add({ name, … })` in setup. */
  metrics: slot('metrics', () => new Offers<Metric>()),
})
