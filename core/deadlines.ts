import { Chain, type Chained } from './chain.ts'

/** Something that must end by a time. */
export interface Timed extends Chained<Timed> {
  /** Milliseconds of {@link Deadlines.now} after which `expire` runs; Infinity: never. */
  deadline: number
  /** Runs at the first tick after the deadline; it sets another deadline or ends. */
  expire(now: number): void
}

/** Why an exchange was cut: a limit of time passed. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** A timer cannot wait longer, in milliseconds: beyond this Node takes one for zero. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Members that expire in one turn: each may write an answer and close a connection, and others wait meanwhile. */
const EXPIRED_A_TURN = 16

/**
 * One coarse timer for all connections and exchanges: setting a deadline costs an assignment. It is late by at most
 * one period, or when thousands pass at once, by the turns over which they are spread.
 */
export class Deadlines {
  readonly #members = new Chain<Timed>()
  #period: number
  #timer: NodeJS.Timeout | null = null
  /** Whether a look is under way, and the first one that it has still to see. */
  #isLooking = false
  #unseen: Timed | null = null

  /** @param shortest The shortest time-out in use, in milliseconds: the period is a quarter of it, 10 to 500. */
  constructor(shortest: number) {
    this.#period = periodFor(shortest)
  }

  /** The shortest time-out in use, in milliseconds, is another from now on. */
  set shortest(milliseconds: number) {
    this.#period = periodFor(milliseconds)
    if (this.#timer === null) return
    clearInterval(this.#timer)
    this.#startTimer()
  }

  /** The clock of deadlines: milliseconds, monotonic. */
  now(): number {
    return performance.now()
  }

  add(member: Timed): void {
    this.#members.add(member)
    if (this.#timer === null) this.#startTimer()
  }

  delete(member: Timed): void {
    if (member === this.#unseen) this.#unseen = member.after
    this.#members.delete(member)
    if (this.#members.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #startTimer(): void {
    this.#timer = setInterval(() => this.#tick(), this.#period)
    this.#timer.unref()
  }

  // One look at a time: a tick that comes while the last one is still under way has nothing to add.
  #tick(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#unseen = this.#members.first
    this.#look()
  }

  #look(): void {
    const now = this.now()
    for (let expired = 0; expired < EXPIRED_A_TURN; ) {
      const member = this.#unseen
      if (member === null) {
        this.#isLooking = false
        return
      }
      this.#unseen = member.after
      if (now <= member.deadline) continue
      expired++
      member.expire(now)
    }
    setImmediate(() => this.#look())
  }
}

function periodFor(shortest: number): number {
  return Math.min(500, Math.max(10, Math.floor(shortest / 4)))
}
