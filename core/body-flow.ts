import { HttpError } from './errors.ts'
import type { ExchangeLimits } from './limits.ts'
import { Pieces } from './pieces.ts'

/** The transport behind a request body: asked for more only when somebody waits. */
export interface BodySource {
  /** Somebody waits for the next piece. The first call is the moment for `100 Continue`. */
  want(): void
}

/** What a request body needs to know of its request. */
export interface BodyFacts {
  readonly limits: ExchangeLimits
  readonly contentType: string | undefined
  /** The declared length, or null when only the end will tell. */
  readonly contentLength: number | null
}

/** Told of one piece; null is the end. */
export type Waiter = (error: Error | null, piece: Uint8Array | null) => void

/** Told when all pieces are there, or why they never will be. */
export type Collector = (error: Error | null) => void

/** The pieces of a request body on their way from the transport to one reader at a time. */
export class BodyFlow {
  protected readonly facts: () => BodyFacts
  readonly #source: BodySource | null
  readonly #queue = new Pieces()
  #received = 0
  #ended: boolean
  #failure: Error | null = null
  #waiter: Waiter | null = null
  /** Who waits for all of it. Pieces stay in the queue then: another one may go on where this one gives up. */
  #collector: Collector | null = null
  /** How many bytes the collector takes; 0: any number. */
  #most = 0
  #pulled = false
  /** Whether the source is being asked, and whether it has to be once more. */
  #isWanting = false
  #wantsMore = false
  #waitedSince = 0
  #waited = 0

  /** @internal A null source is a body without bytes, or one whose pieces are all pushed beforehand. */
  constructor(facts: () => BodyFacts, source: BodySource | null) {
    this.facts = facts
    this.#source = source
    this.#ended = source === null
  }

  /** Whether the message has no body at all. */
  get isEmpty(): boolean {
    return this.#ended && this.#received === 0
  }

  /** @internal A piece came. What comes behind a failure is no part of a whole any more. */
  push(piece: Uint8Array): void {
    if (this.#failure !== null) return
    this.#received += piece.length
    // Whoever waits gets it as it is: also a piece without bytes, since nobody asks for another one.
    if (this.#waiter !== null) return this.#answer(null, piece)
    this.#queue.push(piece)
    if (this.#collector !== null) this.#gather()
  }

  /** @internal The message ended. */
  end(): void {
    if (this.#failure !== null) return
    this.#ended = true
    this.#settle()
  }

  /** @internal Nothing more will come. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#settle()
  }

  /** @internal Whether all of it came: then nothing can fail it any more. */
  get hasEnded(): boolean {
    return this.#ended
  }

  /** @internal Whether a reader waits for bytes of the client. */
  get isWaiting(): boolean {
    return this.#waiter !== null || this.#collector !== null
  }

  /** @internal Whether anybody has asked for a piece. */
  get isPulled(): boolean {
    return this.#pulled
  }

  /** @internal Bytes that came from the client. */
  get received(): number {
    return this.#received
  }

  /** @internal Bytes that came and that nobody takes yet. */
  get queued(): number {
    return this.#collector === null ? this.#queue.bytes : 0
  }

  /** @internal Milliseconds that readers have spent waiting for the client; `now` is by the clock of deadlines. */
  waited(now: number): number {
    return this.#waited + (this.isWaiting ? now - this.#waitedSince : 0)
  }

  /** Has the next piece told, once it is there. */
  protected pull(limit: number, waiter: Waiter): void {
    const refusal = this.#refusal(limit)
    if (refusal !== null) return waiter(refusal, null)
    this.#waiter = waiter
    this.#wait()
  }

  /** Has the end told, without a promise or a call for each piece: a small body would cost more than its request. */
  protected collect(limit: number, collector: Collector): void {
    const refusal = this.#refusal(limit)
    if (refusal !== null) return collector(refusal)
    this.#collector = collector
    this.#most = limit
    this.#wait()
  }

  /** Takes what was collected. */
  protected join(): Buffer {
    return this.#queue.join()
  }

  #refusal(limit: number): Error | null {
    const size = Math.max(this.#received, this.facts().contentLength ?? 0)
    if (limit !== 0 && size > limit) return tooLarge(limit)
    return this.isWaiting ? new Error('request.body is being read by somebody else') : null
  }

  #wait(): void {
    this.#pulled = true
    this.#waitedSince = performance.now()
    this.#settle()
    if (this.isWaiting) this.#want()
  }

  /** A piece came for who collects. */
  #gather(): void {
    if (this.#most !== 0 && this.#received > this.#most) this.#collected(tooLarge(this.#most))
    else this.#want()
  }

  // A source may push at once, and a reader then asks for more within: that must not grow the stack with each piece.
  #want(): void {
    this.#wantsMore = true
    if (this.#isWanting) return
    this.#isWanting = true
    try {
      do {
        this.#wantsMore = false
        this.#source?.want()
      } while (this.#wantsMore && this.isWaiting)
    } finally {
      this.#isWanting = false
    }
  }

  /** Tells who waits what can be told by now. */
  #settle(): void {
    if (this.#collector !== null) {
      if (this.#ended) this.#collected(null)
      else if (this.#failure !== null) this.#collected(this.#failure)
    }
    if (this.#waiter === null) return
    const piece = this.#queue.shift()
    if (piece !== undefined) this.#answer(null, piece)
    else if (this.#ended) this.#answer(null, null)
    else if (this.#failure !== null) this.#answer(this.#failure, null)
  }

  #answer(error: Error | null, piece: Uint8Array | null): void {
    const waiter = this.#waiter!
    this.#waiter = null
    this.#waited += performance.now() - this.#waitedSince
    waiter(error, piece)
  }

  #collected(error: Error | null): void {
    const collector = this.#collector!
    this.#collector = null
    this.#waited += performance.now() - this.#waitedSince
    collector(error)
  }
}

/** @internal */
export function tooLarge(limit: number): HttpError {
  return new HttpError(413, `the body is larger than ${limit} bytes`, { code: 'BODY_TOO_LARGE' })
}
