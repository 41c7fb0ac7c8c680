import { httpDate } from './http-date.ts'
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
 * The condition of a range is apart: {@link rangeStands}.
 */
export function checkPreconditions(request: HttpRequest, state: Preconditions): Verdict {
  const { headers } = request
  const ifMatch = headers.get('if-match')
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, state, strongMatch)) return 'failed'
  } else if (isAfter(state.lastModified, headers.get('if-unmodified-since')) === true) return 'failed'

  const isReading = request.method === 'GET' || request.method === 'HEAD'
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== undefined) {
    if (!lists(ifNoneMatch, state, weakMatch)) return 'go'
    return isReading ? 'not-modified' : 'failed'
  }
  if (!isReading) return 'go'
  return isAfter(state.lastModified, headers.get('if-modified-since')) === false ? 'not-modified' : 'go'
}

/** What {@link rangeStands} compares with: the validators of the answer, and when the answer was made. */
export interface RangeState {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** Its Date field; without one the answer is of this moment. */
  readonly date: string | undefined
}

/**
 * Whether the part that a Range asks for belongs to what the client has, by If-Range (RFC 9110 section 13.1.5). What
 * is neither a tag nor a date is a condition that is false.
 */
export function rangeStands(ifRange: string | undefined, state: RangeState): boolean {
  if (ifRange === undefined) return true
  if (ifRange.slice(0, 3).includes('"')) return state.etag !== undefined && strongMatch(ifRange, state.etag)
  const date = httpDate(ifRange)
  return date !== null && date === time(state.lastModified) && isStrong(date, state.date)
}

// RFC 9110 section 8.8.2.2: within its own second a modification time may stand for two representations.
function isStrong(modified: number, date: string | undefined): boolean {
  const now = date === undefined ? null : httpDate(date)
  return modified + 1_000 <= (now ?? Date.now())
}

type Match = (a: string, b: string) => boolean

/** RFC 9110 section 8.8.3.2. */
const strongMatch: Match = (a, b) => a === b && !a.startsWith('W/')
const weakMatch: Match = (a, b) => opaque(a) === opaque(b)
const opaque = (etag: string): string => (etag.startsWith('W/') ? etag.slice(2) : etag)

const MEMBER = /[ \t,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/y

// What stands behind a broken member is not read: a tag found within it would be a guess.
function lists(field: string, state: Preconditions, match: Match): boolean {
  if (field === '*') return state.exists
  if (state.etag === undefined || !state.exists) return false
  MEMBER.lastIndex = 0
  for (let member = MEMBER.exec(field); member !== null; member = MEMBER.exec(field))
    if (match(member[1]!, state.etag)) return true
  return false
}

/** Whether a time is after the one in a field; null when either is not known, so that the field is to be ignored. */
function isAfter(lastModified: Preconditions['lastModified'], field: string | undefined): boolean | null {
  if (field === undefined) return null
  const modified = time(lastModified)
  const limit = httpDate(field)
  return modified === null || limit === null ? null : modified > limit
}

// Fields tell whole seconds.
function time(lastModified: Preconditions['lastModified']): number | null {
  if (lastModified === undefined) return null
  if (typeof lastModified === 'string') return httpDate(lastModified)
  const milliseconds = Math.floor(Number(lastModified) / 1000) * 1000
  return Number.isNaN(milliseconds) ? null : milliseconds
}
