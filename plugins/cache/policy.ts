import type { HttpHeaders, HttpResponse } from 'rawhttp'
import { type Directives, directivesOf, secondsOf, toSeconds } from './directives.ts'
import { isKnownCoding } from './encodings.ts'

/** How long an answer may be used. Times are milliseconds since 1970. */
export interface Lifetime {
  /** When the answer was made: its Age counts from here. */
  readonly bornAt: number
  readonly freshUntil: number
  /** Until when it may be used while a new one is made (RFC 5861 section 3). */
  readonly revalidateUntil: number
  /** Until when it may be used if a new one cannot be made (RFC 5861 section 4). */
  readonly errorUntil: number
  /** Whether it may never be used stale (RFC 9111 section 5.2.2.2). */
  readonly isStrict: boolean
}

/** What may be stored of an answer: for how long, or with null as long as it says that it is current. */
export interface Verdict {
  readonly lifetime: Lifetime | null
  /** Whether it may be given to requests with credentials too (RFC 9111 section 3.5). */
  readonly isForAll: boolean
  /** Fields that it was chosen by, in lower case, without Accept-Encoding. */
  readonly vary: readonly string[]
  readonly variesByCoding: boolean
}

/** What is asked of an answer before it is stored. */
export interface Facts {
  /** Whether the request had credentials, whatever carried them. */
  readonly isRestricted: boolean
  readonly now: number
}

/** Final statuses whose meaning does not depend on the one request (RFC 9110 section 15); 206 is a part. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501,
])

/** Any of them says that the answer may be kept though the request had credentials (RFC 9111 section 3.5). */
const FOR_ALL = ['public', 's-maxage', 'must-revalidate'] as const

/**
 * Whether a shared cache may store an answer to GET (RFC 9111 section 3), and for how long. Only what says so itself:
 * freshness is never guessed.
 */
export function judge(response: HttpResponse, { isRestricted, now }: Facts): Verdict | null {
  const { headers, status, isCurrent } = response
  // Most answers of an API say nothing of how long they hold: the cheapest look comes first.
  if (isCurrent === undefined && !headers.has('cache-control') && !headers.has('expires')) return null
  if (!UNDERSTOOD.has(status) || isUnfit(headers)) return null
  const directives = directivesOf(headers.get('cache-control'))
  if (directives.has('no-store') || directives.has('private')) return null
  const isForAll = FOR_ALL.some(name => directives.has(name))
  if (isRestricted && !isForAll) return null
  const varied = varyOf(headers)
  if (varied === null) return null
  // What knows by itself whether it holds is checked each time, which is all that no-cache asks for.
  if (isCurrent !== undefined) return { lifetime: null, isForAll, ...varied }
  if (directives.has('no-cache')) return null
  const lifetime = lifetimeOf(headers, directives, now)
  return lifetime.errorUntil <= now && lifetime.revalidateUntil <= now && lifetime.freshUntil <= now
    ? null
    : { lifetime, isForAll, ...varied }
}

// A cookie is for one client, a part is no whole, and a stream of events has no end.
function isUnfit(headers: HttpHeaders): boolean {
  if (headers.has('set-cookie') || headers.has('content-range')) return true
  return headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') === true
}

function lifetimeOf(headers: HttpHeaders, directives: Directives, now: number): Lifetime {
  const bornAt = now - 1_000 * ageOf(headers, now)
  const freshFor =
    secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age') ?? expiry(headers, now)
  const freshUntil = bornAt + 1_000 * freshFor
  // s-maxage alone implies proxy-revalidate; beside it a window for stale use is what the origin asked for.
  const isStrict = directives.has('must-revalidate') || directives.has('proxy-revalidate')
  const after = (name: string) =>
    isStrict ? freshUntil : freshUntil + 1_000 * (secondsOf(directives, name) ?? 0)
  return {
    bornAt,
    freshUntil,
    revalidateUntil: after('stale-while-revalidate'),
    errorUntil: after('stale-if-error'),
    isStrict: isStrict || directives.has('s-maxage'),
  }
}

/** Seconds since an answer was made, for one that came through another cache (RFC 9111 section 4.2.3). */
function ageOf(headers: HttpHeaders, now: number): number {
  const date = Date.parse(headers.get('date') ?? '')
  const apparent = Number.isNaN(date) ? 0 : Math.max(0, Math.floor((now - date) / 1_000))
  return Math.max(apparent, toSeconds(headers.get('age') ?? '0'))
}

/** Seconds of freshness by Expires (RFC 9111 section 5.3); a bad date is one in the past. */
function expiry(headers: HttpHeaders, now: number): number {
  const expires = Date.parse(headers.get('expires') ?? '')
  if (Number.isNaN(expires)) return 0
  const date = Date.parse(headers.get('date') ?? '')
  return Math.max(0, Math.floor((expires - (Number.isNaN(date) ? now : date)) / 1_000))
}

function varyOf(headers: HttpHeaders): Pick<Verdict, 'vary' | 'variesByCoding'> | null {
  const names = (headers.get('vary') ?? '').toLowerCase().split(',')
  const listed = new Set(names.map(name => name.trim()).filter(name => name !== ''))
  if (listed.has('*')) return null
  const variesByCoding = listed.delete('accept-encoding')
  // A coding that Accept-Encoding is not read for: whoever does not name it would get it too.
  if (variesByCoding && !isKnownCoding(headers.get('content-encoding') ?? 'identity')) return null
  return { vary: [...listed].sort(), variesByCoding }
}
