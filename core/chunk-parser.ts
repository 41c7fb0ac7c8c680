import {
  EXTENSION_BEGIN,
  mayEndExtension,
  NO_EXTENSION,
  nextInExtension,
  SIZE_SPACE,
} from './chunk-extension.ts'
import type { RefusalId } from './errors.ts'
import { HEX } from './head-syntax.ts'
import type { ParserEvents } from './parser.ts'

const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const COMPLETE = 6

const LF = 0x0a
const CR = 0x0d
const HTAB = 0x09
const SPACE = 0x20
const SEMICOLON = 0x3b

/** Chunk extensions of one message, white space too. No use of them is known but padding an attack. */
const EXTENSION_BYTES = 1_024
/** Digits of a chunk size: 2^48 bytes, well within a safe integer. */
const SIZE_DIGITS = 12

const empty = Buffer.alloc(0)

/**
 * Reads one chunked body (RFC 9112 section 7.1) up to the line of its last chunk; the trailers behind it are fields.
 *
 * Each state is a method that reads on from `position` and gives false when there is no more to read: the bytes ran
 * out, the body ended, or it was refused.
 */
export class ChunkParser {
  /** Why the body is refused, if it is. */
  refusal: RefusalId | null = null
  readonly #events: Pick<ParserEvents, 'onBody'>
  #state = SIZE
  #bytes: Buffer = empty
  #position = 0
  /** The size of the chunk as far as it was read, then the bytes of it that are still to come. */
  #remaining = 0
  #digits = 0
  /** Where within the grammar of extensions the parser is. */
  #extension = EXTENSION_BEGIN
  #extensionBytes = 0

  constructor(events: Pick<ParserEvents, 'onBody'>) {
    this.#events = events
  }

  /** Whether the line of the last chunk was read. */
  get isComplete(): boolean {
    return this.#state === COMPLETE
  }

  /** Reads on from `from`, to the end of the bytes or of the body. Gives the position up to which was read. */
  read(bytes: Buffer, from: number): number {
    this.#bytes = bytes
    this.#position = from
    while (this.#position < bytes.length && this.#step());
    this.#bytes = empty
    return this.#position
  }

  #step(): boolean {
    switch (this.#state) {
      case SIZE:
        return this.#size()
      case EXTENSION:
        return this.#readExtension()
      case SIZE_LF:
        return this.#expect(LF, this.#remaining === 0 ? COMPLETE : DATA, 'H1-BARE-CR')
      case DATA:
        return this.#data()
      case DATA_CR:
        return this.#expect(CR, DATA_LF, 'H1-CHUNK-END')
      case DATA_LF:
        return this.#expect(LF, SIZE, 'H1-CHUNK-END')
      default:
        return false
    }
  }

  #size(): boolean {
    for (; this.#position < this.#bytes.length; this.#position++) {
      const byte = this.#bytes[this.#position]!
      const value = HEX[byte]!
      if (value < 0) return this.#sizeEnd(byte)
      if (++this.#digits > SIZE_DIGITS) return this.#refuse('H1-CHUNK-SIZE')
      this.#remaining = this.#remaining * 16 + value
    }
    return false
  }

  #sizeEnd(byte: number): boolean {
    if (this.#digits === 0) return this.#refuse('H1-CHUNK-SIZE')
    this.#digits = 0
    if (byte === CR) return this.#next(SIZE_LF)
    if (byte === SEMICOLON) return this.#beginExtension(EXTENSION_BEGIN)
    if (byte === SPACE || byte === HTAB) return this.#beginExtension(SIZE_SPACE)
    return this.#refuse(byte === LF ? 'H1-BARE-LF' : 'H1-CHUNK-SIZE')
  }

  #beginExtension(state: number): true {
    this.#extension = state
    return this.#next(EXTENSION)
  }

  // What extensions say is ignored; how they are written is not. Recipients that read faulty ones each in their own
  // way end the line in different places (CVE-2025-55315).
  #readExtension(): boolean {
    for (; this.#position < this.#bytes.length; this.#position++) {
      const byte = this.#bytes[this.#position]!
      const state = this.#extension
      if (byte === CR && mayEndExtension(state)) return this.#next(SIZE_LF)
      if (byte === LF) return this.#refuse('H1-BARE-LF')
      this.#extension = nextInExtension(state, byte)
      if (this.#extension === NO_EXTENSION)
        return this.#refuse(state === SIZE_SPACE ? 'H1-CHUNK-SIZE' : 'H1-CHUNK-EXT')
      if (++this.#extensionBytes > EXTENSION_BYTES) return this.#refuse('H1-CHUNK-EXT')
    }
    return false
  }

  #data(): boolean {
    const start = this.#position
    const end = Math.min(start + this.#remaining, this.#bytes.length)
    this.#position = end
    this.#remaining -= end - start
    if (this.#remaining === 0) this.#state = DATA_CR
    this.#events.onBody(this.#bytes.subarray(start, end))
    return true
  }

  #expect(byte: number, state: number, id: RefusalId): boolean {
    return this.#bytes[this.#position] === byte ? this.#next(state) : this.#refuse(id)
  }

  #next(state: number): true {
    this.#state = state
    this.#position++
    return true
  }

  #refuse(id: RefusalId): false {
    this.refusal = id
    return false
  }
}
