import { asError, type Diagnostic } from './errors.ts'

/** What a reload has changed, for who takes a kept value over. */
export interface Reload {
  /**
   * Whether the site, or for a server's value the whole config, is what it was: the same plugins with the same options.
   * Functions are the same only if they are one.
   */
  readonly isSameConfig: boolean
}

/** How a kept value is made, taken over by a later generation, and ended. */
export interface KeepOptions<T> {
  /** Runs before `start` when the generation before kept no value of this name. */
  readonly create: () => T
  /** Runs when a reload has succeeded: the old value may be changed in place to fit new settings. */
  readonly adopt?: ((value: T, reload: Reload) => void) | undefined
  /** Runs when the last generation that claimed the value has ended. */
  readonly dispose?: ((value: T) => void) | undefined
}

/**
 * Keeps a value over reloads: `keep('store', { create })` gives a function that returns it, callable from `start` on.
 *
 * @throws Error when the name is kept twice, or after the setup, or when the function is called before `start`.
 */
export type Keep = <T>(name: string, options: KeepOptions<T>) => () => T

/** A value, and how many generations hold it: the last one to end disposes of it. */
interface Kept {
  readonly value: unknown
  holders: number
}

interface Claim {
  readonly plugin: string
  /** The site that the value belongs to; null for one of the server. */
  readonly site: string | null
  readonly name: string
  readonly options: KeepOptions<unknown>
  kept: Kept | null
  isNew: boolean
}

/** @internal The kept values of one generation, by plugin, site and name. */
export class KeptValues {
  readonly #claims = new Map<string, Claim>()
  readonly #report: (diagnostic: Diagnostic) => void
  #isPrepared = false

  constructor(report: (diagnostic: Diagnostic) => void) {
    this.#report = report
  }

  /**
   * The `keep` of one plugin instance on one site or server.
   *
   * @param place Where: unique for the instance and the site or server.
   * @param site Its name; null for the server.
   */
  keeper(plugin: string, place: string, site: string | null = null): Keep {
    return <T>(name: string, options: KeepOptions<T>) => {
      const key = `${place}/${name}`
      const fail = (sentence: string) => new Error(`plugin "${plugin}": keep("${name}") ${sentence}`)
      if (this.#isPrepared) throw fail('came too late: call it in server() or site()')
      if (this.#claims.has(key)) throw fail('was called twice')
      const claim: Claim = {
        plugin,
        site,
        name,
        options: options as KeepOptions<unknown>,
        kept: null,
        isNew: false,
      }
      this.#claims.set(key, claim)
      return () => {
        if (claim.kept === null) throw fail('has its value from start to stop')
        return claim.kept.value as T
      }
    }
  }

  /**
   * Takes over what the generation before kept, and creates the rest.
   *
   * @throws what a `create` throws, with the plugin named.
   */
  prepare(before: KeptValues | null): void {
    this.#isPrepared = true
    for (const [key, claim] of this.#claims) {
      const kept = before === null ? null : (before.#claims.get(key)?.kept ?? null)
      claim.isNew = kept === null
      claim.kept = kept ?? { value: created(claim), holders: 0 }
      claim.kept.holders++
    }
  }

  /**
   * The generation is in charge: values that were taken over are fitted to it.
   *
   * @param isSame Whether a site, or with null all of the config, is what it was.
   */
  commit(isSame: (site: string | null) => boolean): void {
    for (const claim of this.#claims.values()) {
      const { adopt } = claim.options
      if (claim.isNew || adopt === undefined) continue
      this.#attempt(claim, 'adopt', () => adopt(claim.kept!.value, { isSameConfig: isSame(claim.site) }))
    }
  }

  /** The generation has ended, or did not come to be: values that no other one holds are disposed of. */
  dispose(): void {
    for (const claim of this.#claims.values()) {
      const { kept } = claim
      claim.kept = null
      if (kept === null || --kept.holders > 0) continue
      this.#attempt(claim, 'dispose', () => claim.options.dispose?.(kept.value))
    }
  }

  // One plugin's fault may not keep the others from theirs.
  #attempt(claim: Claim, what: 'adopt' | 'dispose', run: () => void): void {
    try {
      run()
    } catch (thrown) {
      const error = asError(thrown)
      const { plugin, name } = claim
      const message = `plugin "${plugin}", keep("${name}"): ${what} failed: ${error.message}`
      this.#report({ code: 'KEEP_FAILED', message, severity: 'error', plugin, cause: error })
    }
  }
}

function created({ plugin, name, options }: Claim): unknown {
  try {
    return options.create()
  } catch (cause) {
    const { message } = asError(cause)
    throw new Error(`plugin "${plugin}", keep("${name}"): create failed: ${message}`, { cause })
  }
}
