/** What a timer is kept by. */
interface Timekeeper {
  readonly timers: Set<VirtualTimer>
  readonly passed: number
}

interface TimerFacts {
  readonly run: () => void
  readonly delay: number
  readonly repeats: boolean
}

let made = 0

/** A timer of a virtual clock, with the methods of Node's. */
export class VirtualTimer {
  /** The time at which it runs, in milliseconds that have passed for its clock. */
  due: number
  /** Of two that run at one time the older one is first. */
  order = made++
  readonly #clock: Timekeeper
  readonly #facts: TimerFacts
  #hasRef = true

  constructor(clock: Timekeeper, facts: TimerFacts) {
    this.#clock = clock
    this.#facts = facts
    this.due = clock.passed + facts.delay
    clock.timers.add(this)
  }

  /** Its time has come. */
  fire(): void {
    const { run, delay, repeats } = this.#facts
    if (repeats) this.due = this.#clock.passed + delay
    else this.#clock.timers.delete(this)
    run()
  }

  close(): this {
    this.#clock.timers.delete(this)
    return this
  }

  refresh(): this {
    this.due = this.#clock.passed + this.#facts.delay
    this.order = made++
    this.#clock.timers.add(this)
    return this
  }

  ref(): this {
    this.#hasRef = true
    return this
  }

  unref(): this {
    this.#hasRef = false
    return this
  }

  hasRef(): boolean {
    return this.#hasRef
  }

  [Symbol.toPrimitive](): number {
    return this.order
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
