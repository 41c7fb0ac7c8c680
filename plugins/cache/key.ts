import { canonicalPath, type HttpRequest, PathError, remembered } from 'rawhttp'

/** Host fields whose normal form is remembered: a site has a few, and there may be many; a scanner sends any number. */
const REMEMBERED = 4_096

/** What a request must have in common with another one to get its answer: scheme, host, path and raw query. */
export function keyOf(request: HttpRequest): string {
  const { scheme, host } = request
  // Most hosts have no port and are in their normal form already.
  const isNormal = !host.includes(':') && host === request.hostname
  const origin = isNormal ? `${scheme}://${host}` : originOf(scheme, host)
  return `${origin}${request.path}${request.search}`
}

const plainOrigin = remembered(host => `http://${normalHost('http', host)}`, REMEMBERED)
const secureOrigin = remembered(host => `https://${normalHost('https', host)}`, REMEMBERED)

/** Scheme and authority in normal form (RFC 3986 section 6.2.3): the port is in it, since handlers write it into links. */
function originOf(scheme: string, host: string): string {
  return scheme === 'https' ? secureOrigin(host) : plainOrigin(host)
}

const PARTS = /^(\[[^\]]*\]|[^:]*?)\.?(?::(\d*))?$/

function normalHost(scheme: string, host: string): string {
  const [, name = host, port = ''] = PARTS.exec(host.toLowerCase()) ?? []
  const isDefault = port === '' || Number(port) === (scheme === 'https' ? 443 : 80)
  return isDefault ? name : `${name}:${Number(port)}`
}

/** Which keys somebody means: those of one origin, or of any when it is null. */
export interface Meant {
  readonly origin: string | null
  /** Canonical path and raw query. */
  readonly path: string
}

const URL_PARTS = /^(?:(https?):\/\/([^/?#]+))?(\/[^?#]*)?(\?[^#]*)?$/i

/**
 * Reads what a purge is given.
 *
 * @throws TypeError for what is neither a path nor an http URL.
 */
export function meantBy(url: string): Meant {
  const fail = () =>
    new TypeError(`expected a path such as "/news" or an http URL, got ${JSON.stringify(url)}`)
  const parts = typeof url === 'string' ? URL_PARTS.exec(url) : null
  if (parts === null) throw fail()
  const [, scheme, host, path, query = ''] = parts
  if (scheme === undefined && path === undefined) throw fail()
  try {
    const origin = scheme === undefined ? null : originOf(scheme.toLowerCase(), host!)
    return { origin, path: canonicalPath(path ?? '/') + query }
  } catch (error) {
    throw error instanceof PathError ? fail() : error
  }
}

/** Whether a key is what is meant, or begins so. */
export function isMeant(key: string, { origin, path }: Meant, asPrefix: boolean): boolean {
  const start = key.indexOf('/', key.indexOf('//') + 2)
  if (origin !== null && (start !== origin.length || !key.startsWith(origin))) return false
  return asPrefix ? key.startsWith(path, start) : key.length - start === path.length && key.endsWith(path)
}

/** The key of a reference that stands in the answer to another key; null for another origin, and for what is none. */
export function keyBeside(key: string, reference: string): string | null {
  const url = URL.canParse(reference, key) ? new URL(reference, key) : null
  if (url === null || url.origin !== new URL(key).origin) return null
  try {
    const { origin, path } = meantBy(`${url.origin}${url.pathname}${url.search}`)
    return `${origin}${path}`
  } catch {
    // A path that no request can have.
    return null
  }
}
