import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cores, pinned } from './measure.ts'
import { tempFolder } from './temp-folder.ts'

/** The only one that the client offers, so that no server encrypts with more effort than another. */
const cipher = 'TLS_AES_128_GCM_SHA256'

/** What the client sends over HTTP/1.1, always from its own core. */
export interface Load {
  readonly requests: number
  /** Default: 64. */
  readonly connections?: number | undefined
  /** Requests that are under way on a connection at one time. Default: 1. */
  readonly pipelined?: number | undefined
  /** Field lines: `accept-encoding: gzip`. */
  readonly headers?: readonly string[] | undefined
  /** A file that is sent with POST. */
  readonly upload?: string | undefined
  /** The status that every answer must have. Default: any 2xx. */
  readonly status?: number | undefined
}

/** What the client saw. */
export interface Seen {
  /** Bytes of a response: all of it, and of its body. */
  readonly total: number
  readonly body: number
  /** Requests a second. */
  readonly perSecond: number
  /** How long 99 of 100 requests took at most, in milliseconds. */
  readonly p99: number
  /** `TLSv1.3 TLS_AES_128_GCM_SHA256`; null without TLS. */
  readonly tls: string | null
}

/**
 * Sends a fixed number of requests with h2load.
 *
 * @throws Error when any answer is missing or has another status.
 */
export async function send(url: string, load: Load): Promise<Seen> {
  using folder = tempFolder('client')
  const log = join(folder.path, 'requests')
  const command = ['h2load', ...optionsOf(load), `--log-file=${log}`, url]
  const { stdout } = await promisify(execFile)(...pinned(cores.client, command))
  return { ...readSummary(stdout, load.requests), p99: readLog(await readFile(log, 'latin1'), url, load) }
}

function optionsOf({ requests, connections = 64, pipelined = 1, headers = [], upload }: Load): string[] {
  const fields = headers.flatMap(header => ['-H', header])
  const body = upload === undefined ? [] : ['-d', upload]
  const numbers = ['-n', requests, '-c', connections, '-m', pipelined, '-t', 1].map(String)
  return ['--h1', `--tls13-ciphers=${cipher}`, ...numbers, ...fields, ...body]
}

/**
 * What h2load prints at its end.
 *
 * @throws Error when it does not say what is expected.
 */
export function readSummary(output: string, requests: number): Omit<Seen, 'p99'> {
  const tls = /^TLS Protocol: (\S+)\s+Cipher: (\S+)/m.exec(output)
  return {
    total: Math.round(countIn(output, /traffic: \S+ \((\d+)\) total/) / requests),
    body: Math.round(countIn(output, /\((\d+)\) data/) / requests),
    perSecond: countIn(output, /finished in \S+ ([\d.]+) req\/s/),
    tls: tls === null ? null : `${tls[1]} ${tls[2]}`,
  }
}

function countIn(output: string, pattern: RegExp): number {
  const count = Number(pattern.exec(output)?.[1])
  if (Number.isNaN(count)) throw new Error(`h2load did not say ${pattern}:\n${output}`)
  return count
}

/**
 * Counts the answers one by one in h2load's own log: a line for each, with start, status and microseconds.
 *
 * @returns The 99th percentile of the times, in milliseconds.
 */
export function readLog(log: string, url: string, { requests, status }: Load): number {
  const times = []
  const others = new Map<string, number>()
  for (const line of log.split('\n')) {
    if (line === '') continue
    const [, code = '', time] = line.split('\t')
    if (status === undefined ? code.startsWith('2') : code === String(status)) times.push(Number(time))
    else others.set(code, (others.get(code) ?? 0) + 1)
  }
  if (times.length !== requests) throw new Error(notGood(url, times.length, requests, others))
  times.sort((a, b) => a - b)
  return times[Math.ceil(times.length * 0.99) - 1]! / 1_000
}

function notGood(url: string, good: number, requests: number, others: ReadonlyMap<string, number>): string {
  const rest = [...others].map(([code, count]) => `${count} with ${code === '-1' ? 'no status' : code}`)
  return `${url}: ${good} of ${requests} answers were good${rest.length === 0 ? '' : `, ${rest.join(', ')}`}.`
}
