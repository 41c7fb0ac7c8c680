import type { HealthCheck } from 'rawhttp'

/** What came of a check: null when all is well. */
export interface CheckResult {
  readonly name: string
  readonly error: Error | null
}

/** A check that is run again and again, but never while it still runs. */
export class RepeatedCheck {
  readonly #check: HealthCheck
  /** Since when it runs; null while it does not. */
  #since: number | null = null

  constructor(check: HealthCheck) {
    this.#check = check
  }

  /** Runs it. The promise never rejects, and takes no longer than `timeout` milliseconds. */
  async run(timeout: number): Promise<CheckResult> {
    const { name } = this.#check
    try {
      await this.#within(timeout)
      return { name, error: null }
    } catch (thrown) {
      return { name, error: thrown instanceof Error ? thrown : new Error(String(thrown)) }
    }
  }

  async #within(timeout: number): Promise<void> {
    // One that hangs would gather calls without end: threads that wait for a disk, connections to a database.
    if (this.#since !== null) {
      const seconds = Math.round((performance.now() - this.#since) / 1_000)
      throw new Error(`it has not ended since ${seconds} s`)
    }
    const late = Promise.withResolvers<never>()
    const abort = new AbortController()
    const timer = setTimeout(() => {
      const error = new Error(`it took longer than ${timeout} ms`)
      abort.abort(error)
      late.reject(error)
    }, timeout)
    try {
      await Promise.race([this.#start(abort.signal), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async #start(signal: AbortSignal): Promise<void> {
    this.#since = performance.now()
    try {
      await this.#check.run(signal)
    } finally {
      this.#since = null
    }
  }
}
