import type { BodySource } from './body-flow.ts'
import { DeadlineError, type Deadlines } from './deadlines.ts'
import { HttpError } from './errors.ts'
import type { RequestHead } from './framing.ts'
import { interimText } from './head-bytes.ts'
import { LINGER } from './lingering.ts'
import type { LentChunk } from './read-buffers.ts'
import type { HttpResponse } from './response.ts'
import { lengthOf } from './response-body.ts'
import type { Writer } from './writer.ts'

/** Body bytes that are read ahead of the handler. */
const READ_AHEAD = 65_536
/** When the least speed of a body begins to count, over how much of the waiting it holds, how often it is looked at. */
const RATE_GRACE = 5_000
const RATE_WINDOW = 10_000
const RATE_PERIOD = 1_000

/** How far a body was when its speed was looked at. */
interface RateMark {
  /** Milliseconds that readers had waited. */
  readonly waited: number
  /** Bytes that had come. */
  readonly received: number
}

const atBegin: RateMark = Object.freeze({ waited: 0, received: 0 })

/** What an incoming body asks of its connection. */
export interface IncomingBodyHost {
  readonly deadlines: Deadlines
  /** Somebody waits for bytes. */
  wanted(): void
}

/**
 * The body that a connection is reading: how much of it is taken in, when the client is told to go on, and when it
 * is too slow. Once the answer is complete, what is left of the body is dropped.
 */
export class IncomingBody implements BodySource {
  readonly #host: IncomingBodyHost
  readonly #contentLength: number | null
  #writer: Writer | null = null
  #awaitsContinue: boolean
  /** When bytes came last, or somebody began to wait for them. */
  #since = 0
  #dropped = 0
  /** When its answer was complete, and the rest began to be dropped; Infinity before. */
  #answeredAt = Number.POSITIVE_INFINITY
  /** When the speed of the body is looked at next; 0: to be set. */
  #rateLook = 0
  /** Earlier looks, a period apart: the first one is where the window begins. */
  readonly #rateMarks: RateMark[] = [atBegin]

  constructor(host: IncomingBodyHost, head: RequestHead) {
    this.#host = host
    this.#contentLength = head.contentLength
    this.#awaitsContinue = head.expect !== null
  }

  /** Whose answer the body belongs to. */
  set writer(writer: Writer) {
    this.#writer = writer
  }

  get writer(): Writer {
    return this.#writer!
  }

  want(): void {
    this.#since = this.#host.deadlines.now()
    if (this.#awaitsContinue) this.#continue()
    this.#host.wanted()
  }

  /** @param lent What the piece is a part of, when it has to be copied to be kept. */
  push(piece: Buffer, lent: LentChunk | null = null): void {
    this.#since = this.#host.deadlines.now()
    // RFC 9110 section 10.1.1: who has bytes of the body need not ask for it.
    this.#awaitsContinue = false
    if (this.#isDropped) this.#dropped += piece.length
    else this.writer.request.body.push(lent?.own(piece) ?? piece)
  }

  end(trailers: readonly string[]): void {
    const { request } = this.writer
    request.trailerFields = trailers
    request.body.end()
  }

  /** An answer of the connection is complete: when it is its own, the rest is dropped from now on. */
  answered(): void {
    if (this.#isDropped) this.#answeredAt = Math.min(this.#answeredAt, this.#host.deadlines.now())
  }

  /** Nothing more will come: whoever reads is told why. */
  fail(reason: Error): void {
    this.writer.request.abort(reason)
  }

  /** Whether enough is read ahead of the handler. */
  get isFull(): boolean {
    return !this.#isDropped && this.writer.request.body.queued >= READ_AHEAD
  }

  /** Whether so much was dropped that closing the connection is cheaper. */
  get isTooMuch(): boolean {
    return this.#dropped > this.writer.request.effectiveLimits.drainBytes
  }

  /** Whether the connection can go on behind this body when it is answered now, and so. */
  allowsReuse(response: HttpResponse): boolean {
    const { body, effectiveLimits } = this.writer.request
    // A stream while the body is being read: an echo. An error then means that its handler has given up, and so does
    // an answer that is there as a whole; in chunks, what is left may be nothing but their end.
    const mayReadOn = this.#contentLength === null || lengthOf(response.body) === null
    if (body.isPulled && response.status < 400 && mayReadOn) return true
    if (this.#awaitsContinue || this.#contentLength === null) return false
    return this.#contentLength - body.received <= effectiveLimits.drainBytes
  }

  deadline(now: number): number {
    // In all, not between two pieces: a byte now and then would hold the connection for hours.
    if (this.#isDropped) return this.#answeredAt + LINGER
    const { body, effectiveLimits } = this.writer.request
    if (!body.isWaiting) return Number.POSITIVE_INFINITY
    const silence = this.#since + effectiveLimits.bodyTimeout
    if (effectiveLimits.bodyMinRate === 0) return silence
    // Set once a period, not with each piece: a client that sends a byte now and then would push it on for ever.
    if (this.#rateLook === 0) this.#rateLook = now + RATE_PERIOD
    return Math.min(silence, this.#rateLook)
  }

  /** Why the client is too slow, if it is. */
  late(now: number): HttpError | null {
    const { body, effectiveLimits } = this.writer.request
    if (now >= this.#rateLook) this.#rateLook = 0
    if (this.#isDropped) return now > this.#answeredAt + LINGER ? tooSlow('limits.bodyTimeout') : null
    if (!body.isWaiting) return null
    if (now > this.#since + effectiveLimits.bodyTimeout) return tooSlow('limits.bodyTimeout')
    return this.#isSlow(now) ? tooSlow('limits.bodyMinRate') : null
  }

  // Over a window and not since the beginning: what came fast must not pay for a trickle without end.
  #isSlow(now: number): boolean {
    const { body, effectiveLimits } = this.writer.request
    if (effectiveLimits.bodyMinRate === 0) return false
    const { received } = body
    const waited = body.waited(now)
    const marks = this.#rateMarks
    if (waited - marks.at(-1)!.waited >= RATE_PERIOD) marks.push({ waited, received })
    while (marks.length > 1 && waited - marks[1]!.waited >= RATE_WINDOW) marks.shift()
    const from = marks[0]!
    const rate = ((received - from.received) * 1_000) / (waited - from.waited)
    return waited > RATE_GRACE && rate < effectiveLimits.bodyMinRate
  }

  get #isDropped(): boolean {
    return this.writer.isEnded
  }

  #continue(): void {
    this.#awaitsContinue = false
    if (!this.writer.hasHead) this.writer.interim(interimText(100))
  }
}

function tooSlow(limit: string): HttpError {
  const message = `the body did not arrive in time (${limit})`
  return new HttpError(408, message, { code: 'BODY_TIMEOUT', cause: new DeadlineError(message) })
}
