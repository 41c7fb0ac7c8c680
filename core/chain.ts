/** What a {@link Chain} can hold: it carries its place in the chain itself, and is in one at a time. */
export interface Chained<T> {
  /** The one that was added before it. */
  before: T | null
  /** The one that was added after it. */
  after: T | null
}

/**
 * Members in the order in which they were added, linked by themselves: for what every request comes into and leaves soon. A
 * Set makes itself a new table every so many members, and the one before, which the collector has called old by then,
 * holds all that was in it until the next great collection: each scavenge takes it for alive, and moves it.
 */
export class Chain<T extends Chained<T>> {
  #first: T | null = null
  #last: T | null = null
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** The one that was added before all others; `after` leads on from it. */
  get first(): T | null {
    return this.#first
  }

  /** Adds one at the end, unless it is there. */
  add(member: T): void {
    if (this.has(member)) return
    const last = this.#last
    member.before = last
    if (last === null) this.#first = member
    else last.after = member
    this.#last = member
    this.#size++
  }

  /** Whether it is in a chain, which can only be this one. */
  has(member: T): boolean {
    return member.before !== null || this.#first === member
  }

  /** Takes one out; whether it was there. */
  delete(member: T): boolean {
    if (!this.has(member)) return false
    const { before, after } = member
    if (before === null) this.#first = after
    else before.after = after
    if (after === null) this.#last = before
    else after.before = before
    // One that the collector has called old would hold its neighbours, and they theirs.
    member.before = null
    member.after = null
    this.#size--
    return true
  }

  /** All of them, while some may be taken out. */
  all(): readonly T[] {
    const members: T[] = []
    for (let member = this.#first; member !== null; member = member.after) members.push(member)
    return members
  }
}
