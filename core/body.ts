import { BodyFlow, tooLarge } from './body-flow.ts'
import { decodeText, mustBeJson, parseJson } from './body-text.ts'
import { HttpError } from './errors.ts'
import {
  type FormLimits,
  type FormPart,
  formKind,
  multipartForm,
  multipartParts,
  urlencodedForm,
} from './forms.ts'

/** One who reads the body as a whole. */
type WholeReader = (error: Error | null, bytes: Buffer | null) => void

/**
 * The body of a request, read only as fast as the handler takes it. `json`, `text`, `bytes` and `form` remember
 * their bytes, so that a guard and a handler may both read; after `stream` they throw.
 */
export class RequestBody extends BodyFlow {
  #bytes: Buffer | null = null
  #takenBy: 'stream' | 'bytes' | null = null
  /** Whether a reader collects, and those who look again when it is done: each has a limit of its own. */
  #isCollecting = false
  #behind: (() => void)[] = []

  /**
   * The body as JSON.
   *
   * @param options `limit` in bytes. Default: the `bodyBytes` limit of the request.
   * @throws HttpError 400 for what is not JSON, is nested deeper than 128 levels or has a key `__proto__`; 413 over the
   *   limit; 415 for a Content-Type that is not JSON, or not in UTF-8.
   */
  json(options?: { readonly limit?: number }): Promise<unknown> {
    return this.#read(options?.limit, mustBeJson, bytes => parseJson(decodeText(bytes, undefined)))
  }

  /**
   * The body as text, by the charset of its Content-Type. Default: UTF-8.
   *
   * @throws HttpError 400 for bytes that are not of the charset, 413 over the limit, 415 for an unknown charset.
   */
  text(options?: { readonly limit?: number }): Promise<string> {
    return this.#read(options?.limit, anything, decodeText)
  }

  /**
   * The body as bytes.
   *
   * @throws HttpError 413 over the limit; Error after {@link stream}.
   */
  bytes({ limit }: { readonly limit?: number } = {}): Promise<Buffer> {
    return this.#read(limit, anything, bytes => bytes)
  }

  /**
   * The fields and files of a form, all in memory: `application/x-www-form-urlencoded` or `multipart/form-data`.
   *
   * @param options `limit` in bytes as for {@link json}, and how many fields and files.
   * @throws HttpError 400 for a form that cannot be read, 413 over a limit, 415 for another Content-Type.
   */
  form(options: FormLimits & { readonly limit?: number } = {}): Promise<FormData> {
    return this.#read(options.limit, formKind, (bytes, type) =>
      formKind(type) === 'multipart'
        ? multipartForm(bytes, type!, options)
        : urlencodedForm(decodeText(bytes, undefined), options),
    )
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

  async *#parts(
    stream: AsyncIterable<Uint8Array>,
    limits: FormLimits,
  ): AsyncGenerator<FormPart, void, undefined> {
    const { contentType } = this.facts()
    if (formKind(contentType) !== 'multipart')
      throw new HttpError(415, 'the body must be multipart/form-data', { code: 'BODY_NOT_FORM' })
    yield* multipartParts(stream, contentType!, limits)
  }

  /**
   * Reads all, and makes something of it.
   *
   * @param check Looks at the Content-Type before anything is asked for.
   */
  #read<T>(
    limit: number | undefined,
    check: (contentType: string | undefined) => unknown,
    make: (bytes: Buffer, contentType: string | undefined) => T | Promise<T>,
  ): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      const { limits, contentType } = this.facts()
      check(contentType)
      this.#whole(limit ?? limits.bodyBytes, (error, bytes) => {
        if (error !== null) return reject(error)
        try {
          resolve(make(bytes!, contentType))
        } catch (thrown) {
          reject(thrown)
        }
      })
    })
    // A client that leaves may fail a body before its reader waits for it: that must not end the process.
    promise.catch(ignore)
    return promise
  }

  #whole(limit: number, reader: WholeReader): void {
    if (this.#takenBy === 'stream') return reader(takenError('stream'), null)
    this.#takenBy = 'bytes'
    if (this.#bytes !== null) return this.#give(this.#bytes, limit, reader)
    // One reader at a time: the next one has what was read, and a limit of its own.
    if (this.#isCollecting) return void this.#behind.push(() => this.#whole(limit, reader))
    this.#isCollecting = true
    this.collect(limit, error => {
      this.#isCollecting = false
      if (error !== null) reader(error, null)
      else {
        this.#bytes = this.join()
        this.#give(this.#bytes, limit, reader)
      }
      const behind = this.#behind
      this.#behind = []
      for (const again of behind) again()
    })
  }

  #give(bytes: Buffer, limit: number, reader: WholeReader): void {
    if (limit !== 0 && bytes.length > limit) reader(tooLarge(limit), null)
    else reader(null, bytes)
  }

  async *#flow(): AsyncGenerator<Uint8Array, void, undefined> {
    // Not before the first pull, so that whoever handed the stream on may still raise the limit.
    const limit = this.facts().limits.bodyBytes
    for (let piece = await this.#next(limit); piece !== null; piece = await this.#next(limit)) yield piece
  }

  #next(limit: number): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.pull(limit, (error, piece) => (error === null ? resolve(piece) : reject(error)))
    })
  }
}

const ignore = (): void => undefined

/** What is asked of a Content-Type where any will do. */
const anything = ignore

function takenError(by: 'stream' | 'bytes'): Error {
  const readers = by === 'stream' ? 'stream()' : 'json(), text(), bytes() or form()'
  return new Error(`request.body was already taken by ${readers}`)
}
