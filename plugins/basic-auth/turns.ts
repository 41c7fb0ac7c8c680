/** Why a piece of work is not begun: all places to wait are taken, or those that one client may have. */
export type Full = 'full' | 'greedy'

/** How many work and wait. */
export interface Bounds {
  readonly atOnce: number
  readonly waiting: number
  /** Of one client, at work and waiting. */
  readonly perClient: number
}

/** Work that takes turns, so that nobody can fill the thread pool with it, nor a single client the queue. */
export class Turns {
  readonly #bounds: Bounds
  readonly #waiting: (() => void)[] = []
  readonly #ofClient = new Map<string, number>()
  #atWork = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Why a client's work cannot be taken now; null when it can. */
  refuses(client: string): Full | null {
    if ((this.#ofClient.get(client) ?? 0) >= this.#bounds.perClient) return 'greedy'
    if (this.#atWork < this.#bounds.atOnce) return null
    return this.#waiting.length >= this.#bounds.waiting ? 'full' : null
  }

  /** Runs a client's work when its turn has come. */
  async run<T>(client: string, work: () => T | Promise<T>): Promise<T> {
    this.#count(client, 1)
    try {
      if (this.#atWork >= this.#bounds.atOnce) await new Promise<void>(go => this.#waiting.push(go))
      else this.#atWork++
      return await work()
    } finally {
      this.#count(client, -1)
      // Who waits takes the place over.
      const next = this.#waiting.shift()
      if (next === undefined) this.#atWork--
      else next()
    }
  }

  #count(client: string, by: number): void {
    const count = (this.#ofClient.get(client) ?? 0) + by
    if (count === 0) this.#ofClient.delete(client)
    else this.#ofClient.set(client, count)
  }
}
