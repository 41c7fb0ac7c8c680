import { stat } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import mime from 'mime-types'
import { describe, HttpError } from './errors.ts'
import { FileSlice } from './file-slice.ts'
import { isFieldValue, isToken } from './head-syntax.ts'
import { flatFields, type HeadersInit, HttpHeaders } from './headers.ts'
import { isBody, LazyBody, type Produced, type ResponseBody, readBody } from './response-body.ts'

/** The last argument of every maker: a status, or status and header fields. */
export type ResponseInit =
  | number
  | {
      readonly status?: number | undefined
      readonly headers?: HeadersInit | undefined
    }

/** How a connection is taken over after {@link HttpResponse.upgrade}. */
export interface UpgradeOptions {
  /** The protocol that was agreed on, as the Upgrade field names it: `websocket`. */
  readonly protocol: string
  readonly headers?: HeadersInit | undefined
  /** The plugin writes every byte itself, the 101 too. Default: false. */
  readonly raw?: boolean | undefined
}

/** Receives the stream of an upgraded connection, and the bytes that came behind the request. */
export type UpgradeHandler = (stream: Duplex, head: Buffer) => void

/** What is known of the trailer section of a response. */
export interface Trailers {
  readonly names: readonly string[]
  readonly values: () => HeadersInit
}

/** Fields of the framing and the connection: only the writer may send them. */
const KERNEL_FIELDS = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'te',
])

/** Fields that describe the representation, which is finished when `deliver` runs (RFC 9110 section 8). */
const REPRESENTATION_FIELDS = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'etag',
  'last-modified',
  'accept-ranges',
])

const OPEN = 0
const DELIVERING = 1
const SEALED = 2

/**
 * An answer. Mutable until it is given as an answer: from then on it is a base that may be sent to any number of
 * clients, and each `transform` and `deliver` tap gets a fork of it.
 */
export class HttpResponse {
  /** @internal */ base: HttpResponse | null
  /** Text for an error that has no body of its own: error pages show it. */
  detail: string | null = null
  /** True while the answer is what a fresh one would be. The cache keeps such an answer in memory. */
  isCurrent: (() => boolean) | undefined
  /** @internal */ upgradeHandler: UpgradeHandler | null = null
  /** @internal */ upgradeRaw = false
  /** @internal The protocol of an upgrade, as the Upgrade field names it. */ upgradeProtocol: string | null =
    null
  /** @internal */ trailerPart: Trailers | null = null
  /** @internal */ closes = false
  /** @internal */ isTransformed = false
  /** @internal A declared length of a stream. */ declaredLength: number | null = null
  /** @internal */ latin1: string | null = null
  #status: number
  #body: ResponseBody
  #lines: string[]
  #hidden: string[] | null = null
  #block: string | null = null
  #phase = OPEN

  /**
   * Rarely called directly: the makers (`text`, `json`, `file` …) are shorter.
   *
   * @param status 200 to 599.
   * @throws TypeError for a status out of range, a body of another kind, a bad header field.
   */
  constructor(status: number, body: ResponseBody = null, headers?: HeadersInit) {
    this.base = null
    this.#status = checkedStatus(status)
    this.#body = checkedBody(body)
    this.#lines = []
    if (headers !== undefined) this.#setAll(headers)
  }

  get status(): number {
    return this.#status
  }

  set status(status: number) {
    this.#mayChange('status')
    this.#status = checkedStatus(status)
  }

  get body(): ResponseBody {
    return this.#body
  }

  /** Gives the error a page, or an answer a body, without a word on validators: see {@link replace} for those. */
  set body(body: ResponseBody) {
    this.#mayChange('body')
    this.#body = checkedBody(body)
    this.declaredLength = null
    this.latin1 = null
  }

  /** The header fields as they are now, in the order in which they were set. */
  get headers(): HttpHeaders {
    return new HttpHeaders(this.fields())
  }

  /**
   * Sets a field, in the place of all of that name.
   *
   * @throws TypeError for a name or value that cannot stand in a message, and for fields that belong to the kernel.
   */
  set(name: string, value: string): this {
    const field = this.#checked(name, value)
    this.#remove(field)
    this.#lines.push(field, value)
    this.#block = null
    return this
  }

  /** Adds a field line beside others of that name, for example `Set-Cookie`. */
  append(name: string, value: string): this {
    this.#lines.push(this.#checked(name, value), value)
    this.#block = null
    return this
  }

  delete(name: string): this {
    this.#remove(this.#checked(name, ''))
    this.#block = null
    return this
  }

  /** Adds names to Vary, each once (RFC 9110 section 12.5.5). */
  vary(...names: string[]): this {
    const present = this.field('vary') ?? ''
    const had = present.toLowerCase().split(/\s*,\s*/)
    const more = names.filter(name => !had.includes(name.toLowerCase()))
    if (more.length === 0 || had.includes('*')) return this
    return this.set('vary', present === '' ? more.join(', ') : `${present}, ${more.join(', ')}`)
  }

  /** Fields that are known only when the body has been sent. They go out when the message is chunked, or HTTP/2. */
  trailers(names: readonly string[], values: () => HeadersInit): this {
    this.#mayChange('trailers')
    for (const name of names) this.#checked(name, '')
    this.trailerPart = { names: names.map(name => name.toLowerCase()), values }
    return this
  }

  /** Asks for the connection to be closed after this answer. */
  close(): this {
    if (this.#phase === SEALED) throw sealedError('close')
    this.closes = true
    return this
  }

  /** Marks the representation as finished: `transform` is skipped, `deliver` never is. */
  transformed(): this {
    this.isTransformed = true
    return this
  }

  /**
   * Changes the representation: the ETag gets `-tag` appended, or goes without one; Content-Range goes;
   * Last-Modified and {@link isCurrent} stay.
   */
  replace(body: ResponseBody, options: { readonly tag?: string | undefined } = {}): this {
    this.body = body
    this.delete('content-range')
    const etag = this.field('etag')
    if (etag === undefined) return this
    return options.tag === undefined ? this.delete('etag') : this.set('etag', suffixed(etag, options.tag))
  }

  /** Puts a content coding on the body. `produce` runs only when a body is sent. */
  encode(coding: string, produce: () => Produced): this {
    const before = this.field('content-encoding')
    return this.replace(new LazyBody(produce), { tag: coding })
      .set('content-encoding', before === undefined ? coding : `${before}, ${coding}`)
      .vary('Accept-Encoding')
  }

  /** The body as text, of any kind. What was a stream is bytes afterwards. */
  async text(options?: { readonly limit?: number }): Promise<string> {
    return (await this.bytes(options)).toString()
  }

  /** The body as bytes, of any kind, up to `limit` bytes (default 16 MB). What was a stream is bytes afterwards. */
  async bytes({ limit = 16_777_216 }: { readonly limit?: number } = {}): Promise<Buffer> {
    const bytes = await readBody(this.#body, limit)
    this.#body = this.#body === null ? null : bytes
    return bytes
  }

  /** @internal A fork: own status, body reference and lines over this as base. */
  fork(): HttpResponse {
    const fork = new HttpResponse(200)
    fork.base = this
    fork.#status = this.#status
    fork.#body = this.#body
    fork.detail = this.detail
    fork.isCurrent = this.isCurrent
    fork.upgradeHandler = this.upgradeHandler
    fork.upgradeRaw = this.upgradeRaw
    fork.upgradeProtocol = this.upgradeProtocol
    fork.trailerPart = this.trailerPart
    fork.closes = this.closes
    fork.isTransformed = this.isTransformed
    fork.declaredLength = this.declaredLength
    return fork
  }

  /** @internal No change from here on. */
  seal(): this {
    this.#phase = SEALED
    return this
  }

  /** @internal The representation is finished; only fields for this request may still be set. */
  deliver(): this {
    if (this.#phase === OPEN) this.#phase = DELIVERING
    return this
  }

  /** @internal Name, value, name, value … */
  fields(): readonly string[] {
    if (this.base === null) return this.#lines
    const inherited = this.base.fields()
    if (this.#hidden === null) return this.#lines.length === 0 ? inherited : inherited.concat(this.#lines)
    const hidden = this.#hidden
    const kept: string[] = []
    for (let i = 0; i < inherited.length; i += 2) {
      if (!hidden.includes(inherited[i]!)) kept.push(inherited[i]!, inherited[i + 1]!)
    }
    return kept.concat(this.#lines)
  }

  /** @internal The first value of a field. */
  field(name: string): string | undefined {
    const fields = this.fields()
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
    return undefined
  }

  /** @internal The field lines as bytes of a message; kept, so that a base's are made once. */
  block(): string {
    if (this.#block !== null) return this.#block
    const text =
      this.base !== null && this.#hidden === null
        ? this.base.block() + lines(this.#lines)
        : lines(this.fields())
    this.#block = text
    return text
  }

  #setAll(headers: HeadersInit): void {
    const fields = flatFields(headers)
    for (let i = 0; i < fields.length; i += 2) this.append(fields[i]!, fields[i + 1]!)
  }

  #remove(field: string): void {
    const lines = this.#lines
    for (let i = lines.length - 2; i >= 0; i -= 2) if (lines[i] === field) lines.splice(i, 2)
    if (this.base === null || this.#hidden?.includes(field)) return
    if (this.base.field(field) !== undefined) this.#hidden = [...(this.#hidden ?? []), field]
  }

  #checked(name: string, value: string): string {
    const field = name.toLowerCase()
    if (this.#phase !== OPEN) this.#mayChange(field)
    if (!isToken(field)) throw new TypeError(`${describe(name)} is not a field name (RFC 9110 section 5.1)`)
    if (typeof value !== 'string' || !isFieldValue(value)) {
      throw new TypeError(`${field}: ${describe(value)} is not a field value (RFC 9110 section 5.5)`)
    }
    if (KERNEL_FIELDS.has(field)) {
      throw new TypeError(
        `${field} belongs to the kernel; use response.close(), stream(…, { length }) or upgrade()`,
      )
    }
    return field
  }

  #mayChange(what: string): void {
    if (this.#phase === SEALED) throw sealedError(what)
    const fixed =
      what === 'status' || what === 'body' || what === 'trailers' || REPRESENTATION_FIELDS.has(what)
    if (this.#phase === DELIVERING && fixed) {
      throw new TypeError(`${what} cannot change in deliver: the representation is finished; use transform`)
    }
  }

  /** Plain text in UTF-8. */
  static text(text: string, init?: ResponseInit): HttpResponse {
    return make(text, init, 'text/plain; charset=utf-8')
  }

  static html(html: string, init?: ResponseInit): HttpResponse {
    return make(html, init, 'text/html; charset=utf-8')
  }

  /**
   * A value as JSON (RFC 8259).
   *
   * @throws TypeError when JSON has no form for it (`undefined`, a function, a cycle, a bigint).
   */
  static json(value: unknown, init?: ResponseInit): HttpResponse {
    return make(jsonText(value), init, 'application/json')
  }

  static bytes(bytes: Uint8Array, init?: ResponseInit): HttpResponse {
    return make(bytes, init, 'application/octet-stream')
  }

  /**
   * A body of pieces that are made as the client takes them.
   *
   * @param init `length`: the number of bytes, if known: a body that ends short is cut, one that runs over too.
   */
  static stream(
    body: AsyncIterable<Uint8Array | string>,
    init: Exclude<ResponseInit, number> & { readonly length?: number | undefined } = {},
  ): HttpResponse {
    const response = make(body as ResponseBody, init, 'application/octet-stream')
    if (init.length !== undefined) response.declaredLength = checkedLength(init.length)
    return response
  }

  /**
   * A file of the disk, with the media type of its name and Last-Modified. No containment: the path is yours.
   *
   * @throws HttpError 404 when it is not there or is not a regular file.
   */
  static async file(path: string, init?: ResponseInit): Promise<HttpResponse> {
    const found = await stat(path).catch(() => null)
    if (found === null || !found.isFile()) throw new HttpError(404, undefined, { code: 'FILE_MISSING' })
    const type = mime.contentType(path.slice(path.lastIndexOf('/') + 1)) || 'application/octet-stream'
    return make(new FileSlice(path, found), init, type).set(
      'last-modified',
      new Date(found.mtimeMs).toUTCString(),
    )
  }

  /**
   * A redirect. Characters that a URI cannot have are escaped.
   *
   * @param init Status 301, 302 (default), 303, 307 or 308.
   */
  static redirect(location: string, init: ResponseInit = 302): HttpResponse {
    return make(null, withStatus(init, 302)).set(
      'location',
      location.replace(/[^\x21-\x7e]+/g, encodeURIComponent),
    )
  }

  /** An answer without a body. Default: 204. */
  static empty(init: ResponseInit = 204): HttpResponse {
    return make(null, withStatus(init, 204))
  }

  /** An error without a body: error pages fill it, else the kernel writes plain text. */
  static error(status: number, detail?: string, init: Exclude<ResponseInit, number> = {}): HttpResponse {
    const response = make(null, { ...init, status })
    response.detail = detail ?? null
    return response
  }

  /** Problem details (RFC 9457): `{ type, title, status, detail, instance, … }`. */
  static problem(
    problem: { readonly status: number; readonly [member: string]: unknown },
    init?: ResponseInit,
  ): HttpResponse {
    return make(
      jsonText(problem),
      withStatus(init ?? problem.status, problem.status),
      'application/problem+json',
    )
  }

  /** Hands the connection over once the answer has gone through `deliver` (RFC 9110 section 7.8). */
  static upgrade(options: UpgradeOptions, handler: UpgradeHandler): HttpResponse {
    if (!isToken(options.protocol.replace('/', ''))) {
      throw new TypeError(
        `upgrade: protocol must be a token such as "websocket", got ${describe(options.protocol)}`,
      )
    }
    const response = new HttpResponse(200, null, options.headers)
    response.#status = 101
    response.upgradeProtocol = options.protocol
    response.upgradeHandler = handler
    response.upgradeRaw = options.raw ?? false
    return response
  }

  /** @internal The same as a 304: what describes the representation goes, what a cache must learn stays. */
  notModified(): HttpResponse {
    const fork = this.fork()
    fork.#body = null
    fork.#status = 304
    fork.declaredLength = null
    // RFC 9110 section 15.4.5: the other representation metadata is of no use to a client that has it already.
    for (const name of [
      'content-type',
      'content-encoding',
      'content-language',
      'last-modified',
      'accept-ranges',
    ]) {
      if (name !== 'last-modified' || fork.field('etag') !== undefined) fork.delete(name)
    }
    return fork
  }
}

function make(body: ResponseBody, init: ResponseInit | undefined, type?: string): HttpResponse {
  const { status = 200, headers = undefined } = typeof init === 'number' ? { status: init } : (init ?? {})
  const response = new HttpResponse(status, body, headers)
  if (type !== undefined && response.field('content-type') === undefined) response.set('content-type', type)
  return response
}

function withStatus(init: ResponseInit, status: number): ResponseInit {
  return typeof init === 'number' ? init : { ...init, status: init.status ?? status }
}

function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`JSON has no form for ${describe(value)}`)
  return text
}

function suffixed(etag: string, tag: string): string {
  return etag.endsWith('"') ? `${etag.slice(0, -1)}-${tag}"` : etag
}

function lines(fields: readonly string[]): string {
  let text = ''
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`
  return text
}

function checkedStatus(status: number): number {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status
  throw new TypeError(`status must be an integer from 200 to 599, got ${describe(status)}`)
}

function checkedLength(length: number): number {
  if (Number.isSafeInteger(length) && length >= 0) return length
  throw new TypeError(`length must be a whole number of bytes, got ${describe(length)}`)
}

function checkedBody(body: ResponseBody): ResponseBody {
  if (isBody(body)) return body
  throw new TypeError(
    `a body must be null, a string, bytes, a file or an async iterable, got ${describe(body)}`,
  )
}

function sealedError(what: string): Error {
  return new TypeError(
    `${what} cannot change: this response was already given as an answer; taps change the fork they get`,
  )
}
