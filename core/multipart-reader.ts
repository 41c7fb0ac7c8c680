import { invalidForm, tooLarge } from './form-errors.ts'
import { readParameters } from './parameters.ts'
import { type PartHead, readPartHead } from './part-head.ts'

/** Bytes of a part's header, its boundary's line included. */
const MOST_HEAD = 8_192

// RFC 2046 section 5.1.1.
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/

const CRLF = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')
const DASHES = Buffer.from('--')

/**
 * Reads a multipart body (RFC 2046 section 5.1) part by part, and asks for bytes only when somebody wants them. It holds
 * one piece of the body, and up to 8 kB of a part's header.
 */
export class MultipartReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #delimiter: Buffer
  // The first boundary needs no line before it.
  #rest: Buffer = CRLF
  /** What stands before the first boundary is passed over like content. */
  #isInContent = true
  #parts = 0
  #filling: Promise<void> | null = null

  /** @throws HttpError 400 for a Content-Type without a boundary that is one. */
  constructor(body: AsyncIterable<Uint8Array>, contentType: string) {
    const boundary = readParameters(contentType)?.parameters.get('boundary') ?? ''
    if (!BOUNDARY.test(boundary)) throw invalidForm('its Content-Type has no valid boundary')
    this.#source = body[Symbol.asyncIterator]()
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
  }

  /**
   * The head of the next part, null behind the last one. What nobody has read of the part before is passed over.
   *
   * @throws HttpError 400 for what is malformed or breaks off, 413 for a header that is too long.
   */
  async next(): Promise<PartHead | null> {
    this.#parts++
    while ((await this.#piece()) !== null);
    while (this.#rest.length < DASHES.length) await this.#fill()
    if (!this.#rest.subarray(0, DASHES.length).equals(DASHES)) return readPartHead(await this.#head())
    // Behind the end anything may stand; the message is to be read whole.
    while ((await this.#source.next()).done !== true);
    return null
  }

  /** The content of the part whose head was read last, as it comes. It fails once the next one was asked for. */
  async *content(part = this.#parts): AsyncGenerator<Buffer, void, undefined> {
    while (true) {
      const piece = part === this.#parts ? await this.#piece() : null
      if (part !== this.#parts) throw new Error('a part of a form is read before the next one is asked for')
      if (piece === null) return
      yield piece
    }
  }

  /** Null at the part's end. */
  async #piece(): Promise<Buffer | null> {
    while (this.#isInContent) {
      const end = this.#rest.indexOf(this.#delimiter)
      if (end !== -1) {
        this.#isInContent = false
        const piece = this.#take(end)
        this.#take(this.#delimiter.length)
        return piece.length > 0 ? piece : null
      }
      // The last bytes may be the beginning of a boundary.
      const sure = this.#rest.length - this.#delimiter.length + 1
      if (sure > 0) return this.#take(sure)
      await this.#fill()
    }
    return null
  }

  async #head(): Promise<Buffer> {
    let end = this.#rest.indexOf(HEAD_END)
    while (end === -1 && this.#rest.length < MOST_HEAD + HEAD_END.length) {
      await this.#fill()
      end = this.#rest.indexOf(HEAD_END)
    }
    if (end === -1 || end > MOST_HEAD) throw tooLarge('the header of a part', MOST_HEAD)
    const block = this.#take(end)
    this.#take(CRLF.length)
    // The empty line may belong to the next boundary: a part without content (RFC 2046 section 5.1.1).
    while (this.#rest.length < this.#delimiter.length) await this.#fill()
    if (!this.#rest.subarray(0, this.#delimiter.length).equals(this.#delimiter)) this.#take(CRLF.length)
    this.#isInContent = true
    return block
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }

  /** One at a time, for whoever needs it. */
  #fill(): Promise<void> {
    this.#filling ??= this.#more().finally(() => {
      this.#filling = null
    })
    return this.#filling
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done === true) throw invalidForm('it ends before its last boundary')
    this.#rest = Buffer.concat([this.#rest, value])
  }
}
