import { describe, reasonPhrase } from './errors.ts'
import { checkedName, checkedTrailerName, checkValue } from './field-rules.ts'
import { flatFields, type HeadersInit } from './headers.ts'
import type { HttpResponse, Trailers } from './response.ts'

/** How a head is to be framed for the client that gets it. */
export interface HeadFacts {
  /** The minor version of the request: 0 or 1. */
  readonly minor: 0 | 1
  readonly isHead: boolean
  /** The number of body bytes; null when only the end will tell. */
  readonly length: number | null
  readonly keepAlive: boolean
}

const statusLines: string[] = []

function statusLine(status: number): string {
  statusLines[status] ??= `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`
  return statusLines[status]
}

/** Whether a status never has a body (RFC 9110 section 6.4.1). */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 304 || status < 200
}

/** The bytes of a final head, as latin1 text. */
export function headText(response: HttpResponse, facts: HeadFacts): string {
  const date = response.field('date') === undefined ? dateLine() : ''
  const persistence = connection(response, facts)
  return `${statusLine(response.status)}${response.block()}${date}${framing(response, facts)}${persistence}\r\n`
}

/**
 * The bytes of an interim head (RFC 9110 section 15.2), as latin1 text.
 *
 * @throws TypeError for a field that cannot stand in it.
 */
export function interimText(status: number, headers?: HeadersInit): string {
  return `${statusLine(status)}${fieldLines(checkedFields(headers, checkedName))}\r\n`
}

/** The bytes of a 101, as latin1 text. */
export function upgradeText(response: HttpResponse): string {
  const date = response.field('date') === undefined ? dateLine() : ''
  return `${statusLine(101)}connection: upgrade\r\n${upgradeLine(response)}${response.block()}${date}\r\n`
}

/**
 * What {@link headText} adds to the fields of an answer, and {@link upgradeText} to those of a 101, flat: for traces.
 *
 * @param facts Null for a 101.
 */
export function derivedFields(response: HttpResponse, facts: HeadFacts | null): string[] {
  const date = response.field('date') === undefined ? dateLine() : ''
  const rest =
    facts === null
      ? `connection: upgrade\r\n${upgradeLine(response)}`
      : framing(response, facts) + connection(response, facts)
  const lines = `${date}${rest}`.split('\r\n').slice(0, -1)
  return lines.flatMap(each => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 2)])
}

/**
 * The trailer fields of an answer, flat.
 *
 * @throws TypeError for one that cannot stand in a trailer section (RFC 9110 section 6.5.1), or in a message at all.
 */
export function checkedTrailers({ values }: Trailers): readonly string[] {
  const given = values()
  const isPromise = typeof (given as { then?: unknown } | null)?.then === 'function'
  // Nobody waits for it: a rejection would end the process.
  if (isPromise) Promise.resolve(given).catch(() => undefined)
  if (isPromise || typeof given !== 'object' || given === null)
    throw new TypeError(`trailers: values must give fields at once, got ${describe(given)}`)
  return checkedFields(given, checkedTrailerName)
}

function checkedFields(headers: HeadersInit | undefined, checked: (name: string) => string): string[] {
  const fields = flatFields(headers)
  for (let i = 0; i < fields.length; i += 2) checkValue(checked(fields[i]!), fields[i + 1]!)
  return fields
}

/** Flat fields as latin1 text. */
export function fieldLines(fields: readonly string[]): string {
  let text = ''
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`
  return text
}

// RFC 9110 section 8.6: no Content-Length on 1xx and 204; a 304 may do without, and so it cannot be wrong.
function framing(response: HttpResponse, facts: HeadFacts): string {
  if (isBodyless(response.status)) return ''
  if (facts.length !== null) return `content-length: ${facts.length}\r\n`
  if (facts.minor === 0 || facts.isHead) return ''
  const trailers = response.trailerPart
  return trailers === null
    ? 'transfer-encoding: chunked\r\n'
    : `transfer-encoding: chunked\r\ntrailer: ${trailers.names.join(', ')}\r\n`
}

// RFC 9112 section 9.3: each version names only what is not its default. A 426 says which protocol is asked for
// (RFC 9110 section 15.5.22).
function connection(response: HttpResponse, facts: HeadFacts): string {
  const option = facts.keepAlive ? (facts.minor === 0 ? 'keep-alive' : '') : 'close'
  if (response.status === 426 && response.upgradeProtocol !== null) {
    return `connection: ${option === '' ? '' : `${option}, `}upgrade\r\n${upgradeLine(response)}`
  }
  return option === '' ? '' : `connection: ${option}\r\n`
}

function upgradeLine(response: HttpResponse): string {
  return `upgrade: ${response.upgradeProtocol}\r\n`
}

let second = 0
let line = ''

/** `date: …` of the present second (RFC 9110 section 6.6.1), made once a second. */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1000)
  if (now !== second) {
    second = now
    line = `date: ${new Date(now * 1000).toUTCString()}\r\n`
  }
  return line
}
