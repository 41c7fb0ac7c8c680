import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Credentials } from './credentials.ts'

/** Clients that are remembered at a time; each takes about 200 bytes. */
const MOST = 10_000

/**
 * Credentials that were right a moment ago. Neither name nor password is kept, only a code of both by a key that never
 * leaves the process.
 */
export class Remembered {
  readonly #key = randomBytes(32)
  readonly #milliseconds: number
  /** Until when each code holds, by the clock of `performance`. */
  readonly #codes = new LRUCache<string, number>({ max: MOST })

  /** @param milliseconds From the check on, however often they are used. 0: nothing is remembered. */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** A name has no colon, so that no other pair has the same code. */
  codeOf({ user, password }: Credentials): string {
    return createHmac('sha256', this.#key).update(`${user}:${password}`).digest('base64')
  }

  has(code: string): boolean {
    return performance.now() < (this.#codes.get(code) ?? 0)
  }

  add(code: string): void {
    if (this.#milliseconds > 0) this.#codes.set(code, performance.now() + this.#milliseconds)
  }
}
