import { type Seen, send } from './client.ts'

/**
 * Sends a fixed number of requests over HTTP/1.1 from the client's core, `pipelined` at a time on each connection.
 *
 * @param headers Field lines to send: `accept-encoding: gzip`.
 * @throws Error when any answer is missing or has another status than 2xx.
 */
export function load(
  url: string,
  requests: number,
  pipelined: number,
  headers: readonly string[] = [],
  connections = 64,
): Promise<Seen> {
  return send(url, { requests, pipelined, headers, connections })
}
