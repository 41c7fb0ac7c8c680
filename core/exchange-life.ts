import { DeadlineError } from './deadlines.ts'
import type { Diagnostic } from './errors.ts'
import type { Generation } from './generation.ts'
import { HandlerWatch } from './handler-watch.ts'
import type { Outcome } from './hooks.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { destroyBody } from './response-body.ts'
import type { Sending } from './sending.ts'
import type { Sink } from './sink.ts'
import type { FiredHooks, Site } from './site.ts'
import { ANSWER_IN_PART, type Unfinished, upgradedBy, waitingFor } from './unfinished.ts'

export const HANDLING = 0
export const TRANSFORMING = 1
/** The answer was delivered: it is sent, unless it fails before its head is out. */
export const COMMITTED = 2
/** The stream is in other hands, or was cut without an answer. */
export const GIVEN_AWAY = 3
export const DONE = 4

/**
 * What an exchange is beside its line: the clock over what it waits for, and its end. One state field drives both, so
 * that `done` runs exactly once and a late answer finds no way in.
 */
export abstract class ExchangeLife {
  protected readonly generation: Generation
  readonly request: HttpRequest
  protected readonly sink: Sink
  protected readonly fired: FiredHooks
  protected state = HANDLING
  /** Counts the stages: an answer that belongs to an earlier one is late. */
  protected stage = 0
  /** The answer so far. Its body is the kernel's to end when it is not sent. */
  protected answer: HttpResponse | null = null
  /** The answer that was committed to: what `done` is given. */
  protected response: HttpResponse | null = null
  protected sending: Sending | null = null
  /** An error becomes an answer once an exchange. */
  protected takesError = false
  /** Why the client will not get the answer. */
  protected failure: Error | null = null
  /** The answer failed after its head was out, and the client is not to blame. */
  #isBroken = false
  #watch: HandlerWatch | null = null
  /** Its neighbours among those at work. */
  before: ExchangeLife | null = null
  after: ExchangeLife | null = null

  /** @param fired The hooks of the site: as they are, or as traced requests meet them. */
  constructor(generation: Generation, site: Site, fired: FiredHooks, request: HttpRequest, sink: Sink) {
    this.generation = generation
    this.fired = fired
    this.request = request
    this.sink = sink
    request.currentSite = site
    request.sink = sink
    request.retirement = generation.retirement
    // By way of a variable: V8 makes a function that is written where a property is set in old space, and what it holds,
    // the whole exchange, would outlive every scavenge.
    const onClose = (reason: Error | null) => this.guarded(() => this.#closed(reason))
    sink.onClose = onClose
  }

  /** Runs a step that something outside the line has set off: it never throws. */
  abstract guarded(step: () => void): void

  /** The handler, or a `transform` tap, did not answer in time. */
  protected abstract timedOut(): void

  report(diagnostic: Diagnostic): void {
    this.generation.report(diagnostic)
  }

  // --- the clock -----------------------------------------------------------------------------------------------

  /** Only an answer that takes its time is watched. */
  protected watchOver(): void {
    if (this.state > TRANSFORMING || this.#watch !== null) return
    const { deadlines } = this.generation
    this.#watch = new HandlerWatch(this.request, deadlines, () => this.guarded(() => this.timedOut()))
    this.generation.atWork.add(this)
  }

  protected unwatch(): void {
    if (this.#watch === null) return
    this.generation.atWork.delete(this)
    this.#watch.stop()
    this.#watch = null
  }

  // --- the end -------------------------------------------------------------------------------------------------

  /** The message breaks off behind its head; the flag says whether the fault is ours. */
  breakOff(error: Error, isOurs: boolean): void {
    this.#isBroken = isOurs
    this.failure ??= error
    this.sink.reset(error)
  }

  /** What is lost when it is cut. */
  get unfinished(): Unfinished {
    const { request } = this
    return { info: request.connection, request, doing: this.#doing, since: request.startedAt }
  }

  get #doing(): string {
    if (this.state <= TRANSFORMING)
      return `${this.failure === null ? '' : 'its client had left, '}${waitingFor(this.request)}`
    return this.state === COMMITTED ? ANSWER_IN_PART : upgradedBy(null)
  }

  /** Ends now: nobody waits any longer for a handler, for the rest of a body, or for a stream that was taken over. */
  cut(reason: Error): void {
    this.stage++
    this.sending?.stop()
    this.failure ??= reason
    this.request.abort(reason)
    this.abandon(undefined)
    this.sink.reset(reason)
  }

  /** An answer that nobody waits for any more. */
  protected abandon(answer: HttpResponse | undefined): void {
    discard(answer)
    this.discardAnswer()
    this.#finish()
  }

  /** Ends the body of the answer so far, which will not be sent. */
  discardAnswer(): void {
    discard(this.answer)
    this.answer = null
  }

  /** The transport says how it ended: null when all is out. */
  #closed(reason: Error | null): void {
    if (this.state === DONE) return
    this.sending?.stop()
    if (reason === null) return this.#finish()
    this.failure ??= reason
    this.request.abort(reason)
    // A handler that is still at work keeps its request until it is done with it.
    if (this.state > TRANSFORMING) this.abandon(undefined)
  }

  #finish(): void {
    if (this.state === DONE) return
    this.state = DONE
    this.unwatch()
    this.generation.atWork.delete(this)
    this.#endBody()
    const milliseconds = performance.now() - this.request.startedAt
    const { bytes } = this.sink
    const error = this.failure
    const result = this.#result()
    const bodyBytes = this.sending?.bodyBytes ?? 0
    const outcome = { result, bytes, bodyBytes, milliseconds }
    this.tellDone(error === null ? outcome : { ...outcome, error })
    this.request.retirement = null
    this.generation.retirement.forget(this.request)
    this.generation.unpin()
  }

  /** Whoever still reads the body would wait for ever: what is left of it is dropped. */
  #endBody(): void {
    const body = this.request.bodyIfUsed
    // An error takes its stack with it, which cost a quarter of an upload: a body that came whole needs none.
    if (body !== null && !body.hasEnded) body.fail(new Error('the request was answered'))
  }

  /** Runs `done`. */
  protected tellDone(outcome: Outcome): void {
    this.fired.done?.call(this.request, this.response, outcome)
  }

  #result(): Outcome['result'] {
    if (this.request.refused !== null) return 'refused'
    if (this.#isBroken) return 'failed'
    if (this.response !== null && this.response.upgradeHandler !== null) return 'upgraded'
    if (this.failure === null) return 'sent'
    return isLate(this.failure) ? 'timeout' : 'aborted'
  }
}

/** Ends the body of an answer that will not be sent. */
export function discard(answer: HttpResponse | null | undefined): void {
  if (answer !== null && answer !== undefined) destroyBody(answer.body)
}

function isLate(failure: Error): boolean {
  return failure instanceof DeadlineError || failure.cause instanceof DeadlineError
}
