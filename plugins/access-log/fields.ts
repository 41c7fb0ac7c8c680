import { didYouMean, type HttpRequest, type HttpResponse, type Outcome, Slots } from 'rawhttp'
import { clfTime, isoTime } from './clock.ts'
import type { Escape } from './escape.ts'
import type { Masks } from './mask.ts'

const shown = (text: string): string => text

/** An exchange that has ended, as a line tells it. */
export interface Entry {
  readonly request: HttpRequest
  readonly response: HttpResponse | null
  readonly outcome: Outcome
  /** How likely an exchange of this kind was to be logged: 1 for what always is. */
  readonly sample: number
}

/** What a line can hold. */
export interface Field {
  /** Null when there is nothing to say. */
  readonly value: (entry: Entry, masks: Masks) => string | number | null
  /** The server's own text, which needs no escape. */
  readonly isOurs?: boolean
  /** For a request line: method, target and protocol are escaped each for itself, so that they stay three words. */
  readonly words?: (entry: Entry, masks: Masks, escapes: WordEscapes) => string | null
}

/** For words that the server may know, and for any. */
interface WordEscapes {
  readonly short: Escape
  readonly long: Escape
}

/** nginx's status for a client that left before it got an answer. */
const CLIENT_GONE = 499

const fields = {
  time: { value: ({ request }) => isoTime(request.receivedAt), isOurs: true },
  localTime: { value: ({ request }) => clfTime(request.receivedAt), isOurs: true },
  site: { value: ({ request }) => request.site.name },
  client: { value: ({ request }, masks) => masks.address(withoutZone(request.client.address)) },
  port: { value: ({ request }) => request.client.port },
  listener: { value: ({ request }) => request.connection?.listener ?? null },
  tls: { value: ({ request }) => request.connection?.tls?.protocol ?? null },
  user: { value: ({ request }) => request.get(Slots.user) ?? null },
  method: { value: ({ request }) => request.method },
  target: { value: ({ request }, masks) => masks.url(request.target) },
  path: { value: pathOf },
  query: { value: queryOf },
  protocol: { value: ({ request }) => protocolOf(request) },
  line: { value: (entry, masks) => lineOf(entry, masks, asSent), words: lineOf },
  scheme: { value: ({ request }) => request.scheme },
  host: { value: ({ request }) => request.host },
  status: { value: ({ request, response, outcome }) => statusOf(request, response, outcome) },
  bytes: { value: ({ outcome }) => outcome.bytes },
  bodyBytes: { value: ({ outcome }) => outcome.bodyBytes },
  milliseconds: { value: ({ outcome }) => Math.round(outcome.milliseconds * 1_000) / 1_000 },
  result: { value: ({ outcome }) => outcome.result, isOurs: true },
  error: { value: ({ outcome }) => outcome.error?.message ?? null },
  refused: { value: ({ request }) => request.refused?.id ?? null },
  referer: { value: refererOf },
  userAgent: { value: ({ request }) => request.headers.get('user-agent') ?? null },
  route: { value: ({ request }) => request.get(Slots.route) ?? null },
  cacheStatus: { value: ({ request }) => request.get(Slots.cacheStatus) ?? null },
  requestId: { value: ({ request }) => request.get(Slots.requestId) ?? null },
  sample: { value: ({ sample }) => sample },
} as const satisfies Record<string, Field>

/** The name of a field: one of ours, or a header field as `request.accept` or `response.content-type`. */
export type FieldName = keyof typeof fields | `request.${string}` | `response.${string}`

const NAMES = Object.keys(fields)
const HEADER = /^(request|response)\.([!#$%&'*+.^_`|~\da-z-]+)$/

/** Fields of a response that only its writer knows, and what tells the same. */
const WRITERS: Readonly<Record<string, string>> = {
  'content-length': "use 'bodyBytes'",
  'transfer-encoding': "use 'bodyBytes'",
  connection: "use 'result'",
}

/** What is wrong with the name of a field, in a sentence; null when it is good. */
export function problemWith(name: string): string | null {
  if (Object.hasOwn(fields, name)) return null
  const header = HEADER.exec(name.toLowerCase())
  const instead = header?.[1] === 'response' ? WRITERS[header[2]!] : undefined
  if (instead !== undefined) return `'${name}' is known only to the writer; ${instead}`
  if (header !== null) return null
  const known = `known are ${NAMES.join(', ')}, request.<name> and response.<name>`
  return `unknown field '${name}'; ${didYouMean(name, NAMES) ?? known}`
}

/**
 * Finds a field by its name.
 *
 * @param name One that {@link problemWith} has nothing against.
 */
export function fieldOf(name: string, masks: Masks): Field {
  if (Object.hasOwn(fields, name)) return fields[name as keyof typeof fields]
  const [, side, header] = HEADER.exec(name.toLowerCase())!
  const mask = masks.field(header!) ?? shown
  const separator = header === 'cookie' ? '; ' : ', '
  return {
    value(entry) {
      const lines = entry[side as 'request' | 'response']?.headers.getAll(header!) ?? []
      return lines.length === 0 ? null : lines.map(mask).join(separator)
    },
  }
}

/** The interface of a link-local address (RFC 4007 section 11) means nothing elsewhere, and readers refuse it. */
function withoutZone(address: string): string {
  return address.startsWith('fe80:') ? address.replace(/%.*/, '') : address
}

/** A refused message has no path that anything went by, unless only its host was wrong. */
function pathOf({ request }: Entry): string | null {
  return request.refused === null || request.refused.id === 'HOST-UNKNOWN' ? request.path : null
}

function queryOf({ request }: Entry, masks: Masks): string | null {
  const question = request.target.indexOf('?')
  return question === -1 ? null : masks.url(request.target.slice(question)).slice(1)
}

function refererOf({ request }: Entry, masks: Masks): string | null {
  const referer = request.headers.get('referer')
  return referer === undefined ? null : masks.url(referer)
}

const asSent: WordEscapes = { short: shown, long: shown }

/** The request line as the client sent it. A refused message may have been too broken to have a target. */
function lineOf({ request }: Entry, masks: Masks, { short, long }: WordEscapes): string | null {
  const { method, target } = request
  if (target === '') return null
  return `${short(method)} ${long(masks.url(target))} ${short(protocolOf(request))}`
}

// Apache and nginx both write HTTP/2.0. A refused message may have named no version that can be read.
function protocolOf({ version }: HttpRequest): string {
  if (version === '1.1') return 'HTTP/1.1'
  if (version === '-') return '-'
  return version === '2' ? 'HTTP/2.0' : `HTTP/${version}`
}

/**
 * The status, as nginx decides: the one that was sent, if any was. A client that left before gets 499, one that a
 * deadline cut off before any answer 408, a refused message the status of its refusal.
 */
export function statusOf(request: HttpRequest, response: HttpResponse | null, outcome: Outcome): number {
  const { result, bytes } = outcome
  const isCut = result === 'aborted' || result === 'timeout'
  if (response !== null && (!isCut || bytes > 0)) return response.status
  if (request.refused !== null) return request.refused.status
  if (result === 'timeout') return 408
  return result === 'aborted' ? CLIENT_GONE : 500
}
