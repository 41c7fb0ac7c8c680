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
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#bytes -= entry.counted
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  /** Drops the first that nobody has asked for since it came to its place. */
  evict(): void {
    let spared = 0
    for (const [key, entry] of this.#entries) {
      if (!entry.isWanted || spared === MOST_SPARED) return void this.delete(key)
      entry.isWanted = false
      spared++
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
  }
}
