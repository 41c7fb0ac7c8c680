/**
 * `setImmediate` as it was when this was loaded: a clock that a test puts in the place of the process's must hold up neither
 * answers nor a stop.
 */
export const { setImmediate: putOff } = globalThis

/** The next turn of the event loop: what is ready by then has run. */
export const nextTurn = (): Promise<void> => new Promise(resolve => putOff(resolve))
