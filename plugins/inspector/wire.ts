import type { RequestTrace } from 'rawhttp'

// What goes over the event stream: both ends read it from here.

/** One request as the page gets it. */
export interface Seen {
  /** Counts from 1, in one generation of the server. */
  readonly id: number
  /** The listener's text: `127.0.0.1:8080` or a path; null for a request that came without a connection. */
  readonly listener: string | null
  /** The number of the connection, and the layers that it came through. */
  readonly connection: number | null
  readonly via: readonly string[]
  readonly trace: RequestTrace
}

/** What the server does at this moment. */
export interface Gauges {
  /** Open connections, those of inspector pages among them. */
  readonly connections: number
  /** Requests at work, without the streams of inspector pages. */
  readonly requests: number
  /** Requests that have ended since this generation began. */
  readonly answered: number
  /** Answers from the caches of all sites, and those that were made; null where no site has a cache. */
  readonly cache: { readonly hits: number; readonly misses: number } | null
}

/** One event of the stream. */
export interface Frame {
  /** The oldest first. */
  readonly requests: readonly Seen[]
  /** Requests that have ended since the last frame and are not among those, since there were too many. */
  readonly leftOut: number
  readonly gauges: Gauges
}
