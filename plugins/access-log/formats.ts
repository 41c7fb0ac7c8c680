import { type HttpRequest, type HttpResponse, type Outcome, Slots } from 'rawhttp'
import { clfTime, isoTime } from './clock.ts'
import { bare, jsonString, quoted } from './escape.ts'

/** Makes the line of one request, with its newline, in ASCII. It runs for every request. */
export type Format = (request: HttpRequest, response: HttpResponse | null, outcome: Outcome) => string

/** nginx's status for a client that left before it got an answer. */
const CLIENT_GONE = 499

/** The formats by their names. */
export const formats = {
  /** Apache's combined log format: what goaccess, AWStats and GoAccess-like tools read. */
  combined(request, response, outcome) {
    const { headers } = request
    const referer = field(headers.get('referer'))
    return `${common(request, response, outcome)} "${referer}" "${field(headers.get('user-agent'))}"\n`
  },
  /** The common log format: combined without referer and user agent. */
  common(request, response, outcome) {
    return `${common(request, response, outcome)}\n`
  },
  /** One JSON object a line. */
  json(request, response, outcome) {
    const { headers } = request
    const user = request.get(Slots.user)
    return (
      `{"time":"${isoTime(request.receivedAt)}","site":${jsonString(request.site.name)}` +
      `,"client":${jsonString(request.client.address)},"user":${jsonField(user)}` +
      `,"method":${jsonString(request.method)},"target":${jsonString(request.target)}` +
      `,"protocol":"${protocol(request)}","host":${jsonString(request.host)}` +
      `,"status":${statusOf(request, response, outcome)},"bytes":${outcome.bytes}` +
      `,"milliseconds":${Math.round(outcome.milliseconds * 1_000) / 1_000},"result":"${outcome.result}"` +
      `,"referer":${jsonField(headers.get('referer'))},"userAgent":${jsonField(headers.get('user-agent'))}` +
      `,"route":${jsonField(request.get(Slots.route))},"requestId":${jsonField(request.get(Slots.requestId))}` +
      `,"refused":${jsonField(request.refused?.id)}}\n`
    )
  },
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof formats

function common(request: HttpRequest, response: HttpResponse | null, outcome: Outcome): string {
  const address = bare(request.client.address) || '-'
  const user = bare(request.get(Slots.user) ?? '') || '-'
  const status = statusOf(request, response, outcome)
  return `${address} - ${user} [${clfTime(request.receivedAt)}] "${requestLine(request)}" ${status} ${outcome.bodyBytes}`
}

/** What the client sent. A refused message may have been too broken to have a target. */
function requestLine(request: HttpRequest): string {
  const { method, target } = request
  return target === '' ? '-' : `${quoted(method)} ${quoted(target)} ${protocol(request)}`
}

// Apache and nginx both write HTTP/2.0.
function protocol({ version }: HttpRequest): string {
  if (version === '1.1') return 'HTTP/1.1'
  return version === '2' ? 'HTTP/2.0' : `HTTP/${bare(version)}`
}

/**
 * The status, as nginx decides: the one that was sent, if any was. A client that left before gets 499, one that a
 * deadline cut off before any answer 408, a refused message the status of its refusal.
 */
function statusOf(request: HttpRequest, response: HttpResponse | null, { result, bytes }: Outcome): number {
  const isCut = result === 'aborted' || result === 'timeout'
  if (response !== null && (!isCut || bytes > 0)) return response.status
  if (request.refused !== null) return request.refused.status
  if (result === 'timeout') return 408
  return result === 'aborted' ? CLIENT_GONE : 500
}

function field(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : quoted(text)
}

function jsonField(text: string | undefined): string {
  return text === undefined ? 'null' : jsonString(text)
}
