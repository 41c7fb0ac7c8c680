import type { RefusalId } from './errors.ts'
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  emptyHead,
  frame,
  isRefusedTrailer,
  isTargetForm,
  type RequestHead,
} from './framing.ts'
import { FIELD_VALUE, fieldName, HEX, TOKEN, VISIBLE } from './head-syntax.ts'

/** What a parser tells, in the order of the bytes. */
export interface ParserEvents {
  /** The first byte of a head came. */
  onBegin(): void
  onHead(head: RequestHead): void
  /** A piece of the body: a view of the chunk that was fed, no copy. */
  onBody(piece: Buffer): void
  /** The message is complete. Flat trailer fields, empty without any. */
  onEnd(trailers: readonly string[]): void
  /** The message is refused. Nothing after it is ever read. */
  onRefused(id: RefusalId, head: RequestHead): void
}

export interface ParserLimits {
  readonly headBytes: number
  readonly headers: number
  readonly targetBytes: number
}

const START = 0
const METHOD = 1
const TARGET = 2
const VERSION = 3
const LINE_LF = 4
const FIELD_START = 5
const FIELD_NAME = 6
const VALUE_START = 7
const VALUE = 8
const VALUE_LF = 9
const HEAD_LF = 10
const BODY = 11
const CHUNK_SIZE = 12
const CHUNK_EXT = 13
const CHUNK_LF = 14
const CHUNK_DATA = 15
const CHUNK_DATA_CR = 16
const CHUNK_DATA_LF = 17
const REFUSED = 18

const HTAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const SEMICOLON = 0x3b
const TLS_HANDSHAKE = 0x16

/** Nothing that has a method this long is a method: the longest registered one has 17 letters. */
const METHOD_BYTES = 32
/** Chunk extensions of one message. No use of them is known but padding an attack. */
const EXTENSION_BYTES = 1_024
/** Digits of a chunk size: 2^48 bytes, well within a safe integer. */
const SIZE_DIGITS = 12

const nothing: readonly string[] = Object.freeze([])
const empty = Buffer.alloc(0)

/**
 * Reads HTTP/1.1 requests (RFC 9112) from bytes that may be cut anywhere. No I/O: `execute` is fed and tells its
 * events. A head that arrives in one chunk is read in place; one in pieces is gathered up to its limit.
 *
 * Each state is a method that reads on from `position` and gives false when it has run out of bytes.
 */
export class Parser {
  readonly #events: ParserEvents
  readonly #limits: ParserLimits
  #state = START
  #head: RequestHead = emptyHead()
  /** The bytes that are read: the chunk, or what was gathered of a head. */
  #bytes: Buffer = empty
  #position = 0
  #end = 0
  /** Where the head, or trailer section, began. */
  #base = 0
  /** Where the token that is read began. */
  #mark = 0
  /** The head's bytes of earlier chunks; empty when none are waiting. */
  #gathered: Buffer = empty
  #gatheredLength = 0
  #name = ''
  #trailers: string[] | null = null
  #emptyLines = 0
  /** Body bytes, or bytes of this chunk, that are still to come. */
  #remaining = 0
  #digits = 0
  #extension = 0
  #atEnd = false

  constructor(events: ParserEvents, limits: ParserLimits) {
    this.#events = events
    this.#limits = limits
  }

  /** Whether a message has begun and is not complete. */
  get isInMessage(): boolean {
    return this.#state !== START && this.#state !== REFUSED
  }

  /** Whether a head has begun and is not complete. */
  get isInHead(): boolean {
    return this.#state > START && this.#state < BODY && this.#trailers === null
  }

  /** Whether a message was refused: no byte is read any more. */
  get isRefused(): boolean {
    return this.#state === REFUSED
  }

  /** What was read of the head so far: for an answer to one that never became complete. */
  get partialHead(): RequestHead {
    return this.#head
  }

  /**
   * Reads on from `from` to the end of the chunk, of the message, or of what can be accepted.
   *
   * @returns The position up to which the chunk was read.
   */
  execute(chunk: Buffer, from: number): number {
    const gathered = this.#gatheredLength
    if (gathered === 0) {
      this.#bytes = chunk
      this.#position = from
      this.#base = from
      this.#mark = from
      this.#end = chunk.length
    } else this.#gather(chunk, from)
    this.#atEnd = false
    while (!this.#atEnd && this.#state !== REFUSED && this.#step());
    if (this.#state === REFUSED) {
      this.#release()
      return chunk.length
    }
    const isIncomplete = this.#state > START && this.#state <= HEAD_LF
    const read = isIncomplete ? this.#end : this.#position
    if (isIncomplete) this.#keep()
    else this.#release()
    return gathered === 0 ? read : read - gathered + from
  }

  #step(): boolean {
    if (this.#state >= BODY) return this.#stepBody()
    switch (this.#state) {
      case START:
        return this.#start()
      case METHOD:
        return this.#method()
      case TARGET:
        return this.#target()
      case VERSION:
        return this.#version()
      case LINE_LF:
        return this.#expectLf(FIELD_START)
      case FIELD_START:
        return this.#fieldStart()
      case FIELD_NAME:
        return this.#fieldName()
      case VALUE_START:
        return this.#valueStart()
      case VALUE:
        return this.#value()
      case VALUE_LF:
        return this.#expectLf(FIELD_START)
      default:
        return this.#headLf()
    }
  }

  #stepBody(): boolean {
    switch (this.#state) {
      case BODY:
        return this.#body()
      case CHUNK_SIZE:
        return this.#chunkSize()
      case CHUNK_EXT:
        return this.#chunkExtension()
      case CHUNK_LF:
        return this.#chunkLf()
      case CHUNK_DATA:
        return this.#chunkData()
      case CHUNK_DATA_CR:
        return this.#expect(CR, CHUNK_DATA_LF, 'H1-CHUNK-END')
      default:
        return this.#expect(LF, CHUNK_SIZE, 'H1-CHUNK-END')
    }
  }

  // RFC 9112 section 2.2: one empty line before a request is forgiven, for old clients that sent one too many.
  #start(): boolean {
    if (this.#position >= this.#end) return false
    const byte = this.#bytes[this.#position]
    if (byte === CR && this.#emptyLines === 0) {
      this.#emptyLines = 1
      this.#position++
      return true
    }
    if (this.#emptyLines === 1) {
      if (byte !== LF) return this.#refuse('H1-BARE-CR')
      this.#emptyLines = 2
      this.#position++
      return true
    }
    if (byte === CR) return this.#refuse('H1-EMPTY-LINES')
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    this.#head = emptyHead()
    this.#trailers = null
    this.#base = this.#position
    this.#mark = this.#position
    this.#events.onBegin()
    if (byte === TLS_HANDSHAKE) return this.#refuse('H1-TLS-HELLO')
    this.#state = METHOD
    return true
  }

  #method(): boolean {
    const end = Math.min(this.#end, this.#mark + METHOD_BYTES)
    const at = this.#skip(TOKEN, end)
    if (at === this.#end) return false
    if (at === end || at === this.#mark || this.#bytes[at] !== SPACE) return this.#refuse(this.#badMethod(at))
    this.#head.method = methodName(this.#bytes, this.#mark, at)
    return this.#next(TARGET, at + 1)
  }

  #badMethod(at: number): RefusalId {
    const byte = this.#bytes[at]
    if (byte === LF) return 'H1-BARE-LF'
    return byte === CR ? 'H1-REQUEST-LINE' : 'H1-METHOD'
  }

  #target(): boolean {
    const limit = this.#mark + this.#limits.targetBytes + 1
    const end = Math.min(this.#end, limit, this.#headEnd)
    const at = this.#skip(VISIBLE, end)
    if (at === limit) return this.#refuse('H1-TARGET-LONG')
    if (at === end) return this.#outOfBytes()
    if (at === this.#mark) return this.#refuse('H1-REQUEST-LINE')
    const byte = this.#bytes[at]
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte === CR) return this.#refuse('H1-REQUEST-LINE')
    if (byte !== SPACE) return this.#refuse('H1-TARGET-CHAR')
    this.#head.target = this.#text(at)
    return this.#next(VERSION, at + 1)
  }

  #version(): boolean {
    const end = Math.min(this.#end, this.#mark + 9, this.#headEnd)
    const at = this.#skip(VISIBLE, end)
    if (at === end && at < this.#mark + 9) return this.#outOfBytes()
    const version = this.#text(at)
    const byte = this.#bytes[at]
    if (!/^HTTP\/\d\.\d$/.test(version)) return this.#refuse(byte === LF ? 'H1-BARE-LF' : 'H1-VERSION')
    if (version.charCodeAt(5) !== 0x31)
      return this.#refuse(this.#isPreface() ? 'H1-H2-PREFACE' : 'H1-VERSION-MAJOR')
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte !== CR) return this.#refuse('H1-REQUEST-LINE')
    // RFC 9110 section 2.5: a higher minor version is read as the highest one that we know.
    this.#head.minor = version.charCodeAt(7) === 0x30 ? 0 : 1
    if (!isTargetForm(this.#head.method, this.#head.target)) return this.#refuse('H1-TARGET-FORM')
    return this.#next(LINE_LF, at + 1)
  }

  // RFC 9113 section 3.4.
  #isPreface(): boolean {
    return (
      this.#head.method === 'PRI' && this.#head.target === '*' && this.#text(this.#position) === 'HTTP/2.0'
    )
  }

  #fieldStart(): boolean {
    if (this.#position >= this.#end) return false
    if (this.#position >= this.#headEnd) return this.#refuse('H1-HEAD-LARGE')
    const byte = this.#bytes[this.#position]
    if (byte === CR) return this.#next(HEAD_LF, this.#position + 1)
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte === SPACE || byte === HTAB) return this.#refuse('H1-FIELD-FOLD')
    const fields = this.#trailers ?? this.#head.fields
    if (fields.length >= this.#limits.headers * 2) return this.#refuse('H1-HEAD-COUNT')
    return this.#next(FIELD_NAME, this.#position)
  }

  #fieldName(): boolean {
    const end = Math.min(this.#end, this.#headEnd)
    const at = this.#skip(TOKEN, end)
    if (at === end) return this.#outOfBytes()
    const byte = this.#bytes[at]
    if (byte === SPACE || byte === HTAB) return this.#refuse('H1-FIELD-SPACE')
    if (byte !== COLON || at === this.#mark) return this.#refuse(byte === LF ? 'H1-BARE-LF' : 'H1-FIELD-NAME')
    this.#name = fieldName(this.#bytes, this.#mark, at)
    if (this.#trailers !== null && isRefusedTrailer(this.#name)) return this.#refuse('H1-TRAILER-FIELD')
    return this.#next(VALUE_START, at + 1)
  }

  #valueStart(): boolean {
    const end = Math.min(this.#end, this.#headEnd)
    let at = this.#position
    while (at < end && (this.#bytes[at] === SPACE || this.#bytes[at] === HTAB)) at++
    this.#position = at
    return at === end ? this.#outOfBytes() : this.#next(VALUE, at)
  }

  #value(): boolean {
    const end = Math.min(this.#end, this.#headEnd)
    const at = this.#skip(FIELD_VALUE, end)
    if (at === end) return this.#outOfBytes()
    const byte = this.#bytes[at]
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte !== CR) return this.#refuse('H1-FIELD-VALUE')
    const fields = this.#trailers ?? this.#head.fields
    fields.push(this.#name, this.#text(this.#trimmed(at)))
    return this.#next(VALUE_LF, at + 1)
  }

  #trimmed(end: number): number {
    while (end > this.#mark && (this.#bytes[end - 1] === SPACE || this.#bytes[end - 1] === HTAB)) end--
    return end
  }

  #headLf(): boolean {
    if (!this.#expectLf(BODY)) return false
    const trailers = this.#trailers
    if (trailers !== null) return this.#finish(trailers)
    const refusal = frame(this.#head)
    if (refusal !== null) return this.#refuse(refusal)
    this.#events.onHead(this.#head)
    if (this.#head.framing === BODY_LENGTH) {
      this.#remaining = this.#head.contentLength!
      return true
    }
    if (this.#head.framing !== BODY_CHUNKED) return this.#finish(nothing)
    this.#extension = 0
    return this.#beginChunk()
  }

  #body(): boolean {
    if (!this.#take()) return false
    return this.#remaining > 0 || this.#finish(nothing)
  }

  #beginChunk(): true {
    this.#state = CHUNK_SIZE
    this.#remaining = 0
    this.#digits = 0
    return true
  }

  #chunkSize(): boolean {
    for (; this.#position < this.#end; this.#position++) {
      const value = HEX[this.#bytes[this.#position]!]!
      if (value < 0) return this.#chunkSizeEnd(this.#bytes[this.#position]!)
      if (++this.#digits > SIZE_DIGITS) return this.#refuse('H1-CHUNK-SIZE')
      this.#remaining = this.#remaining * 16 + value
    }
    return false
  }

  #chunkSizeEnd(byte: number): boolean {
    if (this.#digits === 0) return this.#refuse('H1-CHUNK-SIZE')
    if (byte === CR) return this.#next(CHUNK_LF, this.#position + 1)
    if (byte === SEMICOLON) return this.#next(CHUNK_EXT, this.#position + 1)
    return this.#refuse(byte === LF ? 'H1-BARE-LF' : 'H1-CHUNK-SIZE')
  }

  // Extensions are read over. A quoted string cannot hold CR or LF either, so no quote needs to be looked at.
  #chunkExtension(): boolean {
    for (; this.#position < this.#end; this.#position++) {
      const byte = this.#bytes[this.#position]!
      if (byte === CR) return this.#next(CHUNK_LF, this.#position + 1)
      if (byte === LF) return this.#refuse('H1-BARE-LF')
      if (FIELD_VALUE[byte] === 0 || ++this.#extension > EXTENSION_BYTES) return this.#refuse('H1-CHUNK-EXT')
    }
    return false
  }

  #chunkLf(): boolean {
    if (!this.#expectLf(CHUNK_DATA)) return false
    if (this.#remaining > 0) return true
    this.#trailers = []
    this.#base = this.#position
    return this.#next(FIELD_START, this.#position)
  }

  #chunkData(): boolean {
    if (!this.#take()) return false
    if (this.#remaining === 0) {
      this.#state = CHUNK_DATA_CR
      this.#digits = 0
    }
    return true
  }

  /** Tells as much of the body as there is; false when there is none. */
  #take(): boolean {
    const size = Math.min(this.#remaining, this.#end - this.#position)
    if (size === 0) return false
    const piece = this.#bytes.subarray(this.#position, this.#position + size)
    this.#position += size
    this.#remaining -= size
    this.#events.onBody(piece)
    return true
  }

  /** The message is complete: `execute` ends here, so that whoever reads can stop between two messages. */
  #finish(trailers: readonly string[]): false {
    this.#state = START
    this.#emptyLines = 0
    this.#atEnd = true
    this.#trailers = null
    this.#events.onEnd(trailers)
    return false
  }

  #refuse(id: RefusalId): false {
    this.#state = REFUSED
    this.#events.onRefused(id, this.#head)
    return false
  }

  #next(state: number, position: number): true {
    this.#state = state
    this.#position = position
    this.#mark = position
    return true
  }

  #expectLf(state: number): boolean {
    return this.#expect(LF, state, 'H1-BARE-CR')
  }

  #expect(byte: number, state: number, id: RefusalId): boolean {
    if (this.#position >= this.#end) return false
    if (this.#bytes[this.#position] !== byte) return this.#refuse(id)
    return this.#next(state, this.#position + 1)
  }

  /** Where the first byte is that is not in a table; the position moves there, so that no byte is read twice. */
  #skip(table: Uint8Array, end: number): number {
    const bytes = this.#bytes
    let at = this.#position
    while (at < end && table[bytes[at]!] === 1) at++
    this.#position = at
    return at
  }

  /** Nothing left to read: because the chunk ended, or because the head may not be longer. */
  #outOfBytes(): false {
    if (this.#position >= this.#headEnd) return this.#refuse('H1-HEAD-LARGE')
    return false
  }

  get #headEnd(): number {
    return this.#base + this.#limits.headBytes
  }

  #text(end: number): string {
    return this.#bytes.toString('latin1', this.#mark, end)
  }

  /** Keeps the bytes of an incomplete head, with room to grow, so that many small pieces cost no more than one. */
  #keep(): void {
    const length = this.#end - this.#base
    if (this.#bytes !== this.#gathered || this.#base !== 0) {
      this.#gathered = Buffer.allocUnsafeSlow(Math.max(512, length * 2))
      this.#bytes.copy(this.#gathered, 0, this.#base, this.#end)
      this.#position -= this.#base
      this.#mark -= this.#base
      this.#base = 0
    }
    this.#gatheredLength = length
    this.#bytes = this.#gathered
  }

  #gather(chunk: Buffer, from: number): void {
    const room = this.#limits.headBytes + 2 - this.#gatheredLength
    const size = Math.min(chunk.length - from, Math.max(room, 2))
    const length = this.#gatheredLength + size
    if (length > this.#gathered.length) {
      const larger = Buffer.allocUnsafeSlow(length * 2)
      this.#gathered.copy(larger, 0, 0, this.#gatheredLength)
      this.#gathered = larger
    }
    chunk.copy(this.#gathered, this.#gatheredLength, from, from + size)
    this.#bytes = this.#gathered
    this.#end = length
  }

  #release(): void {
    this.#bytes = empty
    this.#gathered = empty
    this.#gatheredLength = 0
  }
}

function methodName(bytes: Buffer, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54)
    return 'GET'
  return bytes.toString('latin1', start, end)
}
