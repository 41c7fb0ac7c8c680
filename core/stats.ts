import type { Generation } from './generation.ts'
import type { Streams } from './streams.ts'

/** What a server has done since it was made, and does now. Each number is read when it is asked for. */
export interface ServerStats {
  /** Connections that are open, those that a plugin owns among them. */
  readonly connections: number
  /** Connections that were taken in. */
  readonly accepted: number
  /** Connections that were turned away, by the limit that they would have exceeded. */
  readonly refused: Readonly<Record<ConnectionLimit, number>>
  /** Bytes that came from clients, below any layer. Reading it takes time with the number of connections. */
  readonly received: number
  /** Bytes that went to clients, below any layer. Reading it takes time with the number of connections. */
  readonly sent: number
  /** Requests that are open, in all generations; an upgraded one until its stream ends. */
  readonly requests: number
  /** Generations that have not ended: the one that is in charge, and those that still have requests. */
  readonly generations: number
}

/** A limit that turns connections away before a byte is read. */
export type ConnectionLimit = 'maxConnections' | 'connectionsPerClient'

/** @internal The numbers of a server whose parts are these. */
export function statsOf(streams: Streams, generations: () => readonly Generation[]): ServerStats {
  return Object.freeze({
    get connections() {
      return streams.size
    },
    get accepted() {
      return streams.accepted
    },
    get refused() {
      return { ...streams.refused }
    },
    get received() {
      return streams.total('bytesRead')
    },
    get sent() {
      return streams.total('bytesWritten')
    },
    get requests() {
      // A stream that a plugin has claimed pins its generation too.
      return generations().reduce((sum, { pins }) => sum + pins, -streams.claimed)
    },
    get generations() {
      return generations().length
    },
  })
}
