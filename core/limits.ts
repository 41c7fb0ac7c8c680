/** Limits of a listener: what holds before a site is known. Bytes, milliseconds, counts. */
export interface ListenerLimits {
  /** Request line and header fields of one message, in bytes. Default 16 kB. */
  readonly headBytes: number
  /** Number of header fields, and of trailer fields. Default 100. */
  readonly headers: number
  /** The request target, in bytes. Default 8 kB. */
  readonly targetBytes: number
  /** From the first byte of a head, or the opening of a connection, to the head's end. Default 10 s. */
  readonly headTimeout: number
  /** A kept-alive connection without a request. Default 60 s. */
  readonly idleTimeout: number
  /** A connection that a plugin owns until it is served (a TLS handshake). Default 10 s. */
  readonly handshakeTimeout: number
  /** Open connections; 0 = no limit. Default 0. */
  readonly maxConnections: number
  /** Open connections of one client address; 0 = no limit. Default 0. */
  readonly connectionsPerClient: number
  /** Requests of one connection that are answered at the same time. Default 32. */
  readonly pipelineDepth: number
  /** Bytes that wait for a slow reader before the kernel stops making more. Default 256 kB. */
  readonly writeBuffer: number
  /** Requests after which a connection closes; 0 = no limit. Default 0. */
  readonly requestsPerConnection: number
}

/** Limits of an exchange. A site, a route or `request.limits` can change them until the body's first pull. */
export interface ExchangeLimits {
  /** The request body, in bytes; 0 = no limit. Default 1 MB. */
  bodyBytes: number
  /** Between two reads of a request body while the handler waits for it. Default 30 s. */
  bodyTimeout: number
  /** The least speed of a request body, in bytes a second of waiting time, after 5 s; 0 = none. Default 500. */
  bodyMinRate: number
  /** From the request's head to the response's head, less the time spent waiting for the client. Default 30 s. */
  handlerTimeout: number
  /** A client that takes nothing of what waits for it. Default 60 s. */
  writeTimeout: number
  /** How much of a request body that nobody read is thrown away before the connection closes. Default 64 kB. */
  drainBytes: number
}

export const defaultListenerLimits: ListenerLimits = Object.freeze({
  headBytes: 16_384,
  headers: 100,
  targetBytes: 8_192,
  headTimeout: 10_000,
  idleTimeout: 60_000,
  handshakeTimeout: 10_000,
  maxConnections: 0,
  connectionsPerClient: 0,
  pipelineDepth: 32,
  writeBuffer: 262_144,
  requestsPerConnection: 0,
})

export const defaultExchangeLimits: Readonly<ExchangeLimits> = Object.freeze({
  bodyBytes: 1_048_576,
  bodyTimeout: 30_000,
  bodyMinRate: 500,
  handlerTimeout: 30_000,
  writeTimeout: 60_000,
  drainBytes: 65_536,
})
