import type { HttpRequest } from './request.ts'

/** The present state of a resource, for preconditions. */
export interface Preconditions {
  /** Its entity tag with quotes, `"abc"` or `W/"abc"`. */
  readonly etag?: string | undefined
  /** Its modification time, as an HTTP date, a Date, or milliseconds. */
  readonly lastModified?: string | Date | number | undefined
  /** Whether there is a representation now. */
  readonly exists: boolean
}

type Verdict = 'go' | 'not-modified' | 'failed'

/**
 * The preconditions of a request against the present state, in the order of RFC 9110 section 13.2.2.
 * Range conditions (If-Range) are not among them.
 */
export function checkPreconditions(request: HttpRequest, state: Preconditions): Verdict {
  const { headers } = request
  const ifMatch = headers.get('if-match')
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, state, strongMatch)) return 'failed'
  } else if (isAfter(state.lastModified, headers.get('if-unmodified-since'))) return 'failed'

  const reading = request.method === 'GET' || request.method === 'HEAD'
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== undefined) {
    return lists(ifNoneMatch, state, weakMatch) ? (reading ? 'not-modified' : 'failed') : 'go'
  }
  const since = headers.get('if-modified-since')
  if (reading && since !== undefined && state.lastModified !== undefined) {
    return isAfter(state.lastModified, since) || httpDate(since) === null ? 'go' : 'not-modified'
  }
  return 'go'
}

type Match = (a: string, b: string) => boolean

/** RFC 9110 section 8.8.3.2. */
const strongMatch: Match = (a, b) => a === b && !a.startsWith('W/')
const weakMatch: Match = (a, b) => opaque(a) === opaque(b)
const opaque = (etag: string): string => (etag.startsWith('W/') ? etag.slice(2) : etag)

function lists(field: string, state: Preconditions, match: Match): boolean {
  if (field === '*') return state.exists
  if (state.etag === undefined || !state.exists) return false
  for (const [etag] of field.matchAll(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g))
    if (match(etag, state.etag)) return true
  return false
}

// A field that is not a valid HTTP date is ignored (RFC 9110 section 13.1.3 and 13.1.4).
function isAfter(lastModified: Preconditions['lastModified'], field: string | undefined): boolean {
  if (field === undefined || lastModified === undefined) return false
  const limit = httpDate(field)
  const modified =
    typeof lastModified === 'string' ? httpDate(lastModified) : Math.floor(Number(lastModified) / 1000) * 1000
  return limit !== null && modified !== null && modified > limit
}

const IMF =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/
const RFC850 = /^[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/

/** Milliseconds of an HTTP date in any of the three forms of RFC 9110 section 5.6.7, or null. */
export function httpDate(text: string): number | null {
  let milliseconds = Number.NaN
  if (IMF.test(text)) milliseconds = Date.parse(text)
  else if (ASCTIME.test(text)) milliseconds = Date.parse(`${text} GMT`)
  else if (RFC850.test(text)) milliseconds = rfc850(text)
  return Number.isNaN(milliseconds) ? null : milliseconds
}

// A two-digit year that appears to be more than 50 years ahead is of the century before.
function rfc850(text: string): number {
  const [, day, month, year, time] = /(\d\d)-([A-Z][a-z]{2})-(\d\d) (\S+) GMT/.exec(text)!
  const now = new Date().getUTCFullYear()
  const guess = Math.floor(now / 100) * 100 + Number(year)
  return Date.parse(`${day} ${month} ${guess > now + 50 ? guess - 100 : guess} ${time} GMT`)
}
