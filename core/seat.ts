import type { ResolvedListen } from './config/types.ts'
import { removeStaleSocket } from './stale-socket.ts'

/** Where a listener really listens: the port that 0 has become, and whether others listen there as well. */
export interface Place {
  readonly port: number
  readonly reusePort: boolean
}

/** A value that workers agree on, and which one it is: the first has the number 1. */
export interface Version {
  readonly number: number
  readonly value: Uint8Array
}

/** The line from one worker to the others. What it carries is known to the plugins at its ends only. */
export interface PeerLink {
  readonly isAlone: boolean
  send(topic: string, message: Uint8Array): void
  /** The answers that came in time. */
  ask(topic: string, message: Uint8Array): Promise<readonly Uint8Array[]>
  /** Gives what ends it. A retired generation hears beside the one in charge; the answer is the latest's. */
  hear(topic: string, listener: (message: Uint8Array) => Promise<Uint8Array | null>): () => void
  /** Has the value taken if its number is that of the present one; gives the one that counts. */
  propose(name: string, version: Version): Promise<Version>
  /** Hears of values that were replaced. Gives what ends it. */
  hearVersions(name: string, listener: (version: Version) => void): () => void
}

/** What a server has to know when it is one of several processes that serve the same sites. */
export interface Seat {
  readonly link: PeerLink
  /**
   * Takes the file away, too, that a dead process has left at the path of a Unix socket.
   *
   * @throws the system's error, with `code`, when the place cannot be had.
   */
  place(config: ResolvedListen): Promise<Place>
}

/** The seat of a server that is alone: it listens where the config says, and speaks to nobody. */
export const alone: Seat = Object.freeze({
  link: Object.freeze({
    isAlone: true,
    send: () => undefined,
    ask: async () => [],
    hear: () => () => undefined,
    propose: async (_name, { number, value }) => ({ number: number + 1, value }),
    hearVersions: () => () => undefined,
  } satisfies PeerLink),
  async place({ port, path }: ResolvedListen) {
    if (path !== null) await removeStaleSocket(path)
    return { port, reusePort: false }
  },
})
