/** Why a piece of work is not done: all places to wait are taken or time is up, or one client has its share. */
export type Full = 'full' | 'greedy'

/** How many work and wait. */
export interface Bounds {
  readonly atOnce: number
  readonly waiting: number
  /** Of one client, at work and waiting. */
  readonly perClient: number
  /** Milliseconds that one waits for its turn. */
  readonly patience: number
}

/** Its turn did not come in time. */
export const LATE = Symbol('late')

/** Work that takes turns, so that nobody can fill the thread pool with it, nor a single client the queue. */
export class Turns {
  readonly #bounds: Bounds
  /** In the order in which they came: each is told that its turn has come. */
  readonly #waiting = new Set<() => void>()
  readonly #ofClient = new Map<string, number>()
  #atWork = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Why a client's work cannot be taken now; null when it can. */
  refuses(client: string): Full | null {
    const { atOnce, waiting, perClient } = this.#bounds
    if ((this.#ofClient.get(client) ?? 0) >= perClient) return 'greedy'
    return this.#atWork < atOnce || this.#waiting.size < waiting ? null : 'full'
  }

  /** Runs a client's work when its turn has come. */
  async run<T>(client: string, work: () => T | Promise<T>): Promise<T | typeof LATE> {
    this.#count(client, 1)
    try {
      if (this.#atWork < this.#bounds.atOnce) this.#atWork++
      else if (!(await this.#turn())) return LATE
      return await this.#work(work)
    } finally {
      this.#count(client, -1)
    }
  }

  async #work<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      // Who waits takes the place over.
      const [next] = this.#waiting
      if (next === undefined) this.#atWork--
      else next()
    }
  }

  /** Whether the turn has come; false when time was up before. */
  #turn(): Promise<boolean> {
    return new Promise(resolve => {
      const leave = (hasCome: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(go)
        resolve(hasCome)
      }
      const go = () => leave(true)
      const timer = setTimeout(leave, this.#bounds.patience, false)
      this.#waiting.add(go)
    })
  }

  #count(client: string, by: number): void {
    const count = (this.#ofClient.get(client) ?? 0) + by
    if (count === 0) this.#ofClient.delete(client)
    else this.#ofClient.set(client, count)
  }
}
