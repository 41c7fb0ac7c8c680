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
  const modified = time(state.lastModified)
  const ifMatch = headers.get('if-match')
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, state, strongMatch)) return 'failed'
  } else if (isAfter(modified, headers.get('if-unmodified-since')) === true) return 'failed'

  const isReading = request.method === 'GET' || request.method === 'HEAD'
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== undefined) {
    if (!lists(ifNoneMatch, state, weakMatch)) return 'go'
    return isReading ? 'not-modified' : 'failed'
  }
  if (!isReading) return 'go'
  return isAfter(modified, headers.get('if-modified-since')) === false ? 'not-modified' : 'go'
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
function isAfter(modified: number | null, field: string | undefined): boolean | null {
  const limit = field === undefined ? null : httpDate(field)
  return modified === null || limit === null ? null : modified > limit
}

// Fields tell whole seconds.
function time(lastModified: Preconditions['lastModified']): number | null {
  if (lastModified === undefined) return null
  if (typeof lastModified === 'string') return httpDate(lastModified)
  const milliseconds = Math.floor(Number(lastModified) / 1000) * 1000
  return Number.isNaN(milliseconds) ? null : milliseconds
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const clock = '(\\d\\d):(\\d\\d):(\\d\\d)'
const IMF = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d\\d) ([A-Z][a-z]{2}) (\\d{4}) ${clock} GMT$`)
const RFC850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-([A-Z][a-z]{2})-(\\d\\d) ${clock} GMT$`,
)
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \\d]\\d) ${clock} (\\d{4})$`)

/** Milliseconds of an HTTP date in any of the three forms of RFC 9110 section 5.6.7, or null. */
export function httpDate(text: string): number | null {
  let found = IMF.exec(text)
  if (found !== null) return utc(Number(found[3]), found[2]!, found[1]!, found.slice(4))
  found = RFC850.exec(text)
  if (found !== null) return utc(fullYear(Number(found[3])), found[2]!, found[1]!, found.slice(4))
  found = ASCTIME.exec(text)
  return found === null ? null : utc(Number(found[6]), found[1]!, found[2]!, found.slice(3, 6))
}

// The day of the week is not compared: a date that names the wrong one still says which day it means.
function utc(year: number, monthName: string, dayText: string, clockTexts: readonly string[]): number | null {
  const month = months.indexOf(monthName)
  const day = Number(dayText)
  const [hour, minute, second] = clockTexts.map(Number) as [number, number, number]
  // A leap second is in the grammar.
  if (month === -1 || hour > 23 || minute > 59 || second > 60) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  if (date.getUTCDate() !== day) return null
  return date.setUTCHours(hour, minute, second)
}

// A two-digit year that appears to be more than 50 years ahead is of the century before.
function fullYear(year: number): number {
  const now = new Date().getUTCFullYear()
  const guess = now - (now % 100) + year
  return guess > now + 50 ? guess - 100 : guess
}
