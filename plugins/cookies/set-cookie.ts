import { stringifySetCookie } from 'cookie'
import { type Duration, parseDuration, printable } from 'rawhttp'

/** How a cookie is kept and sent back by browsers. */
export interface CookieOptions {
  /** The paths below which it is sent. Default: `'/'`. */
  readonly path?: string | undefined
  /** A domain whose subdomains get it, too. Default: the host that set it, and no other. */
  readonly domain?: string | undefined
  /** How long it is kept: `'7d'`, or milliseconds; whole seconds go out. Default: until the browser is closed. */
  readonly maxAge?: Duration | undefined
  /** Whether scripts of the page cannot read it. Default: true. */
  readonly httpOnly?: boolean | undefined
  /** Whether it is sent by https only. `'auto'` is true when the request came so. Default: `'auto'`. */
  readonly secure?: boolean | 'auto' | undefined
  /** Whether it comes with requests that other sites have begun; `'none'` needs `secure`. Default: `'lax'`. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined
  /** Whether it is kept apart for each site that embeds this one; needs `secure`. Default: false. */
  readonly partitioned?: boolean | undefined
}

/** One cookie as it is to be sent. */
export interface NewCookie {
  readonly name: string
  readonly value: string
  readonly options: CookieOptions
  readonly defaults: CookieOptions
  /** Whether the request came by https. */
  readonly isHttps: boolean
}

/** A line for Set-Cookie, and what a browser tells the cookie by (RFC 6265 section 5.3 step 11). */
export interface CookieLine {
  readonly id: string
  readonly line: string
}

/** What browsers keep of one cookie at the least, attributes included (RFC 6265 section 6.1). */
const MOST_BYTES = 4_096
/** RFC 6265 section 4.1.1: a token. */
const NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/

/**
 * The line that sets a cookie. Its value is escaped where it has to be.
 *
 * @throws TypeError for a name, value or option that cannot stand in the line, and for a cookie that browsers would
 * drop in silence: one that is too long, or breaks the rules of its name's prefix.
 */
export function cookieLine({ name, value, options, defaults, isHttps }: NewCookie): CookieLine {
  checkName(name)
  // What does not come from a type checker may be anything; the value itself may be a secret.
  if (typeof value !== 'string' || !value.isWellFormed())
    throw fault(name, `the value must be well-formed text, got ${textKind(value)}`)
  const attributes = attributesOf(name, options, defaults, isHttps)
  const line = named(name, () => stringifySetCookie({ name, value, ...attributes }))
  if (line.length > MOST_BYTES)
    throw fault(
      name,
      `browsers keep ${MOST_BYTES} bytes at most, attributes included; this has ${line.length}`,
    )
  const { domain, path } = attributes
  return { id: `${name}\n${domain.toLowerCase()}\n${path}`, line }
}

/** Seconds of a cookie's life, rounded up, so that what lives at all is not dropped at once. */
export function secondsOf(maxAge: Duration): number {
  return Math.ceil(parseDuration(maxAge) / 1_000)
}

export function checkName(name: string): void {
  if (typeof name === 'string' && NAME.test(name)) return
  const given = typeof name === 'string' ? JSON.stringify(printable(name, 80)) : typeof name
  throw new TypeError(`cookies: a name must be a token (RFC 6265 section 4.1.1), got ${given}`)
}

function attributesOf(name: string, options: CookieOptions, defaults: CookieOptions, isHttps: boolean) {
  const demands = demandsOf(name)
  const sameSite = options.sameSite ?? defaults.sameSite ?? 'lax'
  const partitioned = options.partitioned ?? defaults.partitioned ?? false
  const mustBeSecure = demands.secure || sameSite === 'none' || partitioned
  const maxAge = options.maxAge ?? defaults.maxAge
  return {
    path: demands.host ? fixed(name, 'path', options.path, '/') : pathOf(name, options, defaults),
    domain: demands.host
      ? fixed(name, 'domain', options.domain, '')
      : (options.domain ?? defaults.domain ?? ''),
    httpOnly: demands.httpOnly
      ? fixed(name, 'httpOnly', options.httpOnly, true)
      : (options.httpOnly ?? defaults.httpOnly ?? true),
    secure: mustBeSecure
      ? fixed(name, 'secure', options.secure === 'auto' ? undefined : options.secure, true)
      : isSecure(options.secure ?? defaults.secure ?? 'auto', isHttps),
    sameSite,
    partitioned,
    ...(maxAge === undefined ? {} : { maxAge: named(name, () => secondsOf(maxAge)) }),
  }
}

/**
 * What browsers demand of a name that begins so, in whatever case (RFC 6265bis section 4.1.3). It comes before the
 * defaults, and an option that says otherwise is an error.
 */
function demandsOf(name: string) {
  const lower = name.toLowerCase()
  const host = lower.startsWith('__host-')
  const httpOnly = lower.startsWith('__http-') || lower.startsWith('__host-http-')
  return { host, httpOnly, secure: host || httpOnly || lower.startsWith('__secure-') }
}

function fixed<T>(name: string, option: keyof CookieOptions, given: T | undefined, demanded: T): T {
  if (given === undefined || given === demanded) return demanded
  const must = demanded === '' ? `may have no ${option}` : `must have ${option} ${demanded}`
  throw fault(name, `by its prefix, sameSite or partitioned it ${must}, got ${printable(String(given), 80)}`)
}

function pathOf(name: string, options: CookieOptions, defaults: CookieOptions): string {
  const path = options.path ?? defaults.path ?? '/'
  if (typeof path === 'string' && path.startsWith('/')) return path
  throw fault(name, `path must begin with "/", got ${printable(String(path), 80)}`)
}

const isSecure = (secure: boolean | 'auto', isHttps: boolean): boolean =>
  secure === 'auto' ? isHttps : secure

const textKind = (value: unknown): string =>
  typeof value === 'string' ? 'half a surrogate pair' : value === null ? 'null' : typeof value

function named<T>(name: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw fault(name, printable((error as Error).message))
  }
}

export const fault = (name: string, what: string): TypeError =>
  new TypeError(`cookies: "${printable(name, 80)}": ${what}`)
