import type { RefusalId } from './errors.ts'
import { isRefusedTrailer, RequestHead } from './framing.ts'
import { FIELD_VALUE, fieldName, httpVersion, TARGET, TOKEN, VISIBLE } from './head-syntax.ts'
import type { ParserLimits } from './parser.ts'
import { shortList } from './short-list.ts'

const METHOD = 0
const TARGET_TEXT = 1
const VERSION = 2
const LINE_LF = 3
const FIELD_START = 4
const FIELD_NAME = 5
const VALUE = 6
const LAST_LF = 7
const COMPLETE = 8

const HTAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a

/** RFC 9112 section 3: a method longer than any that is known is 501. The longest registered one has 17 letters. */
const METHOD_BYTES = 32
const VERSION_BYTES = 8
/** The least room that is made for a head in pieces. */
const HEAD_ROOM = 512

const empty = Buffer.alloc(0)
/** What is held between messages, so that an idle connection keeps no head alive. Never written to. */
const noHead = new RequestHead()
/**
 * Begin and end of the values that are read but not made into strings yet. Shared: it is empty whenever `read`
 * returns.
 */
const spans: number[] = []

/**
 * Reads the head of a request, or a trailer section (RFC 9112 sections 2.2 to 5), from bytes that may be cut
 * anywhere. One that arrives in one chunk is read in place; one in pieces is gathered up to its limit.
 *
 * Each state is a method that reads on from `position` and gives false when there is no more to read: the bytes ran
 * out, or the head was refused.
 */
export class HeadParser {
  /** Why the head is refused, if it is. */
  refusal: RefusalId | null = null
  #limits: ParserLimits
  #state = COMPLETE
  #head = noHead
  /** Where fields go: those of the head, or of the trailer section. */
  #fields = noHead.fields
  #inTrailers = false
  /** The bytes that are read: the chunk, or what was gathered. */
  #bytes: Buffer = empty
  #position = 0
  #end = 0
  /** As far as may be read: the end of the bytes, or of what a head may have. */
  #stop = 0
  /** Where the head began. */
  #base = 0
  /** Where the token that is read began. */
  #mark = 0
  /** The bytes of earlier chunks; empty when none are waiting. */
  #gathered: Buffer = empty
  #gatheredLength = 0
  #pending = 0
  #name = ''

  constructor(limits: ParserLimits) {
    this.#limits = limits
  }

  /** Other limits hold from the next head on. */
  limit(limits: ParserLimits): void {
    this.#limits = limits
  }

  /** Whether everything up to the empty line was read. */
  get isComplete(): boolean {
    return this.#state === COMPLETE
  }

  /** The head, as far as it was read. */
  get head(): RequestHead {
    return this.#head
  }

  /** The fields of the head, or of the trailer section, in wire order. */
  get fields(): readonly string[] {
    return this.#fields
  }

  beginHead(): void {
    this.#head = new RequestHead()
    this.#fields = this.#head.fields
    this.#inTrailers = false
    this.#state = METHOD
  }

  beginTrailers(): void {
    this.#fields = shortList()
    this.#inTrailers = true
    this.#state = FIELD_START
  }

  /** Lets go of what was read. */
  forget(): void {
    this.#head = noHead
    this.#fields = noHead.fields
  }

  /** Reads on from `from`, to the end of the chunk or of the head. Gives the position up to which was read. */
  read(chunk: Buffer, from: number): number {
    const kept = this.#gatheredLength
    if (kept === 0) this.#load(chunk, from)
    else this.#gather(chunk, from)
    this.#stop = Math.min(this.#end, this.#base + this.#limits.headBytes)
    while (this.#step());
    this.#decode()
    const read = kept === 0 ? this.#position : this.#position - kept + from
    if (this.#state === COMPLETE || this.refusal !== null) this.#release()
    else this.#keep()
    return read
  }

  #step(): boolean {
    switch (this.#state) {
      case METHOD:
        return this.#method()
      case TARGET_TEXT:
        return this.#target()
      case VERSION:
        return this.#version()
      case LINE_LF:
        return this.#lf(FIELD_START)
      case FIELD_START:
        return this.#fieldStart()
      case FIELD_NAME:
        return this.#fieldName()
      case VALUE:
        return this.#value()
      case LAST_LF:
        return this.#lf(COMPLETE)
      default:
        return false
    }
  }

  #method(): boolean {
    const limit = this.#mark + METHOD_BYTES + 1
    const at = this.#skip(TOKEN, limit)
    if (at === limit) return this.#refuse('H1-METHOD-LONG')
    if (at === this.#stop) return this.#outOfBytes()
    const byte = this.#bytes[at]
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte === CR) return this.#refuse('H1-REQUEST-LINE')
    if (byte !== SPACE || at === this.#mark) return this.#refuse('H1-METHOD')
    this.#head.method = methodName(this.#bytes, this.#mark, at)
    return this.#next(TARGET_TEXT, at + 1)
  }

  #target(): boolean {
    const limit = this.#mark + this.#limits.targetBytes + 1
    const at = this.#skip(TARGET, limit)
    if (at === limit) return this.#refuse('H1-TARGET-LONG')
    if (at === this.#stop) return this.#outOfBytes()
    const byte = this.#bytes[at]
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte === CR || at === this.#mark) return this.#refuse('H1-REQUEST-LINE')
    if (byte !== SPACE) return this.#refuse('H1-TARGET-CHAR')
    this.#head.target = this.#bytes.toString('latin1', this.#mark, at)
    return this.#next(VERSION, at + 1)
  }

  #version(): boolean {
    const limit = this.#mark + VERSION_BYTES + 1
    const at = this.#skip(VISIBLE, limit)
    if (at === limit) return this.#refuse('H1-VERSION')
    if (at === this.#stop) return this.#outOfBytes()
    const byte = this.#bytes[at]
    // One space too many, or one within the target: there is no telling which word is the version.
    if (byte === SPACE || byte === HTAB) return this.#refuse('H1-REQUEST-LINE')
    const version = httpVersion(this.#bytes, this.#mark, at)
    if (version < 0) return this.#refuse('H1-VERSION')
    if (version < 10 || version > 19) return this.#refuseMajor(version)
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte !== CR) return this.#refuse('H1-REQUEST-LINE')
    // RFC 9110 section 2.5: a higher minor version is read as the highest one that we know.
    this.#head.minor = version === 10 ? 0 : 1
    this.#head.version = version === 10 ? '1.0' : '1.1'
    return this.#next(LINE_LF, at + 1)
  }

  #refuseMajor(version: number): false {
    const { method, target } = this.#head
    this.#head.version = `${Math.floor(version / 10)}.${version % 10}`
    // RFC 9113 section 3.4.
    const isPreface = version === 20 && method === 'PRI' && target === '*'
    return this.#refuse(isPreface ? 'H1-H2-PREFACE' : 'H1-VERSION-MAJOR')
  }

  #fieldStart(): boolean {
    if (this.#position === this.#stop) return this.#outOfBytes()
    const byte = this.#bytes[this.#position]
    if (byte === CR) return this.#next(LAST_LF, this.#position + 1)
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte === SPACE || byte === HTAB) return this.#refuse('H1-FIELD-FOLD')
    if (this.#fields.length >= this.#limits.headers * 2) return this.#refuse('H1-HEAD-COUNT')
    return this.#next(FIELD_NAME, this.#position)
  }

  #fieldName(): boolean {
    const at = this.#skip(TOKEN, this.#stop)
    if (at === this.#stop) return this.#outOfBytes()
    const byte = this.#bytes[at]
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte === SPACE || byte === HTAB) return this.#refuse('H1-FIELD-SPACE')
    if (byte !== COLON || at === this.#mark) return this.#refuse('H1-FIELD-NAME')
    const name = fieldName(this.#bytes, this.#mark, at)
    if (this.#inTrailers && isRefusedTrailer(name)) return this.#refuse('H1-TRAILER-FIELD')
    this.#name = name
    return this.#next(VALUE, at + 1)
  }

  #value(): boolean {
    const at = this.#skip(FIELD_VALUE, this.#stop)
    if (at === this.#stop) return this.#outOfBytes()
    const byte = this.#bytes[at]
    if (byte === LF) return this.#refuse('H1-BARE-LF')
    if (byte !== CR) return this.#refuse('H1-FIELD-VALUE')
    // V8 puts these stores in line, and calls out for a push of two.
    const fields = this.#fields
    fields[fields.length] = this.#name
    fields[fields.length] = ''
    this.#span(this.#mark, at)
    return this.#next(LINE_LF, at + 1)
  }

  // RFC 9112 section 5.1: white space around a value is not part of it.
  #span(start: number, end: number): void {
    const bytes = this.#bytes
    while (start < end && (bytes[start] === SPACE || bytes[start] === HTAB)) start++
    while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === HTAB)) end--
    spans[this.#pending++] = start
    spans[this.#pending++] = end
  }

  /** Makes the strings of the values read: one call that decodes all of them costs less than two that decode one. */
  #decode(): void {
    const pending = this.#pending
    if (pending === 0) return
    const start = spans[0]!
    const text = this.#bytes.toString('latin1', start, spans[pending - 1])
    let field = this.#fields.length - pending + 1
    for (let i = 0; i < pending; i += 2, field += 2)
      this.#fields[field] = text.slice(spans[i]! - start, spans[i + 1]! - start)
    this.#pending = 0
  }

  #lf(state: number): boolean {
    if (this.#position === this.#stop) return this.#outOfBytes()
    if (this.#bytes[this.#position] !== LF) return this.#refuse('H1-BARE-CR')
    return this.#next(state, this.#position + 1)
  }

  #refuse(id: RefusalId): false {
    this.refusal = id
    return false
  }

  #next(state: number, position: number): true {
    this.#state = state
    this.#position = position
    this.#mark = position
    return true
  }

  /** Where the first byte is that is not in a table; the position moves there, so that no byte is read twice. */
  #skip(table: Uint8Array, limit: number): number {
    const bytes = this.#bytes
    const end = Math.min(this.#stop, limit)
    let at = this.#position
    while (at < end && table[bytes[at]!] === 1) at++
    this.#position = at
    return at
  }

  /** Nothing left to read: because the bytes ended, or because the head may not be longer. */
  #outOfBytes(): false {
    return this.#position < this.#end && this.#refuse('H1-HEAD-LARGE')
  }

  /** Reads a chunk in place. */
  #load(chunk: Buffer, from: number): void {
    this.#bytes = chunk
    this.#position = from
    this.#mark = from
    this.#base = from
    this.#end = chunk.length
  }

  /** Reads a chunk behind the bytes of the head that were kept. */
  #gather(chunk: Buffer, from: number): void {
    const kept = this.#gatheredLength
    // One byte more than may be read, so that there is one to refuse.
    const length = Math.min(kept + chunk.length - from, this.#limits.headBytes + 1)
    if (length > this.#gathered.length) {
      const larger = Buffer.allocUnsafeSlow(length * 2)
      this.#gathered.copy(larger, 0, 0, kept)
      this.#gathered = larger
    }
    chunk.copy(this.#gathered, kept, from, from + length - kept)
    this.#bytes = this.#gathered
    this.#end = length
  }

  /** Keeps the bytes of an incomplete head, with room to grow, so that many small pieces cost no more than one. */
  #keep(): void {
    const length = this.#end - this.#base
    if (this.#bytes !== this.#gathered) {
      this.#gathered = Buffer.allocUnsafeSlow(Math.max(HEAD_ROOM, length * 2))
      this.#bytes.copy(this.#gathered, 0, this.#base, this.#end)
      this.#position -= this.#base
      this.#mark -= this.#base
      this.#base = 0
    }
    this.#gatheredLength = length
    this.#bytes = this.#gathered
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
