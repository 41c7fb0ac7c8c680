import type { HttpHeaders, HttpRequest, HttpResponse, Outcome, TracedAnswer } from 'rawhttp'
import { type Directives, directivesOf, freshFor, isStorable } from './cache-control.ts'
import type { Earlier } from './earlier.ts'

/** What the rules look at: one answer, as it went out, and the request that it is for. */
export interface Answer {
  readonly request: HttpRequest
  readonly status: number
  readonly fields: HttpHeaders
  /** Whether no plugin gave it, but the kernel: a time-out, for example. */
  readonly isOfKernel: boolean
  readonly hasBody: boolean
  /** The bytes of its body that were sent. */
  readonly bodyBytes: number
  /** The members of Cache-Control. */
  readonly directives: Directives
  /** Seconds that it is fresh for by its own words, in shared caches; null when it says nothing. */
  readonly freshness: number | null
  /** Whether shared caches may store it, and give it out without a question, because it says so. */
  readonly isShared: boolean
  /** What the same URL was answered with before; null when that is not known. */
  readonly earlier: Earlier | null
}

/** The answer to a request, as rules see it. */
export function answerOf(
  request: HttpRequest,
  { status, headers: fields }: HttpResponse,
  { bodyBytes }: Outcome,
  { body, source }: TracedAnswer,
  earlier: Earlier | null,
): Answer {
  const directives = directivesOf(fields.get('cache-control'))
  const freshness = freshFor(directives, fields)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  return {
    request,
    status,
    fields,
    isOfKernel: source.by === 'kernel',
    hasBody: body.kind !== 'none' && body.bytes !== 0,
    bodyBytes,
    directives,
    freshness,
    isShared: isRead && isStorable(directives) && (directives.has('public') || (freshness ?? 0) > 0),
    earlier,
  }
}

/** The media type of an answer in lower case, without its parameters; empty when it names none. */
export const mediaTypeOf = ({ fields }: Answer): string =>
  (fields.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()

/** Whether Vary names a field of the request, or says that there is no telling. */
export function variesBy({ fields }: Answer, name: string): boolean {
  const names = (fields.get('vary') ?? '').toLowerCase().split(',')
  return names.some(each => each.trim() === name || each.trim() === '*')
}
