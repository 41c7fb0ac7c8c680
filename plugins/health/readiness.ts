import { type HealthCheck, type Log, printable } from 'rawhttp'
import { type CheckResult, RepeatedCheck } from './check.ts'

/** How readiness is found out, in milliseconds. */
export interface ReadinessSettings {
  readonly timeout: number
  readonly remember: number
}

/** What the last run of the checks gave; empty where there are none. */
export type Results = readonly CheckResult[]

/** Whether a server can take requests: runs the checks when somebody asks, and remembers for a while. */
export class Readiness {
  readonly #settings: ReadinessSettings
  readonly #log: Log
  readonly #checks: readonly RepeatedCheck[]
  #latest: { readonly results: Results; readonly at: number } | null = null
  #running: Promise<Results> | null = null

  constructor(checks: Iterable<HealthCheck>, settings: ReadinessSettings, log: Log) {
    this.#checks = [...checks].map(check => new RepeatedCheck(check))
    this.#settings = settings
    this.#log = log
    if (this.#checks.length === 0) this.#latest = { results: [], at: Number.POSITIVE_INFINITY }
  }

  /** Results that are still good; null when the checks have to run again. */
  get fresh(): Results | null {
    const latest = this.#latest
    return latest !== null && performance.now() - latest.at < this.#settings.remember ? latest.results : null
  }

  /** The results of the last run, however old; null before the first has ended. */
  get latest(): Results | null {
    return this.#latest?.results ?? null
  }

  /** Runs all checks at once; who asks meanwhile waits for the same run. */
  run(): Promise<Results> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #run(): Promise<Results> {
    const results = await Promise.all(this.#checks.map(check => check.run(this.#settings.timeout)))
    this.#tell(results)
    this.#latest = { results, at: performance.now() }
    return results
  }

  /** Tells the operator what has changed: a check that fails for hours is one line, not one for each probe. */
  #tell(results: Results): void {
    for (const [index, { name, error }] of results.entries()) {
      const before = this.#latest?.results[index]?.error ?? null
      if (error !== null && before === null)
        this.#log.error(`not ready: check "${name}" failed: ${printable(error.message)}`, error)
      if (error === null && before !== null) this.#log.info(`check "${name}" is well again`)
    }
  }
}
