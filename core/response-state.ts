import type { Duplex } from 'node:stream'
import { describe } from './errors.ts'
import { checkedProtocol, checkedTrailerName } from './field-rules.ts'
import { isToken } from './head-syntax.ts'
import { flatFields, type HeadersInit } from './headers.ts'
import type { ConnectionOwner, Nothing } from './hooks.ts'
import { isSliceable } from './range.ts'
import {
  checkedBody,
  handedOver,
  LazyBody,
  lengthOf,
  type OwnedBody,
  type Produced,
  type Purpose,
  type ResponseBody,
  readBody,
  standsFor,
} from './response-body.ts'
import { ResponseFields } from './response-fields.ts'
import type { SentMessage } from './sent-message.ts'
import type { Tap } from './tap.ts'

/** How a connection is taken over after `HttpResponse.upgrade`. */
export interface UpgradeOptions {
  /** The protocol that was agreed on, as the Upgrade field names it: `websocket`. */
  readonly protocol: string
  readonly headers?: HeadersInit | undefined
  /** The plugin writes every byte itself, the 101 too. Default: false. */
  readonly raw?: boolean | undefined
}

/**
 * Receives the stream of an upgraded connection, and the bytes that came behind the request. It may answer with who
 * is to be told when the server stops: without an owner the stream goes on until the server's deadline cuts it. A
 * reload leaves the stream alone; a `retire` tap may end it.
 */
export type UpgradeHandler = (stream: Duplex, head: Buffer) => ConnectionOwner | Nothing

/** What {@link ResponseState.bytes} takes. */
export interface ReadOptions {
  readonly limit?: number | undefined
  readonly keep?: boolean | undefined
}

/** What is known of the trailer section of a response. */
export interface Trailers {
  readonly names: readonly string[]
  readonly values: () => HeadersInit
}

/** What speaks of the very bytes, and goes when they change: the tag, and digests (RFC 9530). */
const OF_THE_BYTES = ['etag', 'content-digest', 'repr-digest'] as const

/** What a client that has the representation need not be told again (RFC 9110 section 15.4.5). */
const OF_NO_USE_IN_304 = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-range',
  'accept-ranges',
] as const

/** What a response says and how it may change: status, body, what belongs to them, and forks of it all. */
export class ResponseState extends ResponseFields {
  /** @internal */ upgradeHandler: UpgradeHandler | null = null
  /** @internal */ upgradeRaw = false
  /** @internal The protocol of an upgrade, as the Upgrade field names it. */ upgradeProtocol: string | null =
    null
  /** @internal */ trailerPart: Trailers | null = null
  /** @internal */ closes = false
  /** @internal */ isTransformed = false
  /** @internal A declared length of a stream. */ declaredLength: number | null = null
  /** @internal The tap that answered with it first: who is to blame when its body fails. */ givenBy: Tap | null =
    null
  /** @internal What is remembered of its messages. */ sent: SentMessage | null = null
  #status: number
  #body: ResponseBody
  #detail: string | null = null
  #isCurrent: (() => boolean) | undefined
  /** Undefined: not yet asked for. */
  #ranged: this | null | undefined
  /** Null: not yet asked for. */
  #notModified: this | null = null

  /**
   * Rarely called directly: the makers of `HttpResponse` are shorter.
   *
   * @param status 200 to 599.
   * @throws TypeError for a status out of range, a body of another kind, a bad header field.
   */
  constructor(status: number, body: ResponseBody = null, headers?: HeadersInit) {
    super()
    this.#status = checkedStatus(status)
    this.#body = checkedBody(body)
    if (headers === undefined) return
    const fields = flatFields(headers)
    for (let i = 0; i < fields.length; i += 2) this.append(fields[i]!, fields[i + 1]!)
  }

  get status(): number {
    return this.#status
  }

  set status(status: number) {
    this.mustBeUnfinished('status')
    this.#status = checkedStatus(status)
  }

  get body(): ResponseBody {
    return this.#body
  }

  /** Gives the response another body. In `transform` it is the same as {@link replace}. */
  set body(body: ResponseBody) {
    this.#swap(body)
    if (this.base !== null) this.#forgetBytes()
  }

  /** The number of bytes of the body; null when only its end will tell. */
  get length(): number | null {
    return this.declaredLength ?? lengthOf(this.#body)
  }

  /**
   * Text for an error that has no body of its own: error pages show it.
   *
   * @throws TypeError when it is set to what is neither a string nor null.
   */
  get detail(): string | null {
    return this.#detail
  }

  set detail(detail: string | null) {
    this.mustBeUnfinished('detail')
    if (detail !== null && typeof detail !== 'string')
      throw new TypeError(`detail must be a string or null, got ${describe(detail)}`)
    this.#detail = detail
  }

  /** True while the answer is what a fresh one would be. The cache keeps such an answer in memory. */
  get isCurrent(): (() => boolean) | undefined {
    return this.#isCurrent
  }

  set isCurrent(isCurrent: (() => boolean) | undefined) {
    this.mustBeUnfinished('isCurrent')
    this.#isCurrent = isCurrent
  }

  /**
   * Fields that are known only when the body has been sent. They go out when the message is chunked, or HTTP/2.
   *
   * @param values Gives them, at once. When it throws, or gives what cannot be sent, a body of unknown length breaks
   * off: its head has announced the fields.
   * @throws TypeError for names that may not stand behind a body, and for values that are no function.
   */
  trailers(names: readonly string[], values: () => HeadersInit): this {
    this.mustBeUnfinished('trailers')
    if (typeof values !== 'function')
      throw new TypeError(`trailers: values must be a function, got ${describe(values)}`)
    this.trailerPart = { names: names.map(checkedTrailerName), values }
    return this
  }

  /** Asks for the connection to be closed after this answer. */
  close(): this {
    this.mustBeOpen('close')
    this.closes = true
    return this
  }

  /**
   * Marks the representation as finished: `transform` is skipped, `deliver` never is. Bytes that it has for a body are not
   * to be written to any more.
   */
  transformed(): this {
    this.mustBeOpen('transformed')
    this.isTransformed = true
    return this
  }

  /**
   * Changes the representation: the ETag gets `-tag` appended, or goes without one; Content-Range and digests go;
   * Last-Modified and {@link isCurrent} stay.
   */
  replace(body: ResponseBody, { tag }: { readonly tag?: string | undefined } = {}): this {
    if (tag !== undefined && !isToken(tag))
      throw new TypeError(`replace: tag must be a token, got ${describe(tag)}`)
    const etag = tag === undefined ? undefined : suffixed(this.field('etag'), tag)
    this.#swap(body)
    this.#forgetBytes()
    return etag === undefined ? this : this.set('etag', etag)
  }

  /**
   * Puts a stream around the body that passes the very same bytes on: what is said of them stays, the tag and a
   * declared length too. A response without a body is left alone.
   *
   * @param around Gets the body for its own: it calls `destroy()` on it when it does not read it to its end, also
   * when what it returned is destroyed before anybody has read it.
   */
  through(around: (body: OwnedBody) => AsyncIterable<Uint8Array | string>): this {
    this.mustBeUnfinished('body')
    if (this.#body !== null) this.#body = checkedBody(around(handedOver(this.#body, this.declaredLength)))
    return this
  }

  /**
   * Puts a content coding on the body. `produce` runs only when a body is sent (`'send'`), or is read to be kept for
   * many clients (`'keep'`: worth a higher level).
   *
   * @param options `weak`: the bytes may differ from one run to the next, so that the ETag becomes a weak one (RFC 9110
   * section 8.8.1). Default: false.
   */
  encode(
    coding: string,
    produce: (purpose: Purpose) => Produced,
    { weak = false }: { readonly weak?: boolean | undefined } = {},
  ): this {
    const before = this.field('content-encoding')
    this.replace(new LazyBody(produce), { tag: coding })
    const etag = this.field('etag')
    if (weak && etag?.startsWith('"') === true) this.set('etag', `W/${etag}`)
    return this.set('content-encoding', before === undefined ? coding : `${before}, ${coding}`).vary(
      'Accept-Encoding',
    )
  }

  /** The body as text, of any kind. What was a stream is bytes afterwards. */
  async text(options?: Pick<ReadOptions, 'limit'>): Promise<string> {
    return (await this.bytes(options)).toString()
  }

  /**
   * The body as bytes, of any kind. What was a stream is bytes afterwards.
   *
   * @param options `limit` in bytes. Default: 16 MB. `keep`: the bytes are kept and sent to many clients, so that what
   * {@link encode} makes may cost more. Default: false.
   * @throws HttpError 500 over the limit; Error for a stream that is not of the length that it declared.
   */
  async bytes({ limit = 16_777_216, keep = false }: ReadOptions = {}): Promise<Buffer> {
    const bytes = await readBody(this.#body, limit, this.declaredLength, keep ? 'keep' : 'send')
    if (this.#body !== null) this.#body = bytes
    this.declaredLength = null
    return bytes
  }

  /** @internal A fork: own status, body reference and lines over this as base. */
  fork(): this {
    const fork = new (this.constructor as new (status: number) => this)(200)
    fork.over(this)
    fork.#status = this.#status
    fork.#body = this.#body
    fork.#detail = this.#detail
    fork.#isCurrent = this.#isCurrent
    fork.upgradeHandler = this.upgradeHandler
    fork.upgradeRaw = this.upgradeRaw
    fork.upgradeProtocol = this.upgradeProtocol
    fork.trailerPart = this.trailerPart
    fork.closes = this.closes
    fork.isTransformed = this.isTransformed
    fork.declaredLength = this.declaredLength
    fork.givenBy = this.givenBy
    return fork
  }

  /** @internal The same as a 304. Of a base it is made once. */
  notModified(): this {
    if (this.#notModified !== null) return this.#notModified
    const short = this.#asNotModified()
    if (this.isSealed) this.#notModified = short.seal()
    return short
  }

  /** What describes the representation goes, what a cache must learn stays. */
  #asNotModified(): this {
    const fork = this.fork()
    fork.#body = null
    fork.#status = 304
    fork.declaredLength = null
    for (const field of OF_NO_USE_IN_304) fork.delete(field)
    if (fork.field('etag') !== undefined) fork.delete('last-modified')
    return fork
  }

  /**
   * @internal A 426 names the protocol that it demands (RFC 9110 section 15.5.22).
   *
   * @throws TypeError for another status, and for what names no protocol.
   */
  asksFor(protocol: string): this {
    if (this.#status !== 426)
      throw new TypeError(`error: only a 426 asks for a protocol, not a ${this.#status}`)
    this.upgradeProtocol = checkedProtocol('error', protocol)
    return this
  }

  /**
   * @internal The same with Accept-Ranges (RFC 9110 section 14.3); null when no parts can be had of it, be it by
   * `accept-ranges: none`. Of a base it is made once.
   */
  ranged(): this | null {
    if (this.#ranged !== undefined) return this.#ranged
    const ranged = this.#withRanges()
    if (this.isSealed) this.#ranged = ranged
    return ranged
  }

  /** @internal The same with a part of its bytes: what is said of the whole stays (RFC 9110 section 15.3.7). */
  partial(body: ResponseBody, length: number | null): this {
    const fork = this.fork()
    fork.#body = body
    fork.#status = 206
    fork.declaredLength = length
    fork.delete('content-digest')
    return fork
  }

  #withRanges(): this | null {
    if (!isSliceable(this.#body)) return null
    const offered = this.field('accept-ranges')
    if (offered !== undefined) return offered.toLowerCase() === 'bytes' ? this : null
    if (!this.isSealed) return this.set('accept-ranges', 'bytes')
    return this.fork().set('accept-ranges', 'bytes').seal()
  }

  #swap(body: ResponseBody): void {
    this.mustBeUnfinished('body')
    standsFor(checkedBody(body), this.#body)
    this.#body = body
    this.declaredLength = null
  }

  #forgetBytes(): void {
    for (const field of OF_THE_BYTES) this.delete(field)
    // That of a 416 tells the length of what was asked for, whatever the error itself looks like.
    if (this.#status !== 416) this.delete('content-range')
  }

  /** @internal The answer hands the connection over (RFC 9110 section 7.8). */
  protected takesOver({ protocol, raw = false }: UpgradeOptions, handler: UpgradeHandler): this {
    this.#status = 101
    this.upgradeProtocol = protocol
    this.upgradeRaw = raw
    this.upgradeHandler = handler
    return this
  }
}

function suffixed(etag: string | undefined, tag: string): string | undefined {
  return etag?.endsWith('"') === true && etag.length > 1 ? `${etag.slice(0, -1)}-${tag}"` : undefined
}

function checkedStatus(status: number): number {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status
  throw new TypeError(`status must be an integer from 200 to 599, got ${describe(status)}`)
}
