import { AddressList } from './address-list.ts'
import { comesFrom } from './comes-from.ts'
import type { HttpRequest } from './request.ts'

const loopback = new AddressList(['loopback'])

/**
 * Whether a request is of a client on this machine. What a proxy tells of its client never makes one of it, be the proxy
 * believed otherwise: not by a field of the request, nor by the PROXY protocol. Who comes by a Unix socket has no
 * address, and counts as a proxy.
 */
export function isFromThisMachine(request: HttpRequest): boolean {
  const { connection, client } = request
  if (connection !== null) {
    if (connection.client.address !== client.address || connection.via.includes('proxy-protocol'))
      return false
  }
  return comesFrom(request, loopback)
}

/**
 * Whether a request names this machine: `localhost` or a loopback address. A page of the web can lead its reader's
 * browser here under a name of its own (DNS rebinding); then all it gets would be that page's to read.
 */
export function namesThisMachine({ hostname }: HttpRequest): boolean {
  return hostname === 'localhost' || loopback.has(hostname.replace(/^\[(.*)\]$/, '$1'))
}

/**
 * Whether a page of another origin asks, in the browser of somebody who may see what is asked for. Such a page could not
 * read it, unless a plugin such as `cors` lets it; nor is it to cause work. To follow a link is nobody's harm.
 */
export function isOfAnotherPage({ headers, host }: HttpRequest): boolean {
  const site = headers.get('sec-fetch-site')
  if (site === 'cross-site' || site === 'same-site') return headers.get('sec-fetch-mode') !== 'navigate'
  const origin = headers.get('origin')
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}
