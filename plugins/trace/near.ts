import { AddressList, comesFrom, type HttpRequest } from 'rawhttp'

const loopback = new AddressList(['loopback'])

/**
 * Whether a request is of a client on this machine. What a proxy tells of its client never makes one of it, be the proxy
 * believed otherwise: not by a field of the request, nor by the PROXY protocol.
 */
export function isNear(request: HttpRequest): boolean {
  const { connection, client } = request
  if (connection !== null) {
    if (connection.client.address !== client.address || connection.via.includes('proxy-protocol'))
      return false
  }
  return comesFrom(request, loopback)
}

/**
 * Whether a request names this machine, or the site by a name of the config. A page of the web can lead its reader's
 * browser here under a name of its own; then all it gets would be that page's to read.
 */
export function isHostKnown({ hostname }: HttpRequest, hosts: readonly string[]): boolean {
  return hosts.includes(hostname) || hostname === 'localhost' || isAddress(hostname)
}

const isAddress = (hostname: string): boolean => loopback.has(hostname.replace(/^\[(.*)\]$/, '$1'))
