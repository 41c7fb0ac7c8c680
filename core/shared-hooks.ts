import type { Hook, Inner } from './hook.ts'

/** Sites whose taps of a hook are the same functions fire one hook. */
export class SharedHooks {
  readonly #numbers = new Map<unknown, number>()
  readonly #hooks = new Map<string, unknown>()
  readonly #traced = new Map<string, unknown>()
  readonly #tables = new Map<string, unknown>()

  /** What a sealed hook fires: that of the first one that runs the same; null when nobody tapped it. */
  firedBy<Tapable extends Inner>(hook: Hook<Tapable>): Tapable | null {
    return hook.fired === null ? null : this.#first(this.#hooks, hook, () => hook.inner)
  }

  /** The same for requests that are traced. */
  tracedBy<Tapable extends Inner>(hook: Hook<Tapable>): Tapable | null {
    return hook.fired === null ? null : this.#first(this.#traced, hook, () => hook.traced())
  }

  #first<Tapable extends Inner>(
    hooks: Map<string, unknown>,
    hook: Hook<Tapable>,
    make: () => Tapable,
  ): Tapable {
    const key = `${hook.spec.name} ${hook.runs.map(run => this.#numberOf(run)).join(' ')}`
    const same = (hooks.get(key) as Tapable | undefined) ?? make()
    hooks.set(key, same)
    return same
  }

  /** Hooks of a site by name: the object of the first site that fires the same. */
  table<Fired extends Readonly<Record<string, unknown>>>(fired: Fired): Fired {
    const key = Object.values(fired)
      .map(hook => this.#numberOf(hook))
      .join(' ')
    const same = (this.#tables.get(key) as Fired | undefined) ?? fired
    this.#tables.set(key, same)
    return same
  }

  #numberOf(part: unknown): number {
    const number = this.#numbers.get(part) ?? this.#numbers.size
    this.#numbers.set(part, number)
    return number
  }
}
