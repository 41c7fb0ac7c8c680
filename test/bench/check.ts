import { Agent, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { gunzipSync } from 'node:zlib'

/** What a server is asked before it is measured. */
export interface Question {
  readonly headers?: readonly string[] | undefined
  readonly upload?: Buffer | undefined
}

/** An answer, its body as it came. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** Asks once, without any library that would decode, follow or retry. */
export async function ask(url: string, { headers = [], upload }: Question = {}): Promise<Answer> {
  const response = Promise.withResolvers<IncomingMessage>()
  const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
    method: upload === undefined ? 'GET' : 'POST',
    headers: Object.fromEntries(headers.map(line => line.split(/: ?(.*)/, 2))),
    ...(url.startsWith('https:') ? { rejectUnauthorized: false } : { agent: new Agent() }),
  })
  request.once('response', response.resolve).once('error', response.reject).end(upload)
  const message = await response.promise
  const chunks = await message.toArray()
  return { status: message.statusCode!, headers: message.headers, body: Buffer.concat(chunks) }
}

/** What all servers of a row must answer: one that does less, or fails fast, must not win. */
export interface Expected {
  readonly status: number
  /** Decoded. */
  readonly body: Buffer
  /** Default: none. */
  readonly coding?: 'gzip' | undefined
}

/** @throws Error that says what came instead. */
export function expectAnswer(name: string, { status, headers, body }: Answer, expected: Expected): void {
  const coding = headers['content-encoding']
  const fail = (what: string, wanted: unknown, came: unknown): never => {
    throw new Error(`${name}: expected ${what} ${wanted}, not ${came}.`)
  }
  if (status !== expected.status) fail('status', expected.status, status)
  if (coding !== expected.coding) fail('content-encoding', expected.coding ?? 'none', coding ?? 'none')
  const decoded = coding === 'gzip' ? gunzipSync(body) : body
  if (!decoded.equals(expected.body)) {
    fail('a body of', `${expected.body.length} bytes`, `${decoded.length} bytes or others`)
  }
}

/** The field line that asks whether a representation is still the one that this answer had. */
export function revalidationOf(name: string, { headers }: Answer): string {
  if (headers.etag !== undefined) return `if-none-match: ${headers.etag}`
  const modified = headers['last-modified']
  if (modified === undefined) throw new Error(`${name}: its answer has no ETag and no Last-Modified.`)
  return `if-modified-since: ${modified}`
}
