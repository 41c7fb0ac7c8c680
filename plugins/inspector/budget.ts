/** How many requests may be traced: a share of time fills it, each trace takes one. */
export class Budget {
  readonly #perSecond: number
  readonly #now: () => number
  #left: number
  #at: number

  /**
   * @param perSecond Also what it holds at most, so that a page with all its files is seen whole.
   * @param now Milliseconds.
   */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#left = perSecond
    this.#at = now()
  }

  /** Takes one, if there is one. */
  take(): boolean {
    const now = this.#now()
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) * this.#perSecond) / 1_000)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
