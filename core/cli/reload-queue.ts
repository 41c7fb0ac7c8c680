import type { Outcome } from './reloader.ts'

/** Reloads one at a time. What is asked for meanwhile is one more, for all who asked. */
export class ReloadQueue {
  readonly #attempt: (why: string | undefined) => Promise<Outcome>
  #running: Promise<Outcome> | null = null
  #following: Promise<Outcome> | null = null

  /** @param attempt One reload; it never rejects. */
  constructor(attempt: (why: string | undefined) => Promise<Outcome>) {
    this.#attempt = attempt
  }

  /** @param why What is said of the reason: `routes.ts changed`. */
  reload(why?: string): Promise<Outcome> {
    if (this.#running === null) {
      this.#running = this.#run(why)
      return this.#running
    }
    this.#following ??= this.#running.then(() => {
      this.#following = null
      return this.reload(why)
    })
    return this.#following
  }

  /** Resolves when none is under way and none waits. */
  async idle(): Promise<void> {
    while (this.#running !== null) await (this.#following ?? this.#running)
  }

  async #run(why: string | undefined): Promise<Outcome> {
    const outcome = await this.#attempt(why)
    this.#running = null
    return outcome
  }
}
