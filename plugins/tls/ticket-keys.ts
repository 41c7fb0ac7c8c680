import { randomBytes } from 'node:crypto'

/** OpenSSL's three keys of 16 bytes: name, HMAC, AES. */
const BYTES = 48

/**
 * The keys that session tickets are made with. They stay in memory, outlive reloads, and are new from time to time:
 * whoever steals one can read the TLS 1.2 sessions of one rotation, not of a year.
 *
 * All who answer for one address need the same keys, or a client resumes only by luck. This is the one place that
 * gives them.
 */
export class TicketKeys {
  #keys: Buffer = randomBytes(BYTES)
  #madeAt = performance.now()

  get current(): Buffer {
    return this.#keys
  }

  /** Makes new keys when the present ones are older than `age` milliseconds, and says whether it did. */
  rotate(age: number): boolean {
    if (performance.now() - this.#madeAt < age) return false
    this.#keys = randomBytes(BYTES)
    this.#madeAt = performance.now()
    return true
  }
}
