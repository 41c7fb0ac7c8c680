import { ForwardedElements } from './forwarded-elements.ts'
import { type Hops, XForwardedHops } from './forwarded-hops.ts'
import type { HttpHeaders } from './headers.ts'
import type { Peer } from './listener.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

/** Proxies that a request is followed through; nobody has more, but a list in a field may. */
const MAX_HOPS = 32

/** What trusted proxies tell of a request; null where they tell nothing. */
export interface Forwarded {
  readonly client: Peer | null
  readonly scheme: 'http' | 'https' | null
  readonly host: string | null
}

/**
 * What the proxies say from which a request came, the one nearest to us first. What one of them says is believed as
 * far as it is trusted itself; the client is the first that is not, or the farthest proxy when all are. Where a proxy
 * says nothing that can be read, who came before is not known, and the last one that is known is the client.
 *
 * Scheme and host are those of the farthest proxy that is believed and names them: it saw what the client asked for.
 */
export function readForwarded(headers: HttpHeaders, proxies: TrustedProxies): Forwarded {
  const hops = hopsOf(headers, proxies)
  let client: Peer | null = null
  let scheme: Forwarded['scheme'] = null
  let host: string | null = null
  for (let count = 0; count < MAX_HOPS; count++) {
    const hop = hops.next()
    if (hop === null) break
    scheme = hop.scheme ?? scheme
    host = hop.host ?? host
    if (hop.from === null) break
    client = hop.from
    if (!proxies.has(client.address)) break
  }
  return { client, scheme, host }
}

/**
 * Which of both kinds tells. Most proxies write X-Forwarded-For and let a Forwarded that the client sent pass, so that
 * with both the former counts, and the two are never mixed. Where it is the other way round, the config has to say so:
 * nobody can see in a request who wrote what.
 */
function hopsOf(headers: HttpHeaders, proxies: TrustedProxies): Hops {
  const isWritten = proxies.write.bind(proxies)
  const forwarded = isWritten('forwarded') ? headers.get('forwarded') : undefined
  const isOlder = forwarded === undefined || (isWritten('x-forwarded-for') && headers.has('x-forwarded-for'))
  return isOlder ? new XForwardedHops(headers, isWritten) : new ForwardedElements(forwarded)
}
