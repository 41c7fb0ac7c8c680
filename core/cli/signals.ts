import { constants } from 'node:os'

/** The part of a server that ends it. */
export interface Stoppable {
  stop(options?: { readonly deadline?: number }): Promise<void>
}

const signals = ['SIGINT', 'SIGTERM'] as const
type Signal = (typeof signals)[number]

/**
 * Until there is a server to stop, a signal ends the process on the spot: nothing is in flight. Without a listener it
 * would be lost in a container, whose first process has no default for signals.
 *
 * @returns What leaves signals to somebody else.
 */
export function endAtOnce(): () => void {
  const end = () => process.exit(0)
  for (const signal of signals) process.on(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}

/** How long a forced stop may take to flush what plugins hold. */
const forcedMilliseconds = 1000

/**
 * Waits for a signal, drains the server, and gives the exit code: 0, or 128 + n after a second signal, which forces.
 * A third one ends the process on the spot.
 */
export function untilStopped(server: Stoppable): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0
    const onSignal = (signal: Signal) => {
      count += 1
      const code = 128 + constants.signals[signal]
      if (count > 2) process.exit(code)
      if (count === 2) force(server).then(() => resolve(code), reject)
      // A forced stop ends the first one too, and must not look like a clean end.
      else server.stop().then(() => count === 1 && resolve(0), reject)
    }
    for (const signal of signals) process.on(signal, onSignal)
  })
}

async function force(server: Stoppable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, forcedMilliseconds)
  await Promise.race([server.stop({ deadline: 0 }), promise])
}
