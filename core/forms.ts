import { decodeText, mediaType, mustBeUtf8 } from './body-text.ts'
import { HttpError } from './errors.ts'
import { tooLarge, tooMany } from './form-errors.ts'
import { MultipartReader } from './multipart-reader.ts'
import type { PartHead } from './part-head.ts'
import { Pieces } from './pieces.ts'

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
  /**
   * The value of a field, by the charset of its Content-Type, or a file as text in UTF-8.
   *
   * @throws HttpError 400 for a field that is not of its charset, 415 for an unknown one.
   */
  text(): Promise<string>
  bytes(): Promise<Buffer<ArrayBuffer>>
  /**
   * The bytes as they come; of a file once, before the next part is asked for, which passes over what is not read.
   *
   * @throws HttpError 413 for a file over its limit, 400 for a form that breaks off; Error for a file that was read.
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
 * The parts of a multipart form one after the other, as they come; memory holds one piece of the body at a time, and the
 * value of one field.
 *
 * @throws HttpError 400 for what is no such form, 413 over a limit; what the body throws.
 */
export async function* multipartParts(
  body: AsyncIterable<Uint8Array>,
  contentType: string,
  { fields = 1_000, files = 100, fieldBytes = 65_536, fileBytes }: FormLimits,
): AsyncGenerator<FormPart, void, undefined> {
  const reader = new MultipartReader(body, contentType)
  let fieldCount = 0
  let fileCount = 0
  for (let head = await reader.next(); head !== null; head = await reader.next()) {
    if (head.filename === null) {
      if (++fieldCount > fields) throw tooMany('fields', fields)
      yield new FieldPart(head, await whole(bounded(reader.content(), 'a field', fieldBytes)))
    } else {
      if (++fileCount > files) throw tooMany('files', files)
      yield new FilePart(head, bounded(reader.content(), 'a file', fileBytes))
    }
  }
}

/** A field, whose value has come with it. */
class FieldPart implements FormPart {
  readonly name: string
  readonly filename = null
  readonly type: string
  readonly #contentType: string | undefined
  readonly #value: Buffer<ArrayBuffer>

  constructor({ name, type, contentType }: PartHead, value: Buffer<ArrayBuffer>) {
    this.name = name
    this.type = type
    this.#contentType = contentType
    this.#value = value
  }

  async text(): Promise<string> {
    return decodeText(this.#value, this.#contentType)
  }

  async bytes(): Promise<Buffer<ArrayBuffer>> {
    return this.#value
  }

  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    yield this.#value
  }
}

/** A file, which comes as fast as it is read. */
class FilePart implements FormPart {
  readonly name: string
  readonly filename: string
  readonly type: string
  #content: AsyncIterable<Uint8Array> | null

  constructor({ name, filename, type }: PartHead, content: AsyncIterable<Uint8Array>) {
    this.name = name
    this.filename = filename!
    this.type = type
    this.#content = content
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString()
  }

  async bytes(): Promise<Buffer<ArrayBuffer>> {
    return await whole(this.stream())
  }

  stream(): AsyncIterable<Uint8Array> {
    const content = this.#content
    if (content === null) throw new Error('a file of a form can be read only once')
    this.#content = null
    return content
  }
}

/** What comes, up to a limit. */
async function* bounded(
  content: AsyncIterable<Uint8Array>,
  what: string,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const piece of content) {
    size += piece.length
    if (size > limit) throw tooLarge(what, limit)
    yield piece
  }
}

async function whole(content: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const pieces = new Pieces()
  for await (const piece of content) pieces.push(piece)
  return pieces.join() as Buffer<ArrayBuffer>
}
