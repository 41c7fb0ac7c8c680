import { createHmac, randomBytes } from 'node:crypto'
import type { StoredHash } from './hash.ts'

/** Users and their passwords. Who asks for one that is not there waits as long as for one that is. */
export class Users {
  readonly #byName: ReadonlyMap<string, StoredHash>
  readonly #hashes: readonly StoredHash[]
  readonly #key = randomBytes(32)

  /** @param byName At least one. */
  constructor(byName: ReadonlyMap<string, StoredHash>) {
    this.#byName = byName
    this.#hashes = [...byName.values()]
  }

  /** Users whose passwords are as good as plaintext to who has the file. */
  get weak(): string[] {
    return [...this.#byName].filter(([, { isWeak }]) => isWeak).map(([user]) => user)
  }

  async verify(user: string, password: string): Promise<boolean> {
    const standIn = this.#standInFor(user)
    const own = this.#byName.get(user)
    const isRight = await (own ?? standIn).verify(password)
    return isRight && own !== undefined
  }

  // Always the same one for a name, so that its cost does not give a stranger away by changing from try to try.
  #standInFor(user: string): StoredHash {
    const number = createHmac('sha256', this.#key).update(user).digest().readUInt32BE()
    return this.#hashes[number % this.#hashes.length]!
  }
}
