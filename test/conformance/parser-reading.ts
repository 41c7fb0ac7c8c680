import type { RefusalId } from '../../core/errors.ts'
import type { RequestHead } from '../../core/framing.ts'
import { Parser, type ParserEvents } from '../../core/parser.ts'
import { HEAD_BYTES, HEADERS, TARGET_BYTES } from './bytes.ts'
import type { NaiveRequest } from './naive-reader.ts'

const limits = { headBytes: HEAD_BYTES, headers: HEADERS, targetBytes: TARGET_BYTES }

/** What the parser makes of a text: requests with their ends, and how it stopped. */
export class ParserReading implements ParserEvents {
  readonly requests: NaiveRequest[] = []
  refusal: RefusalId | null = null
  #head: RequestHead | null = null
  #body = ''
  #trailers: readonly string[] = []
  #isComplete = false

  /** Reads a text that comes in two pieces. */
  constructor(text: string, cut: number) {
    const bytes = Buffer.from(text, 'latin1')
    const parser = new Parser(this, limits)
    this.#feed(parser, bytes.subarray(0, cut), 0)
    this.#feed(parser, bytes.subarray(cut), cut)
  }

  #feed(parser: Parser, chunk: Buffer, offset: number): void {
    for (let at = 0; at < chunk.length; ) {
      const next = parser.execute(chunk, at)
      if (next <= at) throw new Error(`the parser stands still at ${offset + at}`)
      at = next
      if (this.#isComplete) this.#complete(offset + at)
    }
  }

  #complete(end: number): void {
    const { method, target, fields } = this.#head!
    this.requests.push({ method, target, fields, body: this.#body, trailers: this.#trailers, end })
    this.#isComplete = false
    this.#body = ''
  }

  onBegin(): void {
    this.#mustNotBeOver()
  }

  onHead(head: RequestHead): void {
    this.#mustNotBeOver()
    this.#head = head
  }

  onBody(piece: Buffer): void {
    this.#mustNotBeOver()
    this.#body += piece.toString('latin1')
  }

  onEnd(trailers: readonly string[]): void {
    this.#mustNotBeOver()
    this.#trailers = trailers
    this.#isComplete = true
  }

  onRefused(id: RefusalId): void {
    this.#mustNotBeOver()
    this.refusal = id
  }

  #mustNotBeOver(): void {
    if (this.refusal !== null) throw new Error(`the parser read on behind ${this.refusal}`)
  }
}
