/** What {@link Entries} hold. */
export interface Entry {
  readonly key: string
  /** Bytes that it takes now. */
  readonly size: number
  /** Whether somebody has asked for it since it came to its place in the line of those that go. */
  isWanted: boolean
  /** Bytes that it was counted for when it was put there. */
  counted: number
}

/** How many in a row may be spared at an eviction: it takes no longer, however many were asked for. */
const MOST_SPARED = 64

/**
 * What is remembered, by key, with the bytes that it counts for. Who is asked for is marked and stays where it is; at an
 * eviction a marked one at the front goes to the back once more ("second chance", a clock). So a hit writes one
 * field of what it reads anyway: with a thousand sites the links of a list would be other memory for each.
 */
export class Entries<T extends Entry> {
  /** The next one to go first. */
  readonly #entries = new Map<string, T>()
  /** The one that was put last: those who have waited for it have not asked yet. */
  #last: T | null = null
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** For a request: what it gets is spared by the next eviction. */
  ask(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.isWanted = true
    return entry
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)
  }

  /** All of them, while some may be deleted. */
  all(): readonly T[] {
    return [...this.#entries.values()]
  }

  /** Puts an entry last in line, as large as it is now. */
  put(entry: T): void {
    this.delete(entry.key)
    entry.counted = entry.size
    this.#bytes += entry.counted
    this.#entries.set(entry.key, entry)
    this.#last = entry
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#bytes -= entry.counted
    if (entry === this.#last) this.#last = null
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#last = null
    this.#bytes = 0
  }

  /** Drops the first that nobody has asked for since it came to its place; the one that was put last is spared once. */
  evict(): void {
    let spared = 0
    for (const [key, entry] of this.#entries) {
      const isSpared = entry.isWanted || entry === this.#last
      if (!isSpared || spared === MOST_SPARED) return void this.delete(key)
      if (entry === this.#last) this.#last = null
      entry.isWanted = false
      spared++
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
  }
}
