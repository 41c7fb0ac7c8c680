import { type Policy, type Verdict, verdictOf } from './policy.ts'

/** Buckets that are looked at for each new key: more than one, so that what is full goes faster than it comes. */
const GLANCES = 2
/** Buckets among which the one that goes is chosen when there is no room. */
const CHOICE = 8
/** Buckets that may go for each new key: a bound that a reload has made smaller is reached bit by bit. */
const EVICTIONS = 2

/**
 * Token buckets in memory, each one number: when it will be full (the generic cell rate algorithm). A bucket that is
 * full is as good as none, and goes when others come; so it needs no timer.
 *
 * When all places are taken by buckets that are not full, the fullest of a few goes. Those who fill the table with new
 * keys push out each other, and not the one that has used its limit up. The few are drawn by lot: whoever goes through
 * them in turn soon has only those before him that are never chosen, side by side.
 */
export class Buckets {
  /** Where a key's bucket stands in the lists. */
  readonly #places = new Map<string, number>()
  readonly #keys: string[] = []
  /** Microseconds of the clock that callers use. */
  readonly #fullAt: number[] = []
  /** Buckets that went although they were not full. */
  evicted = 0

  get size(): number {
    return this.#keys.length
  }

  /**
   * Takes a token.
   *
   * @param now Microseconds of a clock that never goes back.
   * @param room The number of buckets that there may be.
   */
  take(key: string, policy: Policy, now: number, room: number): Verdict {
    const { burst, interval } = policy
    const depth = burst * interval
    const place = this.#places.get(key)
    // A reload may have brought a smaller bucket: nobody waits for more than that.
    const before = place === undefined ? now : Math.min(Math.max(this.#fullAt[place]!, now), now + depth)
    const missing = before + interval - now
    if (missing > depth) return verdictOf(policy, burst + 1, missing - depth)
    if (place !== undefined) this.#fullAt[place] = now + missing
    else this.#add(key, now + missing, now, room)
    const taken = Math.ceil(missing / interval)
    return verdictOf(policy, taken, taken === burst ? missing + interval - depth : missing)
  }

  #add(key: string, fullAt: number, now: number, room: number): void {
    for (let glances = 0; glances < GLANCES; glances++) {
      const place = this.#anyPlace()
      if (this.#fullAt[place]! <= now) this.#remove(place)
    }
    for (let gone = 0; gone < EVICTIONS && this.size >= room; gone++) this.#evict(now)
    this.#places.set(key, this.size)
    this.#keys.push(key)
    this.#fullAt.push(fullAt)
  }

  #evict(now: number): void {
    let fullest = this.#anyPlace()
    for (let looks = 1; looks < CHOICE; looks++) {
      const other = this.#anyPlace()
      if (this.#fullAt[other]! < this.#fullAt[fullest]!) fullest = other
    }
    if (this.#fullAt[fullest]! > now) this.evicted++
    this.#remove(fullest)
  }

  #anyPlace(): number {
    return Math.floor(Math.random() * this.size)
  }

  // The last one takes its place.
  #remove(place: number): void {
    const key = this.#keys.pop()!
    const fullAt = this.#fullAt.pop()!
    if (place === this.size) return void this.#places.delete(key)
    this.#places.delete(this.#keys[place]!)
    this.#places.set(key, place)
    this.#keys[place] = key
    this.#fullAt[place] = fullAt
  }
}
