import { writeError } from '../../stderr.ts'
import { configError, type ExplainedError } from '../failure.ts'
import type { Outcome } from '../reloader.ts'
import { Restarts } from './restarts.ts'
import { sayAll } from './say.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Milliseconds by which the primary may hear later than a worker of a signal that was sent to all of them. */
const SIGNAL_LAG = 100

interface CrewOptions {
  /** @throws ExplainedError when the system has no room for a process. */
  spawn(number: number): WorkerProcess
  /** A worker has come to serve in the place of another one. */
  onCame(worker: WorkerProcess): void
  /** None serves, and starting them again has failed too often. */
  onHopeless(why: string): void
}

/** The workers that are counted on, and those who take the place of one that ends, whatever else goes on. */
export class Crew {
  readonly #options: CrewOptions
  /** By number of worker. */
  readonly #restarts = new Map<number, Restarts>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Numbers of workers whose place stays empty until a config is loaded well. */
  readonly #waiting = new Set<number>()
  #serving: readonly WorkerProcess[] = []
  #isStopped = false

  constructor(options: CrewOptions) {
    this.#options = options
  }

  /** Who serves and shall go on to, in the order in which they came. */
  get serving(): readonly WorkerProcess[] {
    return this.#serving
  }

  /**
   * Puts workers that serve in the place of all others.
   *
   * @returns Those who were there.
   */
  replace(fresh: readonly WorkerProcess[]): readonly WorkerProcess[] {
    const old = this.#serving
    this.#serving = fresh
    this.#waiting.clear()
    for (const worker of fresh) this.#watch(worker)
    return old
  }

  /** Has a worker finish what it has and end, and another one take its place at once. */
  replaceOne(worker: WorkerProcess, why: string): void {
    if (!this.#remove(worker)) return
    worker.stop('usual')
    this.#restart(worker, why)
  }

  /** The same for one that a signal has told to end, and maybe all others too. */
  replaceLeaving(worker: WorkerProcess): void {
    if (!this.#remove(worker)) return
    worker.stop('usual')
    this.#after(SIGNAL_LAG, () => this.#restart(worker, 'was told to end'))
  }

  /** Has a worker leave, and its place stay empty until {@link startWaiting}. */
  dismiss(worker: WorkerProcess): void {
    this.#remove(worker)
    this.#waiting.add(worker.number)
    worker.stop('replaced')
  }

  /** What is on disk can be loaded: nobody has to wait for that any more. */
  startWaiting(): void {
    for (const number of this.#waiting) void this.#startAgain(number)
    this.#waiting.clear()
  }

  /** Starts no more workers. Those who are there are not its business. */
  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  /** Whether it was counted on. */
  #remove(worker: WorkerProcess): boolean {
    if (!this.#serving.includes(worker)) return false
    this.#serving = this.#serving.filter(each => each !== worker)
    return true
  }

  #watch(worker: WorkerProcess): void {
    void worker.ended.then(how => {
      if (this.#remove(worker)) this.#restart(worker, how)
    })
  }

  #restart({ name, number, age }: Pick<WorkerProcess, 'name' | 'number' | 'age'>, how: string): void {
    if (this.#isStopped) return
    const restarts = this.#restarts.get(number) ?? new Restarts()
    this.#restarts.set(number, restarts)
    const pause = restarts.ended(age)
    if (restarts.isHopeless && this.#serving.length === 0)
      return this.#options.onHopeless(
        `${name} ${how}, ${restarts.count} failures in a row, and no other serves`,
      )
    writeError(sayAll([`${name} ${how}; another one starts in ${pause / 1_000} s`]))
    this.#after(pause, () => void this.#startAgain(number))
  }

  #after(pause: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      then()
    }, pause)
    this.#timers.add(timer)
  }

  /** A reload by fresh workers may have filled the place by the time that another one starts or serves. */
  #isWanted(number: number): boolean {
    return !this.#isStopped && !this.#serving.some(each => each.number === number)
  }

  async #startAgain(number: number): Promise<void> {
    if (!this.#isWanted(number)) return
    const worker = this.#spawn(number)
    if (worker === null) return
    try {
      await worker.ready
    } catch (error) {
      return this.#failedToServe(worker, (error as ExplainedError).failure)
    }
    if (!this.#isWanted(number)) return worker.stop('replaced')
    this.#serving = [...this.#serving, worker]
    this.#watch(worker)
    this.startWaiting()
    this.#options.onCame(worker)
  }

  /** Null when the system has no room for a process at this moment: later it may have. */
  #spawn(number: number): WorkerProcess | null {
    try {
      return this.#options.spawn(number)
    } catch (error) {
      writeError((error as ExplainedError).failure.text)
      this.#restart({ name: `worker ${number}`, number, age: 0 }, 'did not come to serve')
      return null
    }
  }

  /** A mistake on disk goes away by no number of restarts; a fault of the moment does. */
  #failedToServe(worker: WorkerProcess, { text, code }: Outcome): void {
    worker.kill()
    if (!this.#isWanted(worker.number)) return
    writeError(text)
    if (code !== configError || this.#serving.length === 0)
      return this.#restart(worker, 'did not come to serve')
    this.#waiting.add(worker.number)
    writeError(sayAll([`${worker.name} did not come to serve; another one starts with the next reload`]))
  }
}
