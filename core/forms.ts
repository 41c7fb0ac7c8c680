import type { BusboyFileStream, BusboyInstance } from '@fastify/busboy'
import { mediaType, mustBeUtf8 } from './body-text.ts'
import { asError, HttpError } from './errors.ts'

/** Limits of a form beside that of the whole body. */
export interface FormLimits {
  /** Fields that are no files. Default: 1,000. */
  readonly fields?: number | undefined
  /** Files. Default: 100. */
  readonly files?: number | undefined
  /** Bytes of one field's value. Default: 64 kB, in a multipart form. */
  readonly fieldBytes?: number | undefined
  /** Bytes of one file. Default: as many as the body may have. */
  readonly fileBytes?: number | undefined
}

/** One field or file of a multipart form (RFC 7578). */
export interface FormPart {
  readonly name: string
  /** The name of a file, without folders, as the client gave it: never a path to write to. Null for a plain field. */
  readonly filename: string | null
  /** The media type that the client says it is. Plain fields: `text/plain`. */
  readonly type: string
  /** The value of a field, or a file as text in UTF-8. */
  text(): Promise<string>
  bytes(): Promise<Buffer<ArrayBuffer>>
  /**
   * The bytes as they come, once. What is not read is skipped when the next part is asked for.
   *
   * @throws HttpError 413 for a file over its limit, 400 for a form that breaks off.
   */
  stream(): AsyncIterable<Uint8Array>
}

/** The kinds of body that are forms. */
export type FormKind = 'urlencoded' | 'multipart'

/**
 * Which form a body is.
 *
 * @throws HttpError 415 for another Content-Type, and for one in another charset.
 */
export function formKind(contentType: string | undefined): FormKind {
  const type = mediaType(contentType)
  if (type === 'multipart/form-data') return 'multipart'
  if (type === 'application/x-www-form-urlencoded') {
    mustBeUtf8(contentType)
    return 'urlencoded'
  }
  const kinds = 'application/x-www-form-urlencoded or multipart/form-data'
  throw new HttpError(415, `the body must be a form (${kinds})`, { code: 'BODY_NOT_FORM' })
}

/**
 * The fields of a form in a URL's notation.
 *
 * @throws HttpError 413 for more fields than the limit.
 */
export function urlencodedForm(text: string, { fields = 1_000 }: FormLimits): FormData {
  let count = text === '' ? 0 : 1
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) count++
  if (count > fields) throw tooMany('fields', fields)
  const form = new FormData()
  for (const [name, value] of new URLSearchParams(text)) form.append(name, value)
  return form
}

/** The fields and files of a multipart form, all in memory. */
export async function multipartForm(
  bytes: Uint8Array,
  contentType: string,
  limits: FormLimits,
): Promise<FormData> {
  const form = new FormData()
  for await (const part of multipartParts(once(bytes), contentType, limits)) {
    if (part.filename === null) form.append(part.name, await part.text())
    else form.append(part.name, new File([await part.bytes()], part.filename, { type: part.type }))
  }
  return form
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/**
 * The parts of a multipart form one after the other, as they come; memory holds one piece of the body at a time.
 *
 * @throws HttpError 400 for what is no such form, 413 over a limit; what the body throws.
 */
export async function* multipartParts(
  body: AsyncIterable<Uint8Array>,
  contentType: string,
  limits: FormLimits,
): AsyncGenerator<FormPart, void, undefined> {
  const { Busboy } = await import('@fastify/busboy')
  const reader = new PartReader(limits)
  const parser = parserOf(
    () => new Busboy({ headers: { 'content-type': contentType }, limits: forBusboy(limits) }),
  )
  reader.listen(parser)
  const feeding = feed(parser, body, reader)
  try {
    for (let part = await reader.next(); part !== null; part = await reader.next()) {
      yield part
      part.skip()
    }
  } finally {
    reader.fail(new Error('nobody reads the form any more'))
    await feeding
  }
}

function parserOf(make: () => BusboyInstance): BusboyInstance {
  try {
    return make()
  } catch (cause) {
    throw invalid(cause)
  }
}

const forBusboy = ({ fields = 1_000, files = 100, fieldBytes = 65_536, fileBytes }: FormLimits) => ({
  fields,
  files,
  fieldSize: fieldBytes,
  headerPairs: 32,
  headerSize: 8_192,
  ...(fileBytes === undefined ? {} : { fileSize: fileBytes }),
})

/** Gives the parser a piece when it has dealt with the one before. It never throws: the reader hears of failures. */
async function feed(
  parser: BusboyInstance,
  body: AsyncIterable<Uint8Array>,
  reader: PartReader,
): Promise<void> {
  try {
    for await (const piece of body) {
      await Promise.race([new Promise(resolve => parser.write(piece, resolve)), reader.failed])
      if (reader.isOver) return
    }
    parser.end()
  } catch (error) {
    reader.fail(asError(error))
  }
}

/** Turns what the parser tells into parts that somebody waits for. */
class PartReader {
  /** Settles when the form failed; never rejects. */
  readonly failed: Promise<void>
  readonly #limits: FormLimits
  readonly #parts: Part[] = []
  #failure: Error | null = null
  #hasEnded = false
  #wake: () => void = () => undefined
  #end: () => void = () => undefined
  #file: BusboyFileStream | null = null

  constructor(limits: FormLimits) {
    this.#limits = limits
    this.failed = new Promise(resolve => {
      this.#end = resolve
    })
  }

  get failure(): Error | null {
    return this.#failure
  }

  get isOver(): boolean {
    return this.#failure !== null || this.#hasEnded
  }

  listen(parser: BusboyInstance): void {
    const { fields = 1_000, files = 100, fieldBytes = 65_536 } = this.#limits
    parser.on('file', (name, stream, filename, _encoding, type) => this.#onFile(name, stream, filename, type))
    parser.on('field', (name, value, _short, isCut, _encoding, type) => {
      if (isCut) this.fail(tooLarge('a field', fieldBytes))
      else this.#push(new Part(this, { name, filename: null, type }, value))
    })
    parser.on('fieldsLimit', () => this.fail(tooMany('fields', fields)))
    parser.on('filesLimit', () => this.fail(tooMany('files', files)))
    parser.on('error', cause => this.fail(invalid(cause)))
    parser.on('finish', () => {
      this.#hasEnded = true
      this.#wake()
    })
  }

  /** The next part, or null behind the last one. */
  async next(): Promise<Part | null> {
    while (this.#parts.length === 0) {
      if (this.#failure !== null) throw this.#failure
      if (this.#hasEnded) return null
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.#parts.shift()!
  }

  fail(error: Error): void {
    if (this.isOver) return
    this.#failure = error
    this.#file?.destroy(error)
    this.#end()
    this.#wake()
  }

  #onFile(name: string, stream: BusboyFileStream, filename: string | undefined, type: string): void {
    // Also of a file that nobody reads: an error without a listener would end the process.
    stream.on('error', cause => this.fail(cause instanceof HttpError ? cause : invalid(cause)))
    stream.on('limit', () => stream.destroy(tooLarge('a file', this.#limits.fileBytes ?? 0)))
    stream.on('close', () => {
      if (this.#file === stream) this.#file = null
    })
    this.#file = stream
    this.#push(new Part(this, { name, filename: filename ?? '', type }, stream))
  }

  // A part that has no name cannot be told from others (RFC 7578 section 4.2).
  #push(part: Part): void {
    if (part.name === undefined) return this.fail(invalid(new Error('a part has no name')))
    this.#parts.push(part)
    this.#wake()
  }
}

class Part implements FormPart {
  readonly name: string
  readonly filename: string | null
  readonly type: string
  readonly #reader: PartReader
  readonly #value: string | BusboyFileStream

  constructor(
    reader: PartReader,
    { name, filename, type }: Pick<FormPart, 'name' | 'filename' | 'type'>,
    value: string | BusboyFileStream,
  ) {
    this.name = name
    this.filename = filename
    this.type = type
    this.#reader = reader
    this.#value = value
  }

  async text(): Promise<string> {
    return typeof this.#value === 'string' ? this.#value : (await this.bytes()).toString()
  }

  async bytes(): Promise<Buffer<ArrayBuffer>> {
    if (typeof this.#value === 'string') return Buffer.from(this.#value)
    const pieces: Uint8Array[] = []
    for await (const piece of this.stream()) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    if (typeof this.#value === 'string') return yield Buffer.from(this.#value)
    try {
      yield* this.#value as AsyncIterable<Uint8Array>
    } catch (error) {
      // The stream has what busboy says; the reader has made an answer of it.
      throw this.#reader.failure ?? error
    }
  }

  /** Lets the bytes that nobody read go by. */
  skip(): void {
    if (typeof this.#value !== 'string') this.#value.resume()
  }
}

function invalid(cause: unknown): HttpError {
  return new HttpError(400, 'the body is not a valid multipart form', { code: 'BODY_INVALID_FORM', cause })
}

function tooMany(what: string, limit: number): HttpError {
  return new HttpError(413, `the form has more than ${limit} ${what}`, { code: 'BODY_TOO_LARGE' })
}

function tooLarge(what: string, limit: number): HttpError {
  return new HttpError(413, `${what} of the form is larger than ${limit} bytes`, { code: 'BODY_TOO_LARGE' })
}
