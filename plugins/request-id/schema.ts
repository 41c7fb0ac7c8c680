import { randomUUID } from 'node:crypto'
import { AddressList, expected, type HttpRequest, HttpResponse, isAddress, problemWithAddress } from 'rawhttp'
import * as v from 'valibot'

/** Options of request ids. */
export interface RequestIdOptions {
  /** The field that an id comes and goes in. Default: `x-request-id`. */
  readonly header?: string | undefined
  /**
   * Whose ids are taken over: nobody's, everybody's, those of the config's `trustedProxies`, or of peers in a list of
   * addresses, networks, `loopback`, `private` and `unix`. A peer is who has the connection. Default: false.
   */
  readonly trust?: boolean | 'proxies' | readonly string[] | undefined
  /** Makes an id: 1 to 128 letters, digits and `-._~+/=:`. Default: a random UUID. */
  readonly generate?: (() => string) | undefined
}

/** What the options come to. */
export interface RequestIdSettings {
  /** In lower case. */
  readonly header: string
  /** Whether the id of a request is taken over. */
  readonly trusts: (request: HttpRequest) => boolean
  readonly generate: () => string
}

/** Fields that describe the message or its content: a request's id would take their place. */
const TAKEN = /^(?:content-.*|etag|last-modified|accept-ranges|vary|date|set-cookie|location|cache-control)$/i

const header = v.pipe(
  v.string(expected("a field name such as 'x-request-id'")),
  v.check(
    name => !TAKEN.test(name) && isSettable(name),
    expected("the name of a field that is free, such as 'x-request-id'"),
  ),
  v.toLowerCase(),
)

const peer = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')

const expectedTrust = "true, false, 'proxies' or a list of addresses such as ['10.0.0.0/8']"
const named = v.union([v.boolean(), v.literal('proxies')], expected(expectedTrust))

const trust = v.lazy(value => (Array.isArray(value) ? v.array(peer) : named))

const options = v.strictObject(
  {
    header: v.optional(header, 'x-request-id'),
    trust: v.optional(trust, false),
    generate: v.optional(
      v.custom<() => string>(
        value => typeof value === 'function',
        expected('a function that gives an id such as () => crypto.randomUUID()'),
      ),
    ),
  },
  expected('options such as { trust: true }'),
)

/** The schema of {@link RequestIdOptions}. */
export const requestIdOptions: v.GenericSchema<RequestIdOptions | undefined, RequestIdSettings> = v.pipe(
  v.optional(options, {}),
  v.transform(({ header, trust, generate }) => ({
    header,
    trusts: trustOf(trust),
    generate: generate === undefined ? () => randomUUID() : checked(generate),
  })),
)

function trustOf(trust: boolean | 'proxies' | readonly string[]): RequestIdSettings['trusts'] {
  if (typeof trust === 'boolean') return () => trust
  if (trust === 'proxies') return request => request.isFromTrustedProxy
  const peers = new AddressList(trust)
  return request => peers.has((request.connection ?? request).client.address)
}

/** What stands in logs, pages and fields as it is: it can end none of them, whatever they quote with. */
const SAFE = /^[\w.~+/=:-]{1,128}$/

/** Whether a text can be an id. */
export const isSafe = (id: unknown): id is string => typeof id === 'string' && SAFE.test(id)

function checked(generate: () => string): () => string {
  return () => {
    const id: unknown = generate()
    if (isSafe(id)) return id
    const got = typeof id === 'string' ? JSON.stringify(id.slice(0, 140)) : typeof id
    throw new TypeError(`generate: expected 1 to 128 letters, digits and -._~+/=:, got ${got}`)
  }
}

function isSettable(name: string): boolean {
  try {
    HttpResponse.empty().set(name, 'id')
    return true
  } catch {
    return false
  }
}
