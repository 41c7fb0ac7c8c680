import { RequestBody } from './body.ts'
import type { BodySource } from './body-flow.ts'
import type { Refused } from './errors.ts'
import type { RequestHead } from './framing.ts'
import type { HeadersInit, HttpHeaders } from './headers.ts'
import type { ExchangeLimits } from './limits.ts'
import type { ConnectionInfo, Peer, TlsInfo } from './listener.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

/** What a request is made from, by a connection or by a test. */
export interface RequestInit {
  /** The version of HTTP that the client speaks: `1.0`, `1.1` or `2`. Default: `1.1`. */
  readonly protocol?: string | undefined
  readonly method: string
  /** The target as the client sent it: `/path?query`, an absolute URI, or `*`. */
  readonly target: string
  /** `http` or `https`, as the transport says. Default: `http`. */
  readonly scheme?: string | undefined
  /** The authority of an absolute target or of HTTP/2; it replaces Host. */
  readonly authority?: string | undefined
  readonly headers?: HeadersInit | undefined
  /** The same as a transport has them: flat, name in lower case, value, name, value … */
  readonly fields?: readonly string[] | undefined
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string> | BodySource | null | undefined
  /** The declared length of the body. */
  readonly contentLength?: number | null | undefined
  readonly client?: Peer | undefined
  readonly tls?: TlsInfo | undefined
  readonly connection?: ConnectionInfo | undefined
  /** @internal Who is believed about the client. Default: whom the connection's listener believes. */
  readonly proxies?: TrustedProxies | null | undefined
  /** @internal When the head was complete, by the clock of deadlines. Default: now. */
  readonly startedAt?: number | undefined
  /** Why the message is refused, if it is. */
  readonly refused?: Refused | undefined
}

/** What the request of a message is made from. Not a literal, for the reason that {@link shortList} tells. */
export class MessageInit implements RequestInit {
  readonly protocol: string
  readonly method: string
  readonly target: string
  readonly authority: string | undefined
  readonly fields: readonly string[]
  readonly body: BodySource | null
  readonly contentLength: number | null
  readonly connection: ConnectionInfo
  readonly tls: TlsInfo | undefined
  readonly startedAt: number

  constructor(head: RequestHead, body: BodySource | null, connection: ConnectionInfo, startedAt: number) {
    this.protocol = head.version
    this.method = head.method
    this.target = head.target
    this.authority = head.authority ?? undefined
    this.fields = head.fields
    this.body = body
    this.contentLength = head.contentLength
    this.connection = connection
    this.tls = connection.tls
    this.startedAt = startedAt
  }
}

/** The other end of the connection that a request came over. */
export const peerOf = ({ client, connection }: RequestInit): Peer | undefined => client ?? connection?.client

/** Who is believed about a request: those whom its peer is one of, as the config says when it begins. */
export function trustedBy(init: RequestInit): TrustedProxies | null {
  const proxies = init.proxies ?? init.connection?.proxies?.() ?? null
  if (proxies === null) return null
  const peer = peerOf(init)
  return peer !== undefined && proxies.trusts(peer) ? proxies : null
}

/** What a body is read by. The limits may be changed until its first pull. */
interface BodyOwner {
  readonly effectiveLimits: Readonly<ExchangeLimits>
  readonly headers: HttpHeaders
}

/** The body that a request was made with, which nobody has read yet. */
export function bodyOf(init: RequestInit, owner: BodyOwner): RequestBody {
  const given = init.body ?? null
  const facts = () => ({
    limits: owner.effectiveLimits,
    contentType: owner.headers.get('content-type'),
    contentLength: init.contentLength ?? null,
  })
  if (given === null) return new RequestBody(facts, null)
  if (typeof given !== 'string' && !(given instanceof Uint8Array)) {
    if ('want' in given) return new RequestBody(facts, given)
    return iterated(facts, given)
  }
  const body = new RequestBody(facts, null)
  body.push(typeof given === 'string' ? Buffer.from(given) : given)
  return body
}

function iterated(
  facts: ConstructorParameters<typeof RequestBody>[0],
  pieces: AsyncIterable<Uint8Array | string>,
) {
  const iterator = pieces[Symbol.asyncIterator]()
  const pull = async () => {
    const { done, value } = await iterator.next()
    if (done === true) body.end()
    else body.push(typeof value === 'string' ? Buffer.from(value) : value)
  }
  const body = new RequestBody(facts, { want: () => void pull().catch(error => body.fail(error)) })
  return body
}
