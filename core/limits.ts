// docs/limits.md is made from these comments by `node test/core/limits-doc.ts`: the first paragraph says what is
// bounded and in which unit, the second what becomes of the rest.

/** Limits of a listener: what holds before a site is known. Bytes, milliseconds, counts. */
export interface ListenerLimits {
  /**
   * Bytes of the request line and header fields of one message; trailer fields may have as many again.
   *
   * Beyond it: 431 (`H1-HEAD-LARGE`), and the connection closes.
   *
   * @defaultValue `'16kb'`
   */
  readonly headBytes: number
  /**
   * Header fields of one message; trailer fields may be as many again.
   *
   * Beyond it: 431 (`H1-HEAD-COUNT`), and the connection closes.
   *
   * @defaultValue `100`
   */
  readonly headers: number
  /**
   * Bytes of the request target. RFC 9112 section 3 asks for at least 8,000.
   *
   * Beyond it: 414 (`H1-TARGET-LONG`), and the connection closes.
   *
   * @defaultValue `'8kb'`
   */
  readonly targetBytes: number
  /**
   * Time from the first byte of a head, or from the opening of a connection, to the head's end.
   *
   * Beyond it: 408 (`H1-HEAD-TIMEOUT`) to half a head, and the connection closes; without a word when none has begun.
   *
   * @defaultValue `'10s'`
   */
  readonly headTimeout: number
  /**
   * Time that a kept connection may be without a request.
   *
   * Beyond it: the connection closes without a word (RFC 9112 section 9.5).
   *
   * @defaultValue `'60s'`
   */
  readonly idleTimeout: number
  /**
   * Time that a plugin may hold a connection before it gives it back: a TLS handshake, a PROXY header. A plugin that
   * claims it at `Connect.Protocol` or later speaks the protocol itself, and is not bounded by it.
   *
   * Beyond it: the connection is cut, and `HANDSHAKE_TIMEOUT` reported.
   *
   * @defaultValue `'10s'`
   */
  readonly handshakeTimeout: number
  /**
   * Open connections of the listener. 0 = no limit.
   *
   * Beyond it: a new connection is closed at once, and `CONNECTION_LIMIT` reported.
   *
   * @defaultValue `0`
   */
  readonly maxConnections: number
  /**
   * Open connections of one client address, over all listeners; those of a Unix socket are not told apart and not
   * counted. 0 = no limit.
   *
   * Beyond it: a new connection is closed at once, and `CONNECTION_LIMIT` reported.
   *
   * @defaultValue `0`
   */
  readonly connectionsPerClient: number
  /**
   * Requests of one connection that are answered at the same time.
   *
   * Beyond it: what the client sends waits unread until an answer is out.
   *
   * @defaultValue `32`
   */
  readonly pipelineDepth: number
  /**
   * Bytes of answers that wait for a slow reader.
   *
   * Beyond it: no more are made and no further request is read until they are taken.
   *
   * @defaultValue `'256kb'`
   */
  readonly writeBuffer: number
  /**
   * Requests of one connection. 0 = no limit.
   *
   * Beyond it: the last one is answered with `Connection: close`.
   *
   * @defaultValue `0`
   */
  readonly requestsPerConnection: number
}

/** Limits of an exchange. A site, a route or `request.limits` can change them until the body's first pull. */
export interface ExchangeLimits {
  /**
   * Bytes of the request body, without chunk sizes and extensions. 0 = no limit.
   *
   * Beyond it: 413 (`BODY_TOO_LARGE`) when somebody reads the body.
   *
   * @defaultValue `'1mb'`
   */
  bodyBytes: number
  /**
   * Time between two pieces of a request body while the handler waits for one.
   *
   * Beyond it: 408 (`BODY_TIMEOUT`), and the connection closes.
   *
   * @defaultValue `'30s'`
   */
  bodyTimeout: number
  /**
   * The least speed of a request body, in bytes a second of waiting time, over the last 10 s of it; it counts after
   * the first 5 s. 0 = none.
   *
   * Below it: 408 (`BODY_TIMEOUT`), and the connection closes.
   *
   * @defaultValue `500`
   */
  bodyMinRate: number
  /**
   * Time from the end of the request's head to the head of the answer, less the time spent waiting for the client.
   *
   * Beyond it: 503 (`HANDLER_TIMEOUT`), and the plugin that was waited for is reported.
   *
   * @defaultValue `'30s'`
   */
  handlerTimeout: number
  /**
   * Time in which a client takes nothing of what waits for it.
   *
   * Beyond it: the connection is reset.
   *
   * @defaultValue `'60s'`
   */
  writeTimeout: number
  /**
   * Bytes that are thrown away of a request body that nobody read, and of what a client sends behind its last request before
   * that is answered.
   *
   * Beyond it: the connection closes instead.
   *
   * @defaultValue `'64kb'`
   */
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

/** Of a body that is being read already. */
const bodyLimits = ['bodyBytes', 'bodyTimeout', 'bodyMinRate'] as const

/** @internal Makes the limits of the request's body read-only: what reads it goes by them. */
export function closeBodyLimits(limits: ExchangeLimits): ExchangeLimits {
  for (const name of bodyLimits) Object.defineProperty(limits, name, { writable: false })
  return limits
}
