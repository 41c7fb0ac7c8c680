import type { Diagnostic } from 'rawhttp'

const PERIOD = 60_000
const MOST = 10

/** Reports of one kind, at most ten a minute; the next one after that says how many were left out. */
export class Reports {
  readonly #report: (diagnostic: Diagnostic) => void
  readonly #now: () => number
  #since = Number.NEGATIVE_INFINITY
  #count = 0

  /** @param now Milliseconds from any moment on. */
  constructor(report: (diagnostic: Diagnostic) => void, now: () => number = () => performance.now()) {
    this.#report = report
    this.#now = now
  }

  tell(diagnostic: Diagnostic): void {
    const now = this.#now()
    if (now - this.#since < PERIOD) {
      if (this.#count++ < MOST) this.#report(diagnostic)
      return
    }
    const left = Math.max(0, this.#count - MOST)
    this.#since = now
    this.#count = 1
    const message = left === 0 ? diagnostic.message : `${diagnostic.message} (${left} more were not reported)`
    this.#report({ ...diagnostic, message })
  }
}
