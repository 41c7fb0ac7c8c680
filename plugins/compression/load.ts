import type { Purpose } from 'rawhttp'

/**
 * How many streams are being compressed. One count for the process, since it is the process's memory that they take:
 * sites, servers and generations share it.
 */
class OpenStreams {
  #open = 0
  #live = 0

  /**
   * Whether one more may be opened. Event streams stay for hours: half of the places is kept for what comes and goes.
   */
  hasRoom(limit: number, isLive: boolean): boolean {
    return this.#open < limit && (!isLive || this.#live < Math.ceil(limit / 2))
  }

  /** Counts a stream until what this gives is called, once or more often. */
  enter(isLive: boolean): () => void {
    let isOpen = true
    this.#count(1, isLive)
    return () => {
      if (isOpen) this.#count(-1, isLive)
      isOpen = false
    }
  }

  #count(change: 1 | -1, isLive: boolean): void {
    this.#open += change
    if (isLive) this.#live += change
  }
}

/**
 * Lets a few run at a time and the others wait for their turn. What waits has opened nothing.
 */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

export const openStreams = new OpenStreams()

/**
 * Bodies that are compressed in one go, by what for: a client that waits is not to wait for levels that take a hundred
 * times longer. Together they are libuv's four threads, so that the disk waits for a short one at most.
 */
export const wholeBodies: Readonly<Record<Purpose, Turns>> = { send: new Turns(2), keep: new Turns(2) }
