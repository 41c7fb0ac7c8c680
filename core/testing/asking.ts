import { flatFields } from '../headers.ts'
import type { InjectOptions } from '../inject.ts'
import { bytesOf } from '../response-body.ts'
import type { Settings } from './options.ts'
import type { RawClient, RawResponse } from './raw-client.ts'

/** A request as a client writes it on a connection. */
export function messageOf(request: InjectOptions, { headers }: Pick<Settings, 'headers'>): Buffer {
  const { method = 'GET', url = '/', body } = request
  const authority = /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]
  const fields = [...flatFields(request.headers), ...flatFields(headers)]
  if (!hasField(fields, 'host')) fields.unshift('host', authority ?? 'localhost')
  const bytes = body === undefined ? Buffer.alloc(0) : bytesOf(body)
  if (body !== undefined) fields.push('content-length', String(bytes.length))
  let head = `${method} ${url} HTTP/1.1\r\n`
  for (let at = 0; at < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), bytes])
}

function hasField(fields: readonly string[], name: string): boolean {
  return fields.some((field, at) => at % 2 === 0 && field === name)
}

/** A request in a few words, for sentences. */
export const titleOf = ({ method = 'GET', url = '/' }: InjectOptions): string => `${method} ${url}`

/** Sends a request and reads its answer. */
export async function ask(
  client: RawClient,
  request: InjectOptions,
  settings: Settings,
): Promise<RawResponse> {
  client.send(messageOf(request, settings))
  return await client.response({ toHead: request.method === 'HEAD' })
}

/**
 * What is different about two answers, a sentence each: in status, fields, body or trailers. What `varies` names is not
 * looked at.
 */
export function differences(
  a: RawResponse,
  b: RawResponse,
  { varies }: Pick<Settings, 'varies'>,
  { withBody = true } = {},
): string[] {
  const found: string[] = []
  if (a.status !== b.status) found.push(`status ${a.status}, then ${b.status}`)
  const names = new Set([...a.fields, ...b.fields].map(([name]) => name))
  for (const name of names) {
    if (varies.has(name) || (varies.has('body') && /^(content-length|etag|last-modified)$/.test(name)))
      continue
    if (a.field(name) !== b.field(name))
      found.push(`${name}: ${shown(a.field(name))}, then ${shown(b.field(name))}`)
  }
  if (withBody && !varies.has('body') && !isEncodedOnTheWay(a) && !a.body.equals(b.body))
    found.push(`a body of ${a.body.length} bytes, then another one of ${b.body.length}`)
  if (a.trailers.join() !== b.trailers.join()) found.push('other trailers')
  return found
}

/** When its pieces come decides where a compressor flushes: the bytes of such a stream are others each time. */
const isEncodedOnTheWay = (answer: RawResponse): boolean =>
  answer.field('content-encoding') !== undefined && answer.field('content-length') === undefined

const shown = (value: string | undefined): string => (value === undefined ? 'none' : JSON.stringify(value))
