/** How a kept value is made, taken over by a later generation, and ended. */
export interface KeepOptions<T> {
  /** Runs before `start` when no earlier generation kept a value of this name. */
  readonly create: () => T
  /** Runs when a reload has succeeded: the old value may be changed in place to fit new settings. */
  readonly adopt?: (value: T) => void
  /** Runs when the only generation that is left did not claim the value. */
  readonly dispose?: (value: T) => void
}

/**
 * Keeps a value over reloads: `keep('store', { create })` gives a function that returns it, callable from `start` on.
 *
 * @throws Error when called before `start`.
 */
export type Keep = <T>(name: string, options: KeepOptions<T>) => () => T
