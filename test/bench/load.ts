import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { cores, pinned } from './measure.ts'

/** What one run of the client saw, in bytes a response. */
export interface Answer {
  readonly total: number
  readonly body: number
}

/**
 * Sends a fixed number of requests over HTTP/1.1 from the client's core, `pipelined` at a time on each connection.
 *
 * @param headers Field lines to send: `accept-encoding: gzip`.
 * @throws Error when any answer is missing or has another status than 2xx.
 */
export async function load(
  url: string,
  requests: number,
  pipelined: number,
  headers: readonly string[] = [],
  connections = 64,
): Promise<Answer> {
  const fields = headers.flatMap(header => ['-H', header])
  const options = ['--h1', '-n', requests, '-c', connections, '-m', pipelined, '-t', 1, ...fields, url]
  const { stdout } = await promisify(execFile)(...pinned(cores.client, ['h2load', ...options.map(String)]))
  const succeeded = countIn(stdout, /(\d+) succeeded/)
  const good = countIn(stdout, /status codes: (\d+) 2xx/)
  if (succeeded !== requests || good !== requests) {
    throw new Error(`${url}: ${good} of ${requests} answers were good.\n${stdout}`)
  }
  return {
    total: Math.round(countIn(stdout, /traffic: \S+ \((\d+)\) total/) / requests),
    body: Math.round(countIn(stdout, /\((\d+)\) data/) / requests),
  }
}

function countIn(output: string, pattern: RegExp): number {
  const count = Number(pattern.exec(output)?.[1])
  if (Number.isNaN(count)) throw new Error(`h2load did not say ${pattern}:\n${output}`)
  return count
}
