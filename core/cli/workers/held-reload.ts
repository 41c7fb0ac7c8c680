import type { Outcome, PreparedReload } from '../reloader.ts'
import type { Loaded } from './protocol.ts'

/** What a worker has prepared, and may be told to go over to or to give up: one thing at a time. */
export class HeldReload {
  readonly #make: () => Promise<PreparedReload | Outcome>
  /** From the question on, so that what is given up before it is there does not stay half started. */
  #held: Promise<PreparedReload | Outcome> | null = null
  #abandoned: Promise<void> = Promise.resolve()

  /** @param make The first half of a reload; it never rejects. */
  constructor(make: () => Promise<PreparedReload | Outcome>) {
    this.#make = make
  }

  /** Who asks again has given up what was there before: that ends first. */
  async prepare(): Promise<Loaded | Outcome> {
    this.#held = this.abandon().then(() => this.#make())
    const made = await this.#held
    return 'code' in made ? made : { fingerprint: made.fingerprint }
  }

  async commit(): Promise<Outcome> {
    const made = await this.#take()
    if (made === null || 'code' in made) return { code: 1, text: 'rawhttp: nothing is prepared\n' }
    return await made.commit()
  }

  /** Resolves when nothing is left of it: of one that is still being prepared, behind that. */
  abandon(): Promise<void> {
    const taken = this.#take()
    this.#abandoned = this.#abandoned.then(async () => {
      const made = await taken
      if (made !== null && !('code' in made)) await made.abandon()
    })
    return this.#abandoned
  }

  async #take(): Promise<PreparedReload | Outcome | null> {
    const held = this.#held
    this.#held = null
    return await held
  }
}
