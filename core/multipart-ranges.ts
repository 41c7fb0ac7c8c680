import { FileSlice } from './file-slice.ts'
import { type ByteRange, contentRange, type Sliceable } from './range.ts'
import { bytesOf } from './response-body.ts'

interface Part extends ByteRange {
  readonly head: Buffer
}

/** Several parts of a body as one: multipart/byteranges (RFC 9110 section 14.6), made piece by piece. */
export class MultipartRanges {
  /** The media type, with a boundary that nobody can have put into the body. */
  readonly type: string
  /** Bytes of it all. */
  readonly length: number
  readonly #body: Sliceable
  readonly #parts: readonly Part[]
  readonly #end: Buffer

  /**
   * @param size Bytes of the body.
   * @param type The media type of the body, for each part.
   */
  constructor(body: Sliceable, ranges: readonly ByteRange[], size: number, type: string | undefined) {
    const boundary = crypto.randomUUID()
    const media = type === undefined ? '' : `content-type: ${type}\r\n`
    this.type = `multipart/byteranges; boundary=${boundary}`
    this.#body = body
    this.#parts = ranges.map(range => ({
      ...range,
      // There are readers that know a part by the line end before its boundary, and expect this order of fields.
      head: latin1(`\r\n--${boundary}\r\n${media}content-range: ${contentRange(range, size)}\r\n\r\n`),
    }))
    this.#end = latin1(`\r\n--${boundary}--\r\n`)
    const lengths = this.#parts.map(({ head, start, end }) => head.length + end - start + 1)
    this.length = lengths.reduce((sum, length) => sum + length, this.#end.length)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#body instanceof FileSlice) yield* this.#ofFile(this.#body)
    else yield* this.#ofBytes(bytesOf(this.#body))
    yield this.#end
  }

  *#ofBytes(bytes: Buffer): Generator<Uint8Array> {
    for (const { head, start, end } of this.#parts) {
      yield head
      yield bytes.subarray(start, end + 1)
    }
  }

  // One opening for all parts: they are of the same file, and many of them cost no more than one.
  async *#ofFile(slice: FileSlice): AsyncGenerator<Uint8Array> {
    const file = await slice.open()
    try {
      for (const { head, start, end } of this.#parts) {
        yield head
        yield* file.read(slice.start + start, slice.start + end + 1)
      }
    } finally {
      file.close()
    }
  }
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
