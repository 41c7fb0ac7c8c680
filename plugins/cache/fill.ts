import type { HttpRequest } from 'rawhttp'
import type { Variant } from './variant.ts'

/**
 * How a fill ended for those who waited: look again, since there may be something now or nobody who makes it; or go on
 * alone, since this answer is for nobody else.
 */
export type Ending = 'again' | 'alone'

type Waiter = (ending: Ending, made: Variant | null) => void

/** One run of the handler that others wait for. */
export class Fill {
  /** By what it is found: key, and what the request said if that is known to matter. */
  readonly id: string
  /** Whether it goes on without its leader: the answer is there, and is read for the store. */
  isSafe = false
  /** Null when it is over: a table that a Map no longer uses may hold a fill for long. */
  #leader: HttpRequest | null
  readonly #leave: (fill: Fill) => void
  #waiters: Waiter[] | null = []
  #isWatched = false

  /**
   * @param leader The request that runs the handler.
   * @param leave Takes the fill out of those that can be joined.
   */
  constructor(id: string, leader: HttpRequest, leave: (fill: Fill) => void) {
    this.id = id
    this.#leader = leader
    this.#leave = leave
  }

  /** Waits for the end; false when there is nothing to wait for. */
  join(waiter: Waiter): boolean {
    if (!this.isSafe && this.#leader?.signal.aborted === true) this.end('again')
    if (this.#waiters === null) return false
    this.#waiters.push(waiter)
    if (!this.#isWatched) this.#watch()
    return true
  }

  // A handler whose client has left may stop, or answer nobody: one of those who wait takes its place.
  #watch(): void {
    this.#isWatched = true
    const lost = () => {
      if (!this.isSafe) this.end('again')
    }
    this.#leader!.signal.addEventListener('abort', lost, { once: true })
  }

  /** Nobody else joins: what this run answers may be out of date already. */
  close(): void {
    this.#leave(this)
  }

  /**
   * Lets everybody go, once.
   *
   * @param made What has just been stored: whoever asks for the same gets it, however short its life is.
   */
  end(ending: Ending, made: Variant | null = null): void {
    const waiters = this.#waiters
    if (waiters === null) return
    this.#waiters = null
    this.#leader = null
    this.#leave(this)
    for (const waiter of waiters) waiter(ending, made)
  }
}
