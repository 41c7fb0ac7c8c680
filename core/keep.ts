/** How a kept value is made, taken over by a later generation, and ended. */
export interface KeepOptions<T> {
  /** Runs before `start` when no earlier generation kept a value of this name. */
  readonly create: () => T
  /** Runs when a reload has succeeded: the old value may be changed in place to fit new settings. */
  readonly adopt?: ((value: T) => void) | undefined
  /** Runs when the only generation that is left did not claim the value. */
  readonly dispose?: ((value: T) => void) | undefined
}

/**
 * Keeps a value over reloads: `keep('store', { create })` gives a function that returns it, callable from `start` on.
 *
 * @throws Error when the name is kept twice, or the function is called before `start`.
 */
export type Keep = <T>(name: string, options: KeepOptions<T>) => () => T

interface Claim {
  readonly options: KeepOptions<unknown>
  isReady: boolean
  isNew: boolean
  value: unknown
}

/** @internal The kept values of one generation, by plugin, site and name. */
export class KeptValues {
  readonly #claims = new Map<string, Claim>()

  /** The `keep` of one plugin instance on one site or server. */
  keeper(owner: string): Keep {
    return <T>(name: string, options: KeepOptions<T>) => {
      const key = `${owner}/${name}`
      if (this.#claims.has(key)) throw new Error(`keep("${name}") was called twice by ${owner}`)
      const claim: Claim = {
        options: options as KeepOptions<unknown>,
        isReady: false,
        isNew: false,
        value: undefined,
      }
      this.#claims.set(key, claim)
      return () => {
        if (!claim.isReady) throw new Error(`keep("${name}") of ${owner} has its value from start on`)
        return claim.value as T
      }
    }
  }

  /** Takes over what the generation before kept, and creates the rest. */
  prepare(before: KeptValues | null): void {
    for (const [key, claim] of this.#claims) {
      const kept = before === null ? undefined : before.#claims.get(key)
      claim.isNew = kept === undefined
      claim.value = kept === undefined ? claim.options.create() : kept.value
      claim.isReady = true
    }
  }

  /** The generation is in charge: values that were taken over are fitted to it. */
  commit(): void {
    for (const { options, isNew, value } of this.#claims.values()) if (!isNew) options.adopt?.(value)
  }

  /** Ends the values that `heir` did not take over; without an heir all of them. */
  dispose(heir: KeptValues | null): void {
    for (const [key, { options, isReady, value }] of this.#claims) {
      if (isReady && (heir === null || !heir.#claims.has(key))) options.dispose?.(value)
    }
  }

  /** Ends what was made for a generation that did not come to be. */
  undo(): void {
    for (const { options, isReady, isNew, value } of this.#claims.values())
      if (isReady && isNew) options.dispose?.(value)
  }
}
