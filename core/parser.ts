import { ChunkParser } from './chunk-parser.ts'
import type { RefusalId } from './errors.ts'
import { BODY_CHUNKED, BODY_LENGTH, frame, type RequestHead } from './framing.ts'
import { HeadParser } from './head-parser.ts'

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
const EMPTY_LF = 1
const AFTER_EMPTY = 2
const HEAD = 3
const BODY = 4
const CHUNKS = 5
const TRAILERS = 6
const REFUSED = 7

const LF = 0x0a
const CR = 0x0d
const TLS_HANDSHAKE = 0x16

const nothing: readonly string[] = Object.freeze([])
const empty = Buffer.alloc(0)

/**
 * Reads HTTP/1.1 requests (RFC 9112) from bytes that may be cut anywhere. No I/O: `execute` is fed and tells its
 * events.
 *
 * Each state is a method that reads on from `position` and gives false when the message ended or was refused.
 */
export class Parser {
  #events: ParserEvents
  readonly #fields: HeadParser
  /** Of the chunked body that is being read. */
  #chunks: ChunkParser | null = null
  #state = START
  #bytes: Buffer = empty
  #position = 0
  /** Bytes of a body with Content-Length that are still to come. */
  #remaining = 0

  constructor(events: ParserEvents, limits: ParserLimits) {
    this.#events = events
    this.#fields = new HeadParser(limits)
  }

  /** Reads for somebody else from now on. Only one that is idle can. */
  serve(events: ParserEvents, limits: ParserLimits): void {
    this.#events = events
    this.#fields.limit(limits)
  }

  /** Whether a head has begun and is not complete. */
  get isInHead(): boolean {
    return this.#state === HEAD
  }

  /** Whether it is between two messages: then it knows nothing that another one would not. */
  get isIdle(): boolean {
    return this.#state === START
  }

  /** Whether a message was refused: no byte is read any more. */
  get isRefused(): boolean {
    return this.#state === REFUSED
  }

  /** What was read of the head so far: for an answer to one that never became complete. */
  get partialHead(): RequestHead {
    return this.#fields.head
  }

  /**
   * Reads on from `from` to the end of the chunk, of the message, or of what can be accepted.
   *
   * @returns The position up to which the chunk was read.
   */
  execute(chunk: Buffer, from: number): number {
    this.#bytes = chunk
    this.#position = from
    while (this.#position < chunk.length && this.#step());
    this.#bytes = empty
    return this.isRefused ? chunk.length : this.#position
  }

  #step(): boolean {
    switch (this.#state) {
      case START:
      case AFTER_EMPTY:
        return this.#start()
      case EMPTY_LF:
        return this.#emptyLf()
      case HEAD:
        return this.#head()
      case BODY:
        return this.#body()
      case CHUNKS:
        return this.#chunkedBody(this.#chunks!)
      case TRAILERS:
        return this.#trailers()
      default:
        return false
    }
  }

  // RFC 9112 section 2.2: one empty line before a request is forgiven, for old clients that sent one too many.
  #start(): boolean {
    const byte = this.#bytes[this.#position]
    if (byte === CR) {
      if (this.#state === AFTER_EMPTY) return this.#refuse('H1-EMPTY-LINES')
      this.#position++
      this.#state = EMPTY_LF
      return true
    }
    this.#state = HEAD
    this.#fields.beginHead()
    this.#events.onBegin()
    return byte !== TLS_HANDSHAKE || this.#refuse('H1-TLS-HELLO')
  }

  #emptyLf(): boolean {
    if (this.#bytes[this.#position] !== LF) return this.#refuse('H1-BARE-CR')
    this.#position++
    this.#state = AFTER_EMPTY
    return true
  }

  #head(): boolean {
    if (!this.#readFields()) return this.#state === HEAD
    const { head } = this.#fields
    const refusal = frame(head)
    if (refusal !== null) return this.#refuse(refusal)
    this.#state = BODY
    this.#events.onHead(head)
    if (head.framing === BODY_LENGTH) this.#remaining = head.contentLength!
    else if (head.framing !== BODY_CHUNKED) return this.#finish(nothing)
    else {
      this.#state = CHUNKS
      this.#chunks = new ChunkParser(this.#events)
    }
    return true
  }

  #trailers(): boolean {
    if (!this.#readFields()) return this.#state === TRAILERS
    return this.#finish(this.#fields.fields)
  }

  /** Whether the head or trailer section is complete. */
  #readFields(): boolean {
    this.#position = this.#fields.read(this.#bytes, this.#position)
    const { refusal } = this.#fields
    return refusal === null ? this.#fields.isComplete : this.#refuse(refusal)
  }

  #body(): boolean {
    const start = this.#position
    const end = Math.min(start + this.#remaining, this.#bytes.length)
    this.#position = end
    this.#remaining -= end - start
    this.#events.onBody(this.#bytes.subarray(start, end))
    return this.#remaining > 0 || this.#finish(nothing)
  }

  #chunkedBody(chunks: ChunkParser): boolean {
    this.#position = chunks.read(this.#bytes, this.#position)
    if (chunks.refusal !== null) return this.#refuse(chunks.refusal)
    if (!chunks.isComplete) return true
    this.#chunks = null
    this.#fields.beginTrailers()
    this.#state = TRAILERS
    return true
  }

  /** The message is complete: `execute` ends here, so that whoever reads can stop between two messages. */
  #finish(trailers: readonly string[]): false {
    this.#state = START
    this.#fields.forget()
    this.#events.onEnd(trailers)
    return false
  }

  #refuse(id: RefusalId): false {
    this.#state = REFUSED
    this.#events.onRefused(id, this.#fields.head)
    return false
  }
}

/** What a parser without a connection tells nobody. */
const nobody: ParserEvents = Object.freeze({
  onBegin() {},
  onHead() {},
  onBody() {},
  onEnd() {},
  onRefused() {},
})

/** A parser that is idle. Most messages come in one piece, so that one serves all connections in turn. */
let spare: Parser | null = null

/** Gives a parser that begins with a message. */
export function takeParser(events: ParserEvents, limits: ParserLimits): Parser {
  const parser = spare
  if (parser === null) return new Parser(events, limits)
  spare = null
  parser.serve(events, limits)
  return parser
}

/** Takes a parser back that is idle: it holds on to nothing. */
export function returnParser(parser: Parser, limits: ParserLimits): void {
  parser.serve(nobody, limits)
  spare = parser
}
