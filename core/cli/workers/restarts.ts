/** Milliseconds before the first restart; each one after it waits twice as long. */
const FIRST = 100
/** The longest wait. */
const LONGEST = 10_000
/** A worker that has served so long was well. */
const WELL = 60_000
/** After so many ends in a row, and where no worker serves, a restart helps no longer. */
const CAP = 6

/** When a worker that has ended starts again: one for each number. */
export class Restarts {
  #count = 0

  /**
   * The worker has ended, or did not come to serve.
   *
   * @param served Milliseconds.
   * @returns Milliseconds until the next one starts.
   */
  ended(served: number): number {
    this.#count = served >= WELL ? 1 : this.#count + 1
    return Math.min(LONGEST, FIRST * 2 ** (this.#count - 1))
  }

  /** Whether there is no hope. As long as another worker serves nobody asks. */
  get isHopeless(): boolean {
    return this.#count >= CAP
  }

  /** How many times it has ended in a row. */
  get count(): number {
    return this.#count
  }
}
