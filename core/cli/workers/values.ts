import type { Version } from '../../seat.ts'
import type { NamedVersion } from './protocol.ts'

/** The values that workers agree on: session tickets' keys. They are in this process' memory only. */
export class Values {
  readonly #versions = new Map<string, Version>()
  readonly #onChange: (version: NamedVersion) => void

  /** @param onChange A value was replaced. */
  constructor(onChange: (version: NamedVersion) => void) {
    this.#onChange = onChange
  }

  /** Takes a value that is made to follow the present one, and gives the one that counts. */
  propose({ name, number, value }: NamedVersion): Version {
    const present = this.#versions.get(name)
    if (present !== undefined && present.number !== number) return present
    // A worker that was without a primary for a moment may be ahead.
    const next = { number: number + 1, value }
    this.#versions.set(name, next)
    if (present !== undefined) this.#onChange({ name, ...next })
    return next
  }
}
