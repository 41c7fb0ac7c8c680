import { decodeText, mediaType, mustBeUtf8, parseJson } from './body-text.ts'
import { HttpError } from './errors.ts'
import {
  type FormLimits,
  type FormPart,
  formKind,
  multipartForm,
  multipartParts,
  urlencodedForm,
} from './forms.ts'
import type { ExchangeLimits } from './limits.ts'
import { Pieces } from './pieces.ts'

/** The transport behind a request body: asked for more only when somebody waits. */
export interface BodySource {
  /** Somebody waits for the next piece. The first call is the moment for `100 Continue`. */
  want(): void
}

/** What a request body needs to know of its request. */
export interface BodyFacts {
  readonly limits: ExchangeLimits
  readonly contentType: string | undefined
  /** The declared length, or null when only the end will tell. */
  readonly contentLength: number | null
}

type Waiter = (error: Error | null, piece: Uint8Array | null) => void

/**
 * The body of a request, read only as fast as the handler takes it. `json`, `text`, `bytes` and `form` remember
 * their bytes, so that a guard and a handler may both read; after `stream` they throw.
 */
export class RequestBody {
  readonly #facts: () => BodyFacts
  readonly #source: BodySource | null
  readonly #queue = new Pieces()
  #received = 0
  #ended: boolean
  #failure: Error | null = null
  #waiter: Waiter | null = null
  /** Pieces that were read for {@link bytes}: with a higher limit another reader goes on where one gave up. */
  readonly #pieces = new Pieces()
  #bytes: Buffer | null = null
  #collecting: Promise<void> | null = null
  #takenBy: 'stream' | 'bytes' | null = null
  #pulled = false
  /** Whether the source is being asked, and whether it has to be once more. */
  #isWanting = false
  #wantsMore = false
  #waitedSince = 0
  #waited = 0

  /** @internal A null source is a body without bytes, or one whose pieces are all pushed beforehand. */
  constructor(facts: () => BodyFacts, source: BodySource | null) {
    this.#facts = facts
    this.#source = source
    this.#ended = source === null
  }

  /** Whether the message has no body at all. */
  get isEmpty(): boolean {
    return this.#ended && this.#received === 0
  }

  /**
   * The body as JSON.
   *
   * @param options `limit` in bytes. Default: the `bodyBytes` limit of the request.
   * @throws HttpError 400 for what is not JSON, is nested deeper than 128 levels or has a key `__proto__`; 413 over the
   *   limit; 415 for a Content-Type that is not JSON, or not in UTF-8.
   */
  json(options?: { readonly limit?: number }): Promise<unknown> {
    return handled(this.#json(options))
  }

  /**
   * The body as text, by the charset of its Content-Type. Default: UTF-8.
   *
   * @throws HttpError 400 for bytes that are not of the charset, 413 over the limit, 415 for an unknown charset.
   */
  text(options?: { readonly limit?: number }): Promise<string> {
    return handled(this.#text(options))
  }

  /**
   * The body as bytes.
   *
   * @throws HttpError 413 over the limit; Error after {@link stream}.
   */
  bytes({ limit }: { readonly limit?: number } = {}): Promise<Buffer> {
    return handled(this.#whole(limit))
  }

  /**
   * The fields and files of a form, all in memory: `application/x-www-form-urlencoded` or `multipart/form-data`.
   *
   * @param options `limit` in bytes as for {@link json}, and how many fields and files.
   * @throws HttpError 400 for a form that cannot be read, 413 over a limit, 415 for another Content-Type.
   */
  form(options?: FormLimits & { readonly limit?: number }): Promise<FormData> {
    return handled(this.#form(options))
  }

  /**
   * The fields and files of a `multipart/form-data` form as they come, once: a file of any size passes through without
   * being held. The `bodyBytes` limit holds here too: raise it in `request.limits` before.
   *
   * @throws Error when the body was read before; while it flows HttpError 400, 413 and, for another Content-Type, 415.
   */
  parts(limits: FormLimits = {}): AsyncGenerator<FormPart, void, undefined> {
    const stream = this.stream()
    return this.#parts(stream, limits)
  }

  /**
   * The body as it flows, once. The `bodyBytes` limit holds here too: raise it in `request.limits` before.
   *
   * @throws Error when the body was read before; while it flows HttpError 413 over the limit.
   */
  stream(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#takenBy !== null) throw takenError(this.#takenBy)
    this.#takenBy = 'stream'
    return this.#flow()
  }

  /** @internal A piece came. What comes behind a failure is no part of a whole any more. */
  push(piece: Uint8Array): void {
    if (this.#failure !== null) return
    this.#received += piece.length
    // Whoever waits gets it as it is: also a piece without bytes, since nobody asks for another one.
    if (this.#waiter !== null) this.#answer(null, piece)
    else this.#queue.push(piece)
  }

  /** @internal The message ended. */
  end(): void {
    if (this.#failure !== null) return
    this.#ended = true
    this.#settle()
  }

  /** @internal Nothing more will come. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#settle()
  }

  /** @internal Whether all of it came: then nothing can fail it any more. */
  get hasEnded(): boolean {
    return this.#ended
  }

  /** @internal Whether a reader waits for bytes of the client. */
  get isWaiting(): boolean {
    return this.#waiter !== null
  }

  /** @internal Whether anybody has asked for a piece. */
  get isPulled(): boolean {
    return this.#pulled
  }

  /** @internal Bytes that came from the client. */
  get received(): number {
    return this.#received
  }

  /** @internal Bytes that came and that nobody took yet. */
  get queued(): number {
    return this.#queue.bytes
  }

  /** @internal Milliseconds that readers have spent waiting for the client; `now` is by the clock of deadlines. */
  waited(now: number): number {
    return this.#waited + (this.#waiter === null ? 0 : now - this.#waitedSince)
  }

  async #json(options?: { readonly limit?: number }): Promise<unknown> {
    const type = this.#facts().contentType
    if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json$/.test(mediaType(type))) {
      throw new HttpError(415, 'the body must be JSON (application/json)', { code: 'BODY_NOT_JSON' })
    }
    mustBeUtf8(type)
    return parseJson(decodeText(await this.#whole(options?.limit), undefined))
  }

  async #text(options?: { readonly limit?: number }): Promise<string> {
    return decodeText(await this.#whole(options?.limit), this.#facts().contentType)
  }

  async #form(options: FormLimits & { readonly limit?: number } = {}): Promise<FormData> {
    const { contentType } = this.#facts()
    const kind = formKind(contentType)
    const bytes = await this.#whole(options.limit)
    if (kind === 'multipart') return multipartForm(bytes, contentType!, options)
    return urlencodedForm(decodeText(bytes, undefined), options)
  }

  async *#parts(
    stream: AsyncIterable<Uint8Array>,
    limits: FormLimits,
  ): AsyncGenerator<FormPart, void, undefined> {
    const { contentType } = this.#facts()
    if (formKind(contentType) !== 'multipart')
      throw new HttpError(415, 'the body must be multipart/form-data', { code: 'BODY_NOT_FORM' })
    yield* multipartParts(stream, contentType!, limits)
  }

  async #whole(limit = this.#facts().limits.bodyBytes): Promise<Buffer> {
    if (this.#takenBy === 'stream') throw takenError('stream')
    this.#takenBy = 'bytes'
    // One reader at a time: the next one has what was read, and a limit of its own.
    while (this.#collecting !== null) await this.#collecting.catch(ignore)
    if (this.#bytes === null) await this.#collect(limit)
    const bytes = this.#bytes!
    if (limit !== 0 && bytes.length > limit) throw tooLarge(limit)
    return bytes
  }

  /** Takes all pieces, by callbacks: with a promise for each, a small body would cost more than its request. */
  #collect(limit: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const take: Waiter = (error, first) => {
      if (error === null && !this.#takeAll(first)) return this.#pull(limit, take)
      this.#collecting = null
      if (error !== null) return reject(error)
      this.#bytes = this.#pieces.join()
      resolve()
    }
    this.#collecting = promise
    this.#pull(limit, take)
    return promise
  }

  /** Takes a piece and those that are there; whether that was the last one. */
  #takeAll(first: Uint8Array | null): boolean {
    let piece: Uint8Array | null | undefined = first
    for (; piece !== null && piece !== undefined; piece = this.#queue.shift()) this.#pieces.push(piece)
    return piece === null || this.#ended
  }

  async *#flow(): AsyncGenerator<Uint8Array, void, undefined> {
    // Not before the first pull, so that whoever handed the stream on may still raise the limit.
    const limit = this.#facts().limits.bodyBytes
    for (let piece = await this.#next(limit); piece !== null; piece = await this.#next(limit)) yield piece
  }

  #next(limit: number): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.#pull(limit, (error, piece) => (error === null ? resolve(piece) : reject(error)))
    })
  }

  #pull(limit: number, waiter: Waiter): void {
    const size = Math.max(this.#received, this.#facts().contentLength ?? 0)
    if (limit !== 0 && size > limit) return waiter(tooLarge(limit), null)
    if (this.#waiter !== null) return waiter(new Error('request.body is being read by somebody else'), null)
    this.#pulled = true
    this.#waiter = waiter
    this.#waitedSince = performance.now()
    this.#settle()
    if (this.#waiter !== null) this.#want()
  }

  // A source may push at once, and a reader then asks for more within: that must not grow the stack with each piece.
  #want(): void {
    this.#wantsMore = true
    if (this.#isWanting) return
    this.#isWanting = true
    try {
      do {
        this.#wantsMore = false
        this.#source?.want()
      } while (this.#wantsMore && this.#waiter !== null)
    } finally {
      this.#isWanting = false
    }
  }

  #settle(): void {
    if (this.#waiter === null) return
    const piece = this.#queue.shift()
    if (piece !== undefined) this.#answer(null, piece)
    else if (this.#ended) this.#answer(null, null)
    else if (this.#failure !== null) this.#answer(this.#failure, null)
  }

  #answer(error: Error | null, piece: Uint8Array | null): void {
    const waiter = this.#waiter!
    this.#waiter = null
    this.#waited += performance.now() - this.#waitedSince
    waiter(error, piece)
  }
}

const ignore = (): void => undefined

/** A client that leaves may fail a body before its reader waits for it: that must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore)
  return promise
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `the body is larger than ${limit} bytes`, { code: 'BODY_TOO_LARGE' })
}

function takenError(by: 'stream' | 'bytes'): Error {
  const readers = by === 'stream' ? 'stream()' : 'json(), text(), bytes() or form()'
  return new Error(`request.body was already taken by ${readers}`)
}
