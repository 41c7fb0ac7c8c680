import { PathError } from './path.ts'

const SLASH = 0x2f
const OPEN_BRACKET = 0x5b

/**
 * The path and query of a request target, or `*`.
 *
 * RFC 9112 section 3.2.2: a server accepts the absolute form too, and what counts then is what stands behind its
 * authority. Section 3.2.4: without anything there, an OPTIONS is about the whole server.
 *
 * @throws PathError for a target of neither form.
 */
export function originForm(target: string, method: string): string {
  if (target.charCodeAt(0) === SLASH || (target === '*' && method === 'OPTIONS')) return target
  const scheme = /^https?:\/\//i.exec(target)
  if (scheme === null) throw new PathError('H1-TARGET-FORM')
  const authority = scheme[0].length
  const rest = target.slice(authority).search(/[/?]/)
  if (rest === -1) return method === 'OPTIONS' ? '*' : '/'
  const path = target.slice(authority + rest)
  return path.charCodeAt(0) === SLASH ? path : `/${path}`
}

/**
 * The host of an authority in lower case, without port and trailing dot; an IPv6 address keeps its brackets and is in
 * its one form.
 */
export function hostnameOf(host: string): string {
  if (host.charCodeAt(0) === OPEN_BRACKET)
    return canonicalAddress(host.slice(0, host.indexOf(']') + 1).toLowerCase())
  const end = host.indexOf(':')
  const name = (end > 0 ? host.slice(0, end) : host).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/**
 * An IPv6 address in brackets as clients send it (RFC 5952, but for IPv4 in it, which the URL standard writes in
 * hexadecimal): `[0:0::0:1]` is `[::1]`, and no other spelling gets past a rule for it. What is none stays as it is.
 */
export function canonicalAddress(bracketed: string): string {
  return URL.parse(`http://${bracketed}/`)?.hostname ?? bracketed
}
