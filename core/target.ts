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

/** The host of an authority in lower case, without port and trailing dot; an IPv6 address keeps its brackets. */
export function hostnameOf(host: string): string {
  const end = host.charCodeAt(0) === OPEN_BRACKET ? host.indexOf(']') + 1 : host.indexOf(':')
  const name = (end > 0 ? host.slice(0, end) : host).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}
