import type { Answers } from './answers.ts'
import { holdWallTime, releaseWallTime } from './clock.ts'
import type { Deadlines } from './deadlines.ts'
import { type Diagnostic, HttpError, type RefusalId, refusals, refused } from './errors.ts'
import { refusalOf } from './faults.ts'
import { BODY_NONE, type RequestHead } from './framing.ts'
import { IncomingBody, type IncomingBodyHost } from './incoming-body.ts'
import { defaultExchangeLimits, type ListenerLimits } from './limits.ts'
import type { ConnectionInfo } from './listener.ts'
import { type Parser, type ParserEvents, returnParser, takeParser } from './parser.ts'
import { LentChunk, ownCopy } from './read-buffers.ts'
import { HttpRequest } from './request.ts'
import { MessageInit } from './request-init.ts'
import type { HttpResponse } from './response.ts'
import { beginsAt } from './turn-end.ts'

/** Whose connections end when they have no request: nobody's, of those who have had one, of all. */
export type EndsIdle = 'nobody' | 'used' | 'all'

/** What the input side of a connection needs of the rest. */
export interface RequestReaderHost {
  readonly deadlines: Deadlines
  readonly info: ConnectionInfo
  readonly answers: Answers
  /** Whether an answer is the last one of its connection. */
  readonly isStopping: boolean
  /** Whose connections get no further request. */
  readonly endsIdle: EndsIdle
  report(diagnostic: Diagnostic): void
  /** Reads on where it can, and looks at flow, clock and end again. */
  wake(): void
}

/** Requests that one connection may have answered in one turn before others get theirs. */
const REQUESTS_A_TURN = 64

/**
 * The input side of a connection: takes requests out of the bytes that come and has them answered, no faster than
 * their answers leave. Its loop is the only place that feeds the parser; everything else asks it to look again.
 */
export class RequestReader implements ParserEvents, IncomingBodyHost {
  /** Whether the client has ended its side. */
  hasInputEnded = false
  readonly #host: RequestReaderHost
  readonly #limits: ListenerLimits
  /** Only from the first byte of a message to its end: a connection that waits for a request costs none. */
  #parser: Parser | null = null
  /** The body that is being read; its request is the last one. */
  #incoming: IncomingBody | null = null
  #chunk: Buffer | null = null
  #position = 0
  /** Whether the chunk is to be copied where it is kept, and the copies of what it has of a body. */
  #isLent = false
  #lent: LentChunk | null = null
  #isReading = false
  /** When reading began: what is answered on the way came then, whatever handlers take for it. */
  #now = 0
  /** Nothing more is read: a message was refused or broke off, and nobody knows where the next one would begin. */
  #isFinal = false
  /** Requests of the connection, and of this turn. */
  #requests = 0
  #turn = 0
  /** When the head began, or the connection became idle. */
  #since: number
  /** Bytes that came behind the last request. */
  #surplus = 0

  constructor(host: RequestReaderHost, limits: ListenerLimits) {
    this.#host = host
    this.#limits = limits
    this.#since = host.deadlines.now()
  }

  get deadlines(): Deadlines {
    return this.#host.deadlines
  }

  // --- bytes ---------------------------------------------------------------------------------------------------

  /** Bytes came. Of those that are lent nothing is kept when this returns. */
  feed(chunk: Buffer, isLent: boolean): void {
    if (this.#isLast()) {
      this.#surplus += chunk.length
      return
    }
    this.#chunk = this.#chunk === null ? chunk : Buffer.concat([this.#rest(), chunk])
    this.#isLent = isLent && this.#chunk === chunk
    this.#position = 0
    this.#turn = 0
    this.readOn()
    if (this.#isLent) this.#keepRest()
  }

  #keepRest(): void {
    this.#isLent = false
    this.#lent = null
    if (this.#chunk === null) return
    this.#chunk = ownCopy(this.#rest())
    this.#position = 0
  }

  /** Reads what there is, as far as the answers have room. */
  readOn(): void {
    if (this.#chunk === null) return
    this.#now = this.deadlines.now()
    // Before all else: what leaves then may end this connection too, when a plugin stops the server behind it.
    beginsAt(this.#now)
    if (this.#chunk === null || !this.#mayRead()) return
    this.#isReading = true
    const { answers } = this.#host
    this.#parser ??= takeParser(this, this.#limits)
    const parser = this.#parser
    do {
      const chunk: Buffer = this.#chunk
      this.#position = parser.execute(chunk, this.#position)
      if (this.#position >= chunk.length) this.#chunk = null
      answers.dispatchPostponed()
    } while (this.#chunk !== null && this.#mayRead())
    if (parser.isIdle) this.#returnParser(parser)
    this.#isReading = false
    // What the client may take its time for now has not begun before that: a handler may have held up the process.
    if (this.#since === this.#now) this.#since = this.deadlines.now()
    // The end may have come while the message still waited for its turn.
    this.#endBody()
    if (this.#turn >= REQUESTS_A_TURN) setImmediate(() => this.#nextTurn())
  }

  #returnParser(parser: Parser): void {
    this.#parser = null
    returnParser(parser, this.#limits)
  }

  #nextTurn(): void {
    this.#turn = 0
    this.#host.wake()
  }

  /** Whether the loop runs: it looks at everything itself when it ends. */
  get isReading(): boolean {
    return this.#isReading
  }

  // Parsing stops between messages while output waits or too many answers are open, within the chunk: pausing the
  // socket alone would let all that one chunk asks for queue up.
  #mayRead(): boolean {
    if (this.#turn >= REQUESTS_A_TURN || this.#isLast()) return false
    if (this.#incoming !== null) return !this.#incoming.isFull
    return this.#isInHead() || this.#host.answers.hasRoom
  }

  #isInHead(): boolean {
    return this.#parser?.isInHead === true
  }

  /** Whether nothing that comes behind what was read will be looked at. */
  #isLast(): boolean {
    if (this.#isFinal) return true
    if (this.#incoming !== null || this.#isInHead()) return false
    return this.#host.answers.isLastFinal || this.#isDismissed() || this.#isUsedUp()
  }

  #isDismissed(): boolean {
    const { endsIdle } = this.#host
    return endsIdle === 'all' || (endsIdle === 'used' && this.#requests > 0)
  }

  #isUsedUp(): boolean {
    const { requestsPerConnection } = this.#limits
    return requestsPerConnection > 0 && this.#requests >= requestsPerConnection
  }

  /**
   * Whether bytes may come. Those behind the last request are dropped, up to a limit: that the client leaves shows
   * only to who reads.
   */
  mayFlow(): boolean {
    if (!this.#isLast()) return this.#chunk === null && this.#mayRead()
    this.#surplus += this.#rest().length
    this.#chunk = null
    return this.mayDrop > 0
  }

  /** Bytes that the client may still send to be dropped. */
  get mayDrop(): number {
    const limits = this.#incoming?.writer.request.effectiveLimits ?? defaultExchangeLimits
    return Math.max(0, limits.drainBytes - this.#surplus)
  }

  /** Whether no request will follow. */
  get isDone(): boolean {
    return this.#isLast() || (this.hasInputEnded && this.#chunk === null)
  }

  /** Whether a request may follow when the last one is answered so. */
  mayReuse(response: HttpResponse): boolean {
    if (this.#isFinal || this.#host.isStopping || this.#isUsedUp()) return false
    if (this.hasInputEnded && this.#chunk === null) return false
    return this.#incoming === null || this.#incoming.allowsReuse(response)
  }

  /** Since when a head comes, of which a part is there; null while none does. */
  get headSince(): number | null {
    return this.#isInHead() && !this.#isFinal ? this.#since : null
  }

  /** An answer is complete: what is left of its body is dropped, and the next head has its time. */
  answered(): void {
    this.#incoming?.answered()
    if (this.#host.answers.isEmpty && !this.#isInHead()) this.#since = this.#moment()
  }

  #moment(): number {
    return this.#isReading ? this.#now : this.deadlines.now()
  }

  /** The client has ended its side; it may still wait for answers (RFC 9112 section 9.6). */
  inputEnded(): void {
    this.hasInputEnded = true
    this.#endBody()
  }

  /** Breaks a body off of which nothing more can come. */
  #endBody(): void {
    if (!this.hasInputEnded || this.#incoming === null || this.#chunk !== null) return
    const message = 'the client ended the connection within the body'
    this.#breakOff(new HttpError(400, message, { code: 'BODY_INCOMPLETE' }))
  }

  /** Ends reading, and gives what came and was not read. */
  end(): Buffer {
    if (this.#isLent) this.#keepRest()
    const rest = this.#rest()
    this.#chunk = null
    this.#incoming = null
    this.#isFinal = true
    return rest
  }

  #rest(): Buffer {
    return this.#chunk?.subarray(this.#position) ?? empty
  }

  wanted(): void {
    this.#host.wake()
  }

  // --- parser events -------------------------------------------------------------------------------------------

  onBegin(): void {
    this.#since = this.#now
  }

  onHead(head: RequestHead): void {
    holdWallTime()
    try {
      this.#begin(head)
    } finally {
      releaseWallTime()
    }
  }

  #begin(head: RequestHead): void {
    this.#requests++
    const incoming = head.framing === BODY_NONE ? null : new IncomingBody(this, head)
    const request = this.#request(head, incoming)
    if (head.method === 'CONNECT' || head.method === 'TRACE') request.refused = refused(`H1-${head.method}`)
    else if (head.expect !== null && head.expect !== '100-continue') request.refused = refused('H1-EXPECT')
    else if (head.authority !== null && isInsecure(head.target, request))
      request.refused = refused('H1-SCHEME')
    const writer = this.#host.answers.open(request, head)
    if (incoming !== null) incoming.writer = writer
    this.#incoming = incoming
    this.#host.answers.dispatch(writer)
  }

  // An answer that came at once may have ended the connection within the chunk: then there is no body any more.
  onBody(piece: Buffer): void {
    const incoming = this.#incoming
    if (incoming === null) return
    if (this.#isLent) this.#lent ??= new LentChunk(this.#chunk!)
    incoming.push(piece, this.#lent)
    if (incoming.isTooMuch) this.#isFinal = true
  }

  onEnd(trailers: readonly string[]): void {
    this.#turn++
    const incoming = this.#incoming
    // Without a body the answer has set the clock, or will.
    if (incoming === null) return
    this.#since = this.#now
    this.#incoming = null
    incoming.end(trailers)
  }

  onRefused(id: RefusalId, head: RequestHead): void {
    if (this.#isFinal) return
    if (this.#incoming === null) return this.#refuse(id, head)
    // The request has an answer of its own coming: its body fails, and that becomes the answer.
    const { request } = this.#incoming.writer
    request.refused = refused(id)
    this.#host.report(refusalOf(request))
    const { status, sentence } = refusals[id]
    this.#breakOff(new HttpError(status, sentence, { code: id }))
  }

  #refuse(id: RefusalId, head: RequestHead): void {
    this.#isFinal = true
    const message = { ...head, keepAlive: false, upgrade: null, method: head.method || '-' }
    const request = this.#request(message, null)
    request.refused = refused(id)
    this.#host.answers.dispatch(this.#host.answers.open(request, message))
  }

  /** The body that is being read will never be complete. */
  #breakOff(reason: HttpError): void {
    const incoming = this.#incoming!
    this.#isFinal = true
    this.#incoming = null
    incoming.fail(reason)
  }

  #request(head: RequestHead, body: IncomingBody | null): HttpRequest {
    return new HttpRequest(new MessageInit(head, body, this.#host.info, this.#moment()))
  }

  // --- the clock -----------------------------------------------------------------------------------------------

  get deadline(): number {
    if (this.#incoming !== null) return this.#incoming.deadline(this.deadlines.now())
    if (this.#isLast()) return Number.POSITIVE_INFINITY
    if (this.#isInHead()) return this.#since + this.#limits.headTimeout
    if (!this.#host.answers.isEmpty) return Number.POSITIVE_INFINITY
    return this.#since + (this.#requests === 0 ? this.#limits.headTimeout : this.#limits.idleTimeout)
  }

  /** Looks whether the client is late with what it has to send. */
  expire(now: number): void {
    if (this.#incoming !== null) this.#bodyExpired(this.#incoming, now)
    else if (now > this.deadline) this.#headExpired()
  }

  #bodyExpired(incoming: IncomingBody, now: number): void {
    const late = incoming.late(now)
    if (late === null) return
    if (incoming.writer.isEnded) this.#isFinal = true
    else this.#breakOff(late)
  }

  // Half a head gets an answer; a connection that is merely idle ends without one, as RFC 9112 section 9.5 allows.
  #headExpired(): void {
    if (this.#isInHead()) this.#refuse('H1-HEAD-TIMEOUT', this.#parser!.partialHead)
    else this.#isFinal = true
  }
}

// RFC 9110 section 7.4: what is asked of https must not be answered where anybody could have read along.
function isInsecure(target: string, { scheme }: HttpRequest): boolean {
  return scheme !== 'https' && /^https:/i.test(target)
}

const empty = Buffer.alloc(0)
