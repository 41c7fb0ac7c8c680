import type { LazyBody } from 'rawhttp'

/** How many wait at most: each holds what it is made of. One that finds no place stays as it is. */
const MOST_WAITING = 8

/** Looks whether a stored answer is still wanted, and gives what takes its better bytes; null: it is not. */
type Claim = () => ((bytes: Uint8Array) => void) | null

interface Waiting {
  readonly body: LazyBody
  readonly claim: Claim
}

/**
 * Makes encoded bytes that are kept smaller, with more work than a client should wait for: one after the other, beside
 * all that is urgent.
 */
export class Improvements {
  readonly #waiting: Waiting[] = []
  #isAtWork = false

  offer(body: LazyBody, claim: Claim): void {
    if (this.#waiting.length === MOST_WAITING) return
    this.#waiting.push({ body, claim })
    if (!this.#isAtWork) void this.#work()
  }

  async #work(): Promise<void> {
    this.#isAtWork = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await improve(next)
    this.#isAtWork = false
  }
}

async function improve({ body, claim }: Waiting): Promise<void> {
  const take = claim()
  if (take === null) return
  try {
    const made = await body.produce('keep')
    if (made instanceof Uint8Array) take(made)
  } catch {
    // What is stored is whole and true; a file that has changed since shows when it is asked for.
  }
}
