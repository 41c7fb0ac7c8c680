import { canonicalAddress } from './address-list.ts'
import { isHost, trimmed } from './head-syntax.ts'
import type { HttpHeaders } from './headers.ts'
import type { Peer } from './listener.ts'
import type { ForwardedField } from './trusted-proxies.ts'

/** What one proxy says of the request that it got; null where it says nothing, or nothing that can be read. */
export interface Hop {
  /** Who sent it the request. */
  readonly from: Peer | null
  readonly scheme: 'http' | 'https' | null
  readonly host: string | null
}

/** What proxies say, the one nearest to us first: each has put its own at the end. */
export interface Hops {
  /** The next one; null behind the last. */
  next(): Hop | null
}

// RFC 7239 section 6: an address, IPv6 in brackets, and a port, which may be a made-up name.
const NODE = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}|_[\w.-]+))?$/

/**
 * The address and port of a node (RFC 7239 section 6). Null for `unknown` and for made-up names such as `_hidden`:
 * nobody can be told by them.
 */
export function nodeOf(text: string): Peer | null {
  const [, inBrackets, bare, port = ''] = NODE.exec(text) ?? []
  const isFamilyRight = inBrackets === undefined || inBrackets.includes(':')
  const address = isFamilyRight ? canonicalAddress(inBrackets ?? bare ?? '') : null
  if (address === null) return null
  if (port === '' || port.startsWith('_')) return { address, port: 0 }
  return Number(port) <= 65_535 ? { address, port: Number(port) } : null
}

/**
 * The scheme that a proxy names. Traefik says `wss` of a WebSocket; what it means is the scheme of the request that
 * asks for one.
 */
export function schemeOf(text: string | null): 'http' | 'https' | null {
  const scheme = text?.toLowerCase()
  if (scheme === 'https' || scheme === 'wss') return 'https'
  return scheme === 'http' || scheme === 'ws' ? 'http' : null
}

/** A host that a proxy names, by the same rules as Host. */
export const hostOf = (text: string | null): string | null => (text !== null && isHost(text) ? text : null)

/** Reads the members of a list from its end, no further than it is asked. */
class FromEnd {
  readonly #list: string
  #end: number

  constructor(list: string) {
    this.#list = list
    this.#end = list.length
  }

  next(): string | null {
    while (this.#end >= 0) {
      const comma = this.#end === 0 ? -1 : this.#list.lastIndexOf(',', this.#end - 1)
      const member = trimmed(this.#list.slice(comma + 1, this.#end))
      this.#end = comma
      // RFC 9110 section 5.6.1.2: empty members say nothing.
      if (member !== '') return member
    }
    return null
  }
}

/**
 * What X-Forwarded-For, -Proto, -Host and -Port say. Each is a list of its own, and many proxies keep but one value in
 * the latter three: the first from the right belongs to the first, and so on.
 */
export class XForwardedHops implements Hops {
  readonly #for: FromEnd
  readonly #proto: FromEnd
  readonly #host: FromEnd
  readonly #port: FromEnd

  constructor(headers: HttpHeaders, isWritten: (field: ForwardedField) => boolean) {
    const list = (field: ForwardedField) => new FromEnd((isWritten(field) && headers.get(field)) || '')
    this.#for = list('x-forwarded-for')
    this.#proto = list('x-forwarded-proto')
    this.#host = list('x-forwarded-host')
    this.#port = list('x-forwarded-port')
  }

  next(): Hop | null {
    const from = this.#for.next()
    const proto = this.#proto.next()
    const host = this.#host.next()
    const port = this.#port.next()
    if (from === null && proto === null && host === null) return null
    const scheme = schemeOf(proto)
    return {
      from: from === null ? null : addressOf(from),
      scheme,
      host: withPort(hostOf(host), port, scheme),
    }
  }
}

// Here IPv6 addresses mostly stand without brackets, and then without a port.
function addressOf(text: string): Peer | null {
  const address = canonicalAddress(text)
  return address === null ? nodeOf(text) : { address, port: 0 }
}

/**
 * The port belongs to a host that the proxy names without one (`$host` of nginx). A Host that the client sent has its own:
 * there the field often tells of a port inside, which no client knows.
 */
function withPort(host: string | null, port: string | null, scheme: Hop['scheme']): string | null {
  if (host === null || port === null || !/^\d{1,5}$/.test(port)) return host
  if (/:\d*$/.test(host.slice(host.lastIndexOf(']') + 1))) return host
  if (Number(port) === (scheme === 'https' ? 443 : 80)) return host
  return hostOf(`${host}:${Number(port)}`) ?? host
}
