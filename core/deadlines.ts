/** Something that must end by a time. */
export interface Timed {
  /** Milliseconds of {@link Deadlines.now} after which `expire` runs; Infinity: never. */
  deadline: number
  /** Runs at the first tick after the deadline; it sets another deadline or ends. */
  expire(now: number): void
}

/** Why an exchange was cut: a limit of time passed. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * One coarse timer for all connections and exchanges: a deadline is late by at most one period, and setting one
 * costs an assignment.
 */
export class Deadlines {
  readonly #members = new Set<Timed>()
  readonly #period: number
  #timer: NodeJS.Timeout | null = null

  /** @param shortest The shortest time-out in use, in milliseconds: the period is a quarter of it, 10 to 500. */
  constructor(shortest: number) {
    this.#period = Math.min(500, Math.max(10, Math.floor(shortest / 4)))
  }

  /** The clock of deadlines: milliseconds, monotonic. */
  now(): number {
    return performance.now()
  }

  add(member: Timed): void {
    this.#members.add(member)
    if (this.#timer !== null) return
    this.#timer = setInterval(() => this.#tick(), this.#period)
    this.#timer.unref()
  }

  delete(member: Timed): void {
    this.#members.delete(member)
    if (this.#members.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #tick(): void {
    const now = this.now()
    for (const member of this.#members) if (now > member.deadline) member.expire(now)
  }
}
