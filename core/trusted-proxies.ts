import { AddressList } from './address-list.ts'
import type { Peer } from './listener.ts'

/** The fields in which proxies tell of the client. */
export const forwardedFields = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
] as const

/** A field in which proxies tell of the client. */
export type ForwardedField = (typeof forwardedFields)[number]

/** Who is believed about clients, and what. Made when the config loads, the same for all connections of a listener. */
export class TrustedProxies {
  readonly #from: AddressList
  readonly #fields: ReadonlySet<ForwardedField>
  /** The peer of a connection is one object as long as that lives: it is looked up once. */
  readonly #peers = new WeakMap<Peer, boolean>()

  /** @throws ConfigError for an entry of `from` that is no address, with its place in `path`. */
  constructor(from: readonly string[], fields: readonly ForwardedField[] = forwardedFields) {
    this.#from = new AddressList(from)
    this.#fields = new Set(fields)
  }

  /** Whether the peer of a connection is one of them. */
  trusts(peer: Peer): boolean {
    const known = this.#peers.get(peer)
    if (known !== undefined) return known
    const isTrusted = this.#from.has(peer.address)
    this.#peers.set(peer, isTrusted)
    return isTrusted
  }

  /** Whether an address that one of them tells of is one of them, too. */
  has(address: string): boolean {
    return this.#from.has(address)
  }

  /** Whether they write a field. What they do not write may be the client's own. */
  write(field: ForwardedField): boolean {
    return this.#fields.has(field)
  }
}
