import { DeadlineError } from './deadlines.ts'
import { asError, type Diagnostic, HttpError, refusals } from './errors.ts'
import { dropped, faultIn, faultOf, overrun, refusalOf } from './faults.ts'
import { FileChangedError, FileSlice } from './file-slice.ts'
import type { Generation } from './generation.ts'
import { HandlerWatch, lateError } from './handler-watch.ts'
import { checkedTrailers, isBodyless } from './head-bytes.ts'
import type { Outcome } from './hooks.ts'
import { completed, errorResponse, shaped, unanswered, upgradeError } from './kernel-answers.ts'
import { MultipartRanges } from './multipart-ranges.ts'
import { ownerIn } from './owner.ts'
import { Pump, type PumpHost } from './pump.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse, type Trailers } from './response.ts'
import { destroyBody, lengthOf } from './response-body.ts'
import { select } from './selection.ts'
import type { Sink } from './sink.ts'
import type { FiredHooks, Site } from './site.ts'
import { type Tap, tapFailed, tapOf } from './tap.ts'

const HANDLING = 0
const TRANSFORMING = 1
/** The head is delivered and waits for its first body bytes. */
const COMMITTING = 2
const SENDING = 3
/** Everything was given to the sink. */
const ENDED = 4
const DONE = 5

/**
 * One request on its way to its answer: the line. `handle`, `error`, `transform`, preconditions, `deliver`, the head,
 * the body, `done`. One state field drives it, so that `done` runs exactly once and a late answer finds no way in.
 */
export class Exchange implements PumpHost {
  readonly #generation: Generation
  readonly #request: HttpRequest
  readonly #sink: Sink
  readonly #fired: FiredHooks
  readonly #startedAt: number
  #watch: HandlerWatch | null = null
  #state = HANDLING
  /** Counts the stages: an answer that belongs to an earlier one is late. */
  #stage = 0
  /** The answer so far. Its body is the kernel's to end when it is not sent. */
  #answer: HttpResponse | null = null
  /** The answer that was committed to: what `done` is given. */
  #response: HttpResponse | null = null
  #pump: Pump | null = null
  #takesError = false
  /** The kernel answers alone. */
  #isBare = false
  /** Whether a file changed under the answer, so that the handler was asked again. */
  #isSecondTry = false
  /** The answer failed after its head was out, and the client is not to blame. */
  #isBroken = false
  /** Why the client will not get the answer. */
  #failure: Error | null = null
  /** A `transform` tap was late. */
  #skipsTransform = false
  #length: number | null = 0
  /** Bytes of the body that went to the sink. */
  #bodyBytes = 0

  constructor(generation: Generation, site: Site, request: HttpRequest, sink: Sink) {
    this.#generation = generation
    this.#fired = site.fired
    this.#request = request
    this.#sink = sink
    this.#startedAt = generation.deadlines.now()
    request.currentSite = site
    request.sink = sink
    sink.onClose = reason => this.#guarded(() => this.#closed(reason))
  }

  /** Runs the line. It never throws. */
  run(): void {
    this.#generation.pin()
    try {
      if (this.#request.refused === null) this.#handle()
      else this.#refuse()
    } catch (thrown) {
      this.#crashed(thrown)
    }
  }

  #handle(): void {
    const { handle } = this.#fired
    if (handle === null) return this.#handled(null, undefined)
    const stage = this.#stage
    handle.callAsync(this.#request, (error, answer) => {
      try {
        if (stage === this.#stage) this.#handled(error, answer)
        else discard(answer)
      } catch (thrown) {
        this.#crashed(thrown)
      }
    })
    this.#watchOver()
  }

  // --- answers -------------------------------------------------------------------------------------------------

  #handled(error: Error | null, answer: HttpResponse | undefined): void {
    this.#stage++
    if (this.#failure !== null) return this.#abandon(answer)
    if (error !== null && error !== undefined) return this.#fail(error)
    const given = answer ?? unanswered(this.#request)
    if (given instanceof HttpError) this.#fail(given, null)
    else this.#transform(given)
  }

  /**
   * An error becomes an answer, once an exchange; after that the kernel answers alone.
   *
   * @param fault What the operator is told; null for what a client has brought about.
   */
  #fail(error: Error, fault = faultIn(error, this.#request)): void {
    this.#discard()
    if (this.#mayTryAgain(error)) return this.#tryAgain()
    if (fault !== null) this.#report(fault)
    if (this.#takesError) return this.#answerBare()
    this.#takesError = true
    const shown = error instanceof HttpError ? error : new HttpError(500, undefined, { cause: error })
    const answer = this.#ask(() => {
      const tapped = this.#fired.error?.call(shown, this.#request)
      return tapped === undefined ? errorResponse(shown) : shaped(tapped, shown)
    }, tapOf(error))
    if (answer !== null) this.#transform(answer)
  }

  // A deployment that puts a new file in place must not cost those who come at that moment their page.
  #mayTryAgain(error: Error): boolean {
    const { method } = this.#request
    const isRead = method === 'GET' || method === 'HEAD'
    return error instanceof FileChangedError && isRead && !this.#takesError && !this.#isSecondTry
  }

  #tryAgain(): void {
    this.#isSecondTry = true
    this.#stage++
    this.#state = HANDLING
    this.#response = null
    this.#handle()
  }

  #refuse(): void {
    const { id } = this.#request.refused!
    const { status, sentence } = refusals[id]
    this.#takesError = true
    this.#report(refusalOf(this.#request))
    // Whatever we wrote would not be understood.
    if (id === 'H1-TLS-HELLO') {
      this.#state = ENDED
      return this.#sink.reset(new Error(sentence))
    }
    const error = new HttpError(status, sentence, { code: id })
    const { firedProtocolError } = this.#generation
    // The sentence is the kernel's own, and tells the client what to change: it is shown for a 5xx too.
    const answer = this.#ask(
      () => firedProtocolError?.call(error, this.#request) ?? HttpResponse.error(status, sentence),
    )
    if (answer !== null) this.#settle(answer.seal())
  }

  /**
   * What a tap makes of an error; null when it failed and the kernel has answered.
   *
   * @param by Whose error it is: the one to blame when no tap failed, but the error itself cannot be sent.
   */
  #ask(tapped: () => HttpResponse, by?: Tap): HttpResponse | null {
    try {
      return tapped()
    } catch (error) {
      this.#report(faultOf(asError(error), this.#request, by))
      this.#answerBare()
      return null
    }
  }

  /**
   * What the kernel does between the hooks has failed, or a transport's sink: whatever an answer is made of must not
   * end the process. It becomes a bare 500 as long as no head is out.
   */
  #crashed(thrown: unknown): void {
    const error = asError(thrown)
    this.#report(faultOf(error, this.#request, (this.#response ?? this.#answer)?.givenBy))
    if (this.#state === DONE) return
    if (this.#state < SENDING && !this.#isBare) return this.#guarded(() => this.#answerBare())
    try {
      this.#break(error, true)
    } catch (again) {
      this.#report(faultOf(asError(again), this.#request))
      this.#abandon(undefined)
    }
  }

  #guarded(step: () => void): void {
    try {
      step()
    } catch (thrown) {
      this.#crashed(thrown)
    }
  }

  /** The last resort: no hook is asked. */
  #answerBare(): void {
    this.#isBare = true
    this.#discard()
    this.#stage++
    this.#commit(HttpResponse.text('Internal Server Error\n', 500).close())
  }

  // --- the representation --------------------------------------------------------------------------------------

  #transform(answer: HttpResponse): void {
    this.#state = TRANSFORMING
    this.#answer = answer
    answer.seal()
    const { transform } = this.#fired
    if (transform === null || this.#skipsTransform || answer.isTransformed || answer.upgradeHandler !== null)
      return this.#settle(answer)
    const stage = this.#stage
    transform.callAsync(answer.fork(), this.#request, (error, changed) => {
      try {
        if (stage === this.#stage) this.#transformed(error, changed)
        else discard(changed)
      } catch (thrown) {
        this.#crashed(thrown)
      }
    })
    if (stage === this.#stage) this.#watchOver()
  }

  #transformed(error: Error | null, changed: HttpResponse | undefined): void {
    this.#stage++
    if (this.#failure !== null) return this.#abandon(changed)
    if (error !== null && error !== undefined) return this.#fail(error)
    this.#answer = changed!
    this.#settle(changed!)
  }

  /** Everything but the bytes: what an error lacks, preconditions and ranges, `deliver`. */
  #settle(answer: HttpResponse): void {
    const response = this.#fit(answer)
    if (response instanceof HttpError) return this.#fail(response)
    if (response.body !== answer.body) this.#discard()
    const delivered = this.#deliver(response)
    if (delivered !== null) this.#commit(delivered)
  }

  #fit(answer: HttpResponse): HttpResponse | HttpError {
    if (answer.status >= 400) return completed(answer, this.#request)
    return this.#takesError ? answer : select(answer, this.#request)
  }

  #deliver(response: HttpResponse): HttpResponse | null {
    const { deliver } = this.#fired
    if (deliver === null) return response
    return this.#ask(() => {
      const fork = response.seal().fork().deliver()
      deliver.call(fork, this.#request)
      return fork
    })
  }

  // --- the bytes -----------------------------------------------------------------------------------------------

  #commit(response: HttpResponse): void {
    this.#unwatch()
    if (this.#failure !== null) return this.#abandon(response)
    const isUpgrade = response.upgradeHandler !== null
    const cannot = isUpgrade ? upgradeError(response.upgradeProtocol!, this.#request) : null
    if (cannot !== null) return this.#fail(cannot, null)
    this.#answer = response
    this.#response = response
    this.#state = COMMITTING
    if (isUpgrade) this.#upgrade(response)
    else this.#send(response)
  }

  #send(response: HttpResponse): void {
    const { body, status } = response
    const hasNone = body === null || isBodyless(status) || status === 205
    // RFC 9110 section 15.3.6: a 205 says that it has no content.
    this.#length = status === 205 ? 0 : (response.declaredLength ?? lengthOf(body))
    if (hasNone || this.#request.method === 'HEAD') {
      if (hasNone && body !== null && lengthOf(body) !== 0)
        this.#report(dropped(status, this.#request, response.givenBy))
      this.#discard()
      return this.#end(null)
    }
    if (typeof body === 'string' || body instanceof Uint8Array) {
      this.sending(this.#length!)
      this.#sink.write(body)
      return this.finished()
    }
    this.#pump = new Pump(body, this.#length, this.#sink, this)
    this.#pump.start()
    // The head waits for the first bytes of this turn, so that a body that fails at once can still be a 500; that of
    // a file waits for the disk, since a file that is gone or changed shows when it is opened.
    if (!(body instanceof FileSlice || body instanceof MultipartRanges))
      setImmediate(() => this.#guarded(() => this.#commitHead()))
  }

  sending(bytes: number): void {
    this.#commitHead()
    this.#bodyBytes += bytes
  }

  #commitHead(): void {
    if (this.#state !== COMMITTING) return
    this.#state = SENDING
    this.#sink.head(this.#response!, this.#length)
  }

  finished(): void {
    this.#guarded(() => this.#end(this.#response!.trailerPart))
  }

  #end(trailers: Trailers | null): void {
    this.#commitHead()
    if (this.#state !== SENDING) return
    this.#state = ENDED
    if (trailers === null) return this.#sink.end()
    const fields = this.#fieldsOf(trailers)
    if (fields !== null) this.#sink.end(fields)
  }

  /**
   * The fields behind the body. When they fail, a body of unknown length breaks off (null): its head has announced
   * them, and whoever waits for them must not take it for a whole.
   */
  #fieldsOf(trailers: Trailers): readonly string[] | null {
    try {
      return checkedTrailers(trailers)
    } catch (thrown) {
      const error = asError(thrown)
      this.#report(faultOf(error, this.#request, this.#response!.givenBy))
      if (this.#length !== null) return []
      this.#break(error, true)
      return null
    }
  }

  failed(error: Error): void {
    this.#guarded(() => this.#bodyFailed(error))
  }

  #bodyFailed(error: Error): void {
    this.#pump = null
    const fault = faultIn(error, this.#request, this.#response?.givenBy)
    if (this.#state === COMMITTING) {
      this.#stage++
      return this.#fail(error, fault)
    }
    if (fault !== null) this.#report(fault)
    this.#break(error, fault !== null)
  }

  overran(declared: number): void {
    this.#report(overrun(declared, this.#request, this.#response?.givenBy))
  }

  #upgrade(response: HttpResponse): void {
    this.#state = ENDED
    try {
      const { stream, head, own } = this.#sink.upgrade!(response.upgradeRaw ? null : response)
      const owner = ownerIn(response.upgradeHandler!(stream, head))
      if (owner !== undefined) own?.(owner)
    } catch (error) {
      this.#report(faultOf(asError(error), this.#request, response.givenBy))
      this.#break(asError(error), true)
    }
  }

  #break(error: Error, isOurs: boolean): void {
    this.#isBroken = isOurs
    this.#failure ??= error
    this.#sink.reset(error)
  }

  // --- the end -------------------------------------------------------------------------------------------------

  /** The transport says how it ended: null when all is out. */
  #closed(reason: Error | null): void {
    if (this.#state === DONE) return
    this.#pump?.stop()
    this.#pump = null
    if (reason === null) return this.#finish()
    this.#failure ??= reason
    this.#request.abort(reason)
    // A handler that is still at work keeps its request until it is done with it.
    if (this.#state > TRANSFORMING) this.#abandon(undefined)
  }

  /** An answer that nobody waits for any more. */
  #abandon(answer: HttpResponse | undefined): void {
    discard(answer)
    this.#discard()
    this.#finish()
  }

  #finish(): void {
    if (this.#state === DONE) return
    this.#state = DONE
    this.#unwatch()
    // Whoever still reads the body would wait for ever: what is left of it is dropped.
    this.#request.bodyIfUsed?.fail(new Error('the request was answered'))
    const milliseconds = performance.now() - this.#request.startedAt
    const { bytes } = this.#sink
    const error = this.#failure
    const outcome: Outcome = {
      result: this.#result,
      bytes,
      bodyBytes: this.#bodyBytes,
      milliseconds,
      ...(error === null ? {} : { error }),
    }
    this.#fired.done?.call(this.#request, this.#response, outcome)
    this.#generation.unpin()
  }

  get #result(): Outcome['result'] {
    if (this.#request.refused !== null) return 'refused'
    if (this.#isBroken) return 'failed'
    if (this.#response !== null && this.#response.upgradeHandler !== null) return 'upgraded'
    if (this.#failure === null) return 'sent'
    return isLate(this.#failure) ? 'timeout' : 'aborted'
  }

  #discard(): void {
    discard(this.#answer)
    this.#answer = null
  }

  // --- the clock -----------------------------------------------------------------------------------------------

  /** Only an answer that takes its time is watched. */
  #watchOver(): void {
    if (this.#state > TRANSFORMING || this.#watch !== null) return
    const { deadlines } = this.#generation
    // The answer to an error has time of its own: that of the handler may be what ran out.
    const since = this.#takesError ? deadlines.now() : this.#startedAt
    this.#watch = new HandlerWatch(this.#request, deadlines, since, () =>
      this.#guarded(() => this.#timedOut()),
    )
    this.#generation.atWork.add(this)
  }

  #unwatch(): void {
    if (this.#watch === null) return
    this.#generation.atWork.delete(this)
    this.#watch.stop()
    this.#watch = null
  }

  #timedOut(): void {
    this.#unwatch()
    this.#stage++
    const tap = this.#request.pendingTap
    this.#request.pendingTap = null
    const error = lateError(this.#request, tap)
    this.#request.abort(error)
    if (this.#failure !== null) return this.#abandon(undefined)
    const { code, message } = error
    const fault = tap === null ? undefined : { ...tapFailed(error, tap, this.#request), code, message }
    if (this.#state !== TRANSFORMING) return this.#fail(error, fault)
    // Nobody waits a second time for a tap that hangs: the answer goes without it.
    this.#skipsTransform = true
    if (!this.#takesError) return this.#fail(error, fault)
    if (fault !== undefined) this.#report(fault)
    this.#settle(this.#answer!)
  }

  /** Ends now: the server stops, and whoever is still at work is not waited for. */
  cut(reason: Error): void {
    this.#stage++
    this.#failure ??= reason
    this.#request.abort(reason)
    this.#abandon(undefined)
    this.#sink.reset(reason)
  }

  #report(diagnostic: Diagnostic): void {
    this.#generation.report(diagnostic)
  }
}

/** Ends the body of an answer that will not be sent. */
function discard(answer: HttpResponse | null | undefined): void {
  if (answer !== null && answer !== undefined) destroyBody(answer.body)
}

function isLate(failure: Error): boolean {
  return failure instanceof DeadlineError || failure.cause instanceof DeadlineError
}
