import { randomBytes } from 'node:crypto'
import type { Agreed, PluginServer } from 'rawhttp'

/** OpenSSL's three keys of 16 bytes: name, HMAC, AES. */
const BYTES = 48

/**
 * The keys that session tickets are made with. They stay in memory, outlive reloads, and are new from time to time:
 * whoever steals one can read the TLS 1.2 sessions of one rotation, not of a year.
 *
 * All workers agree on them, or a client would resume only by luck. This is the one place that gives them.
 */
export class TicketKeys {
  #keys: Buffer = randomBytes(BYTES)
  #madeAt = performance.now()
  #agreed: Agreed<Uint8Array> | null = null

  get current(): Buffer {
    return this.#keys
  }

  /** Takes the keys that the other workers have. To be called by each generation that uses them. */
  async share(peers: PluginServer['peers']): Promise<void> {
    if (peers.isAlone) return
    this.#agreed = await peers.agree<Uint8Array>(
      'ticket-keys',
      () => this.#keys,
      keys => this.#use(keys),
    )
    if (!this.#keys.equals(this.#agreed.value)) this.#use(this.#agreed.value)
  }

  /** Makes new keys when the present ones are older than `age` milliseconds; all workers get those of the first. */
  async rotate(age: number): Promise<void> {
    if (performance.now() - this.#madeAt < age) return
    const keys = randomBytes(BYTES)
    if (this.#agreed === null) this.#use(keys)
    else await this.#agreed.replace(keys)
  }

  #use(keys: Uint8Array): void {
    this.#keys = Buffer.from(keys)
    this.#madeAt = performance.now()
  }
}
