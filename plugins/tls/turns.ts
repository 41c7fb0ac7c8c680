/** How long a handshake may take while others wait for its place, in milliseconds: several round trips of a bad line. */
const PATIENCE = 1_000
/** What handshakes may take of one turn of the event loop, in milliseconds: answers go on in between. */
const SHARE = 5

/** One who wants to shake hands. */
export interface Applicant {
  /** Its turn has come. The work it makes is done when this turn's microtasks are. */
  begin(): void
  /** Others wait for its place, and it took too long. */
  giveWay(): void
}

/**
 * Who may shake hands when. So many do at one time; who comes later waits.
 *
 * The newest goes first. When more come than can be served, first come first served makes everybody wait until
 * nobody's patience lasts; so those who can be served at all are served at once, and a flood of clients that say
 * hello and fall silent does not stand before an honest one.
 */
export class Turns {
  readonly #places: number
  /** Those under way, the oldest first, and since when. */
  readonly #under = new Map<Applicant, number>()
  readonly #waiting: Applicant[] = []
  #isStarting = false
  #timer: NodeJS.Timeout | null = null

  constructor(places: number) {
    this.#places = places
  }

  /** Asks for a place. {@link leave} has to follow, whatever comes of it. */
  enter(applicant: Applicant): void {
    this.#waiting.push(applicant)
    this.#start()
  }

  /** Gives the place back, or the wish for one up. */
  leave(applicant: Applicant): void {
    if (!this.#under.delete(applicant)) {
      const at = this.#waiting.lastIndexOf(applicant)
      if (at !== -1) this.#waiting.splice(at, 1)
    }
    this.#start()
  }

  #start(): void {
    if (this.#isStarting || !this.#mayBegin()) return this.#watch()
    this.#isStarting = true
    this.#startSome(performance.now())
  }

  #mayBegin(): boolean {
    return this.#waiting.length > 0 && this.#under.size < this.#places
  }

  // Node does what a new TLSSocket has to do in the next tick, so a tick later its cost is known.
  #startSome(since: number): void {
    if (!this.#mayBegin()) {
      this.#isStarting = false
      return this.#watch()
    }
    const now = performance.now()
    if (now - since > SHARE) return void setImmediate(() => this.#startSome(performance.now()))
    const next = this.#waiting.pop()!
    this.#under.set(next, now)
    next.begin()
    process.nextTick(() => this.#startSome(since))
  }

  /** While some wait and all places are taken, the oldest may not take for ever. */
  #watch(): void {
    if (this.#timer !== null || this.#waiting.length === 0) return
    const [oldest] = this.#under.values()
    if (oldest === undefined) return
    const wait = Math.max(0, oldest + PATIENCE - performance.now())
    this.#timer = setTimeout(() => this.#clear(), wait).unref()
  }

  #clear(): void {
    this.#timer = null
    const now = performance.now()
    const late = [...this.#under].filter(([, since]) => now - since >= PATIENCE)
    if (this.#waiting.length > 0) for (const [applicant] of late) applicant.giveWay()
    this.#watch()
  }
}
