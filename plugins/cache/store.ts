import { type CacheService, type CacheStats, Chain, type HttpRequest } from 'rawhttp'
import { Entries, type Entry } from './entries.ts'
import { Fill } from './fill.ts'
import { Improvements } from './improvements.ts'
import { isMeant, type Meant, meantBy } from './key.ts'
import type { Verdict } from './policy.ts'
import { Resource } from './resource.ts'
import type { CacheSettings } from './schema.ts'
import type { Variant } from './variant.ts'
import type { Visit } from './visit.ts'

/** Milliseconds for which it is remembered that the answers for a key are for one client each. */
const PASS_FOR = 10_000
/** The part of the memory that those keys may take, and what one takes beside its text. */
const PASS_SHARE = 1 / 32
const PASS_OVERHEAD = 300

/** The part of the memory that bodies may take which are being read for the store. */
const READING_SHARE = 1 / 2
/** The part that one URL with all its variants may take, and one body. */
const URL_SHARE = 1 / 2
const BODY_SHARE = 1 / 4

/** A key whose answers are for one client each. */
class Pass implements Entry {
  readonly key: string
  readonly until: number
  readonly size: number
  isWanted = false
  counted = 0

  constructor(key: string, until: number) {
    this.key = key
    this.until = until
    this.size = key.length + PASS_OVERHEAD
  }
}

/** What a site has in memory, and what is being made for it. It outlives reloads. */
export class Store implements CacheService {
  /** Counts the configs: what began under an older one is not stored any more. */
  era = 0
  /** What is stored as it was made for a client, and worth more work. */
  readonly improvements = new Improvements()
  hits = 0
  misses = 0
  #settings: CacheSettings
  readonly #entries = new Entries<Resource>()
  /** Keys whose answers nobody should wait for, until when. Most sites have none. */
  #passes: Entries<Pass> | null = null
  readonly #fills = new Map<string, Fill>()
  /** Requests whose answers may still be stored. */
  readonly #open = new Chain<Visit>()
  #reading = 0
  #stored = 0
  #evicted = 0

  constructor(settings: CacheSettings) {
    this.#settings = settings
  }

  get stats(): CacheStats {
    const { hits, misses } = this
    const bytes = this.#entries.bytes + (this.#passes?.bytes ?? 0) + this.#reading
    return {
      entries: this.#entries.size,
      bytes,
      hits,
      misses,
      stored: this.#stored,
      evicted: this.#evicted,
    }
  }

  /** The largest body that is kept. */
  get maxBody(): number {
    return Math.min(this.#settings.maxEntrySize, Math.floor(this.#budget * BODY_SHARE))
  }

  /**
   * Takes another config's settings over. What is held by its source goes, since the sources are the old config's; the
   * rest stays if the site is the same. What is on its way is not stored.
   */
  adopt(settings: CacheSettings, isSameConfig: boolean): void {
    this.era++
    this.#void(() => true)
    if (isSameConfig) {
      this.#dropWhere(resource => resource.drop(variant => variant.lifetime === null))
      return
    }
    this.#settings = settings
    this.#entries.clear()
    this.#passes = null
  }

  /** Nobody uses it any more: what is on its way is not stored. */
  end(): void {
    this.era++
    this.purgeAll()
  }

  /** For a request: what is asked for stays longest. */
  ask(key: string): Resource | undefined {
    return this.#entries.ask(key)
  }

  get(key: string): Resource | undefined {
    return this.#entries.get(key)
  }

  // --- storing -------------------------------------------------------------------------------------------------

  /** From here on the answer of a visit may be stored, if nothing is purged meanwhile. */
  open(visit: Visit): void {
    visit.isOpen = true
    visit.store = this
    this.#open.add(visit)
  }

  /** The answer of a visit is dealt with. */
  settle(visit: Visit): void {
    visit.isOpen = false
    this.#open.delete(visit)
  }

  /** Whether a purge came between the begin of a visit and what it has brought. */
  isOvertaken({ isVoid, purgedTags }: Visit, tags: readonly string[]): boolean {
    return isVoid || (purgedTags !== null && tags.some(tag => purgedTags.has(tag)))
  }

  /** Stores the answer of a visit, unless it was overtaken. */
  put(visit: Visit, request: HttpRequest, verdict: Verdict, variant: Variant): void {
    if (this.isOvertaken(visit, variant.tags)) return
    visit.isStored = true
    this.#stored++
    this.#passes?.delete(visit.key)
    const resource = this.get(visit.key) ?? new Resource(visit.key)
    resource.learn(verdict)
    resource.add(request, variant, Math.floor(this.#budget * URL_SHARE))
    this.#changed(resource)
  }

  /** Has a request get what is stored already. */
  link(resource: Resource, request: HttpRequest, variant: Variant): void {
    resource.link(request, variant)
    this.#changed(resource)
  }

  /** Puts a variant in the place of an older one of the same bytes. */
  renew(resource: Resource, old: Variant, variant: Variant): void {
    resource.renew(old, variant)
    this.#changed(resource)
  }

  /** Drops one variant, unless another request has put a newer one in its place. */
  drop(key: string, variant: Variant): void {
    const resource = this.get(key)
    if (resource?.drop(each => each === variant) === true) this.#changed(resource)
  }

  /** Makes room for bytes that are being read for the store; false when too many are. */
  reserve(bytes: number): boolean {
    if (this.#reading + bytes > this.#budget * READING_SHARE) return false
    this.#reading += bytes
    this.#makeRoom()
    return true
  }

  release(bytes: number): void {
    this.#reading -= bytes
  }

  // --- waiting -------------------------------------------------------------------------------------------------

  /** The run of the handler that a request may wait for. */
  fillOf(id: string): Fill | undefined {
    return this.#fills.get(id)
  }

  /** A run of the handler that others may wait for. */
  lead(id: string, leader: HttpRequest): Fill {
    const fill = new Fill(id, leader, left => {
      if (this.#fills.get(left.id) === left) this.#fills.delete(left.id)
    })
    this.#fills.set(id, fill)
    return fill
  }

  /** Remembers that nobody should wait for the answers of a key. */
  pass(key: string): void {
    this.#passes ??= new Entries()
    this.#passes.put(new Pass(key, Date.now() + PASS_FOR))
    while (this.#passes.bytes > this.#settings.maxSize * PASS_SHARE) this.#passes.evict()
  }

  /** Whether somebody has found that out lately. */
  isPassed(key: string, now: number): boolean {
    const pass = this.#passes?.ask(key)
    return pass !== undefined && now < pass.until
  }

  // --- purging -------------------------------------------------------------------------------------------------

  /** Drops what is stored for one key, and keeps out what is being made for it. */
  invalidate(key: string): void {
    this.#void(visit => visit.key === key)
    this.#entries.delete(key)
  }

  purge(url: string): number {
    return this.#purge(meantBy(url), false)
  }

  purgePrefix(prefix: string): number {
    return this.#purge(meantBy(prefix), true)
  }

  purgeTag(tag: string): number {
    // Which tags an answer has shows when it comes.
    for (const visit of this.#open.all()) {
      visit.purgedTags ??= new Set()
      visit.purgedTags.add(tag)
      visit.fill?.close()
    }
    return this.#dropWhere(resource => resource.drop(variant => variant.tags.includes(tag)))
  }

  purgeAll(): number {
    this.#void(() => true)
    const { size } = this.#entries
    this.#entries.clear()
    this.#passes = null
    return size
  }

  #purge(meant: Meant, asPrefix: boolean): number {
    this.#void(({ key }) => isMeant(key, meant, asPrefix))
    let count = 0
    for (const { key } of this.#entries.all()) {
      if (isMeant(key, meant, asPrefix) && this.#entries.delete(key)) count++
    }
    return count
  }

  // Whoever asks from now on must not get an answer that was begun before.
  #void(test: (visit: Visit) => boolean): void {
    for (const visit of this.#open.all()) {
      if (!test(visit)) continue
      visit.isVoid = true
      visit.fill?.close()
    }
  }

  #dropWhere(drop: (resource: Resource) => boolean): number {
    let count = 0
    for (const resource of this.#entries.all()) {
      if (!drop(resource)) continue
      count++
      this.#changed(resource)
    }
    return count
  }

  // --- memory --------------------------------------------------------------------------------------------------

  get #budget(): number {
    return Math.floor(this.#settings.maxSize * (1 - PASS_SHARE))
  }

  #changed(resource: Resource): void {
    if (resource.variants === 0) return void this.#entries.delete(resource.key)
    this.#entries.put(resource)
    this.#makeRoom()
  }

  #makeRoom(): void {
    while (this.#entries.size > 0 && this.#isFull) {
      this.#entries.evict()
      this.#evicted++
    }
  }

  get #isFull(): boolean {
    const { size, bytes } = this.#entries
    return size > this.#settings.maxEntries || bytes + this.#reading > this.#budget
  }
}
