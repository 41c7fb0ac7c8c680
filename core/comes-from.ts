import type { AddressList } from './address-list.ts'
import type { HttpRequest } from './request.ts'
import { forwardedFields } from './trusted-proxies.ts'

/** Fields that proxies write; who is behind one that nobody trusts is not known. */
const proxied = [...forwardedFields, 'via', 'x-real-ip']

/**
 * Whether a request comes from one of some addresses, straight or through trusted proxies. A proxy that nobody trusts
 * does not lend its own address to its clients, as far as it shows by a field of its kind: one on this machine makes
 * strangers no neighbours.
 */
export function comesFrom(request: HttpRequest, addresses: AddressList): boolean {
  const { client, connection, headers } = request
  if (!addresses.has(client.address)) return false
  const isTold =
    connection !== null && connection !== undefined && connection.client.address !== client.address
  return isTold || !proxied.some(name => headers.has(name))
}
