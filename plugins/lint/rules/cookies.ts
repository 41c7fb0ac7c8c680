import { printable } from 'rawhttp'
import type { Answer } from '../answer.ts'
import type { Rule } from '../rule.ts'

/** A line of Set-Cookie. Its value is not shown: it may be a secret. */
interface Cookie {
  readonly name: string
  /** The bytes of name and value. */
  readonly size: number
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, string>
}

/** What browsers take of name and value together. */
const MOST_BYTES = 4_096

/** Tokens against forged requests are for scripts to read. */
const FOR_SCRIPTS = /csrf|xsrf/i

/** A rule about one cookie, which is asked about those that are not to be deleted. */
const cookieRule = (
  id: string,
  section: string,
  check: (cookie: Cookie, answer: Answer) => string | null,
): Rule => ({
  id,
  section,
  field: 'set-cookie',
  check: (answer, value) => {
    const cookie = cookieOf(value)
    const what = isDeleted(cookie) ? null : check(cookie, answer)
    return what === null ? null : `cookie "${printable(cookie.name, 64)}" ${what}`
  },
})

/** What browsers, and those who attack them, make of cookies. */
export const cookies: readonly Rule[] = [
  cookieRule('cookie-http-only', 'RFC 6265 4.1.2.6', ({ name, attributes }) =>
    attributes.has('httponly') || FOR_SCRIPTS.test(name)
      ? null
      : 'has no HttpOnly: whatever script gets into a page can read it',
  ),
  cookieRule('cookie-same-site', 'RFC 6265bis 8.8', ({ attributes }) =>
    attributes.has('samesite') ? null : 'has no SameSite: browsers differ in what they make of that',
  ),
  cookieRule('cookie-secure', 'RFC 6265 8.3', ({ attributes }, { request }) =>
    request.scheme !== 'https' || attributes.has('secure')
      ? null
      : 'has no Secure: a request in plain text will carry what was set over TLS',
  ),
  cookieRule('cookie-refused', 'RFC 6265bis 5.7', ({ name, size, attributes }) => {
    const isSecure = attributes.has('secure')
    if (attributes.get('samesite') === 'none' && !isSecure)
      return 'has SameSite=None without Secure: browsers drop it'
    if (attributes.has('partitioned') && !isSecure) return 'is Partitioned without Secure: browsers drop it'
    if (size > MOST_BYTES) return `has ${size} bytes; browsers drop what is over ${MOST_BYTES}`
    const lower = name.toLowerCase()
    if (lower.startsWith('__secure-') && !isSecure) return 'needs Secure for its name: browsers drop it'
    const isOfHost = isSecure && attributes.get('path') === '/' && !attributes.has('domain')
    return lower.startsWith('__host-') && !isOfHost
      ? 'needs Secure, Path=/ and no Domain for its name: browsers drop it'
      : null
  }),
]

function cookieOf(line: string): Cookie {
  const [pair, ...rest] = line.split(';')
  const attributes = rest.map(each => {
    const [name, ...value] = each.split('=')
    return [name!.trim().toLowerCase(), value.join('=').trim().toLowerCase()] as const
  })
  return { name: pair!.split('=', 1)[0]!.trim(), size: pair!.length, attributes: new Map(attributes) }
}

function isDeleted({ attributes }: Cookie): boolean {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined) return Number(maxAge) <= 0
  return Date.parse(attributes.get('expires') ?? '') < Date.now()
}
