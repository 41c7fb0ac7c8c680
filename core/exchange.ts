import { asError, HttpError, refusals } from './errors.ts'
import { answerFor } from './event-answer.ts'
import {
  COMMITTED,
  DONE,
  discard,
  ExchangeLife,
  GIVEN_AWAY,
  HANDLING,
  TRANSFORMING,
} from './exchange-life.ts'
import { faultIn, faultOf, refusalOf } from './faults.ts'
import { FileChangedError } from './file-slice.ts'
import { lateError } from './handler-watch.ts'
import { completed, errorResponse, shaped, unanswered, upgradeError } from './kernel-answers.ts'
import { ownerIn } from './owner.ts'
import { HttpResponse } from './response.ts'
import { select } from './selection.ts'
import { Sending, type SendingHost } from './sending.ts'
import { type Tap, tapFailed, tapOf } from './tap.ts'

/**
 * One request on its way to its answer: the line. `handle`, `transform`, preconditions, `deliver`, then the bytes
 * ({@link Sending}) and `done` ({@link ExchangeLife}). What fails on the way comes in again at `transform`.
 */
export class Exchange extends ExchangeLife implements SendingHost {
  /** The kernel answers alone. */
  #isBare = false
  /** Whether a file changed under the answer, so that the handler was asked again. */
  #isSecondTry = false
  /** A `transform` tap was late. */
  #skipsTransform = false

  /** Runs the line. It never throws. */
  run(): void {
    this.generation.pin()
    try {
      if (this.request.refused === null) this.#handle()
      else this.#refuse()
    } catch (thrown) {
      this.#crashed(thrown)
    }
  }

  #handle(): void {
    const { handle } = this.fired
    if (handle === null) return this.#handled(null, undefined)
    const stage = this.stage
    handle.callAsync(this.request, (error, answer) => {
      try {
        if (stage === this.stage) this.#handled(error, answer)
        else discard(answer)
      } catch (thrown) {
        this.#crashed(thrown)
      }
    })
    this.watchOver()
  }

  #handled(error: Error | null, answer: HttpResponse | undefined): void {
    this.stage++
    if (this.failure !== null) return this.abandon(answer)
    if (error !== null && error !== undefined) return this.fail(error)
    const given = answer ?? this.nobody()
    if (given instanceof HttpError) this.fail(given, null)
    else this.transform(given)
  }

  /** What the kernel says when nobody answered. */
  protected nobody(): HttpResponse | HttpError {
    return unanswered(this.request)
  }

  /** An answer is there, be it to an error: the representation is built. */
  protected transform(given: HttpResponse): void {
    this.state = TRANSFORMING
    const answer = answerFor(this.request, given)
    this.answer = answer
    answer.seal()
    const { transform } = this.fired
    if (transform === null || this.#skipsTransform || answer.isTransformed || answer.upgradeHandler !== null)
      return this.#settle(answer)
    const stage = this.stage
    transform.callAsync(answer.fork(), this.request, (error, changed) => {
      try {
        if (stage === this.stage) this.#transformed(error, changed)
        else discard(changed)
      } catch (thrown) {
        this.#crashed(thrown)
      }
    })
    if (stage === this.stage) this.watchOver()
  }

  #transformed(error: Error | null, changed: HttpResponse | undefined): void {
    this.stage++
    if (this.failure !== null) return this.abandon(changed)
    if (error !== null && error !== undefined) return this.fail(error)
    this.#settle(changed!)
  }

  /** Everything but the bytes: what an error lacks, preconditions and ranges, `deliver`. */
  #settle(given: HttpResponse): void {
    const answer = answerFor(this.request, given)
    this.answer = answer
    const response = this.fit(answer)
    if (response instanceof HttpError) return this.fail(response)
    if (response.body !== answer.body) this.discardAnswer()
    const delivered = this.#deliver(response)
    if (delivered !== null) this.commit(delivered)
  }

  /** What this request gets of the representation. */
  protected fit(answer: HttpResponse): HttpResponse | HttpError {
    if (answer.status >= 400) return completed(answer, this.request)
    return this.takesError ? answer : select(answer, this.request)
  }

  #deliver(response: HttpResponse): HttpResponse | null {
    const { deliver } = this.fired
    if (deliver === null) return response
    return this.#ask(() => {
      const fork = response.seal().fork().deliver()
      deliver.call(fork, this.request)
      return fork
    })
  }

  /** The answer stands: its bytes go out. */
  protected commit(response: HttpResponse): void {
    this.unwatch()
    if (this.failure !== null) return this.abandon(response)
    const isUpgrade = response.upgradeHandler !== null
    const cannot = isUpgrade ? upgradeError(response.upgradeProtocol!, this.request) : null
    if (cannot !== null) return this.fail(cannot, null)
    this.answer = response
    this.response = response
    this.state = COMMITTED
    if (isUpgrade) return this.#upgrade(response)
    this.sending = new Sending(response, this.request, this.sink, this)
    this.sending.start()
    if (this.state === COMMITTED && this.sending.isUnderWay) this.generation.atWork.add(this)
  }

  #upgrade(response: HttpResponse): void {
    this.state = GIVEN_AWAY
    this.generation.atWork.add(this)
    try {
      const { stream, head, own } = this.sink.upgrade!(response.upgradeRaw ? null : response)
      const owner = ownerIn(response.upgradeHandler!(stream, head))
      if (owner !== undefined) own?.(owner)
    } catch (error) {
      this.report(faultOf(asError(error), this.request, response.givenBy))
      this.breakOff(asError(error), true)
    }
  }

  // --- errors -------------------------------------------------------------------------------------------------

  /**
   * An error becomes an answer, once an exchange; after that the kernel answers alone.
   *
   * @param fault What the operator is told; null for what a client has brought about.
   */
  protected fail(error: Error, fault = faultIn(error, this.request)): void {
    this.discardAnswer()
    if (this.#mayTryAgain(error)) return this.tryAgain()
    if (fault !== null) this.report(fault)
    if (this.takesError) return this.answerBare()
    this.takesError = true
    const shown = error instanceof HttpError ? error : new HttpError(500, undefined, { cause: error })
    const answer = this.#ask(() => this.answerTo(shown, error), tapOf(error))
    if (answer !== null) this.transform(answer)
  }

  /** @param _error What `shown` was made of, when it was no HttpError. */
  protected answerTo(shown: HttpError, _error: Error): HttpResponse {
    const tapped = this.fired.error?.call(shown, this.request)
    return tapped === undefined ? errorResponse(shown) : shaped(tapped, shown)
  }

  // A deployment that puts a new file in place must not cost those who come at that moment their page.
  #mayTryAgain(error: Error): boolean {
    const { method } = this.request
    const isRead = method === 'GET' || method === 'HEAD'
    return error instanceof FileChangedError && isRead && !this.takesError && !this.#isSecondTry
  }

  protected tryAgain(): void {
    this.#isSecondTry = true
    this.stage++
    this.state = HANDLING
    // Whoever has rewritten the target does so again.
    this.request.locate(this.request.target)
    this.#handle()
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
      this.report(faultOf(asError(error), this.request, by))
      this.answerBare()
      return null
    }
  }

  #refuse(): void {
    const { id } = this.request.refused!
    const { status, sentence } = refusals[id]
    this.takesError = true
    this.report(refusalOf(this.request))
    // Whatever we wrote would not be understood.
    if (id === 'H1-TLS-HELLO') {
      this.state = GIVEN_AWAY
      return this.sink.reset(new Error(sentence))
    }
    const error = new HttpError(status, sentence, { code: id })
    const answer = this.#ask(() => this.refusal(error))
    if (answer !== null) this.#settle(answer.seal())
  }

  // The sentence is the kernel's own, and tells the client what to change: it is shown for a 5xx too.
  protected refusal(error: HttpError): HttpResponse {
    return this.askedForRefusal(error) ?? HttpResponse.error(error.status, error.message)
  }

  protected askedForRefusal(error: HttpError): HttpResponse | undefined {
    return this.generation.firedProtocolError?.call(error, this.request)
  }

  protected timedOut(): void {
    this.unwatch()
    this.stage++
    const tap = this.request.pendingTap
    this.request.pendingTap = null
    const error = lateError(this.request, tap)
    this.request.abort(error)
    if (this.failure !== null) return this.abandon(undefined)
    const { code, message } = error
    const fault = tap === null ? undefined : { ...tapFailed(error, tap, this.request), code, message }
    if (this.state !== TRANSFORMING) return this.fail(error, fault)
    // Nobody waits a second time for a tap that hangs: the answer goes without it.
    this.#skipsTransform = true
    if (!this.takesError) return this.fail(error, fault)
    if (fault !== undefined) this.report(fault)
    this.#settle(this.answer!)
  }

  failedUnsent(error: Error): void {
    this.stage++
    const fault = faultIn(error, this.request, this.response?.givenBy)
    this.response = null
    this.fail(error, fault)
  }

  failedSent(error: Error): void {
    const fault = faultIn(error, this.request, this.response?.givenBy)
    if (fault !== null) this.report(fault)
    this.breakOff(error, fault !== null)
  }

  // --- what must not happen -----------------------------------------------------------------------------------

  /**
   * What the kernel does between the hooks has failed, or a transport's sink: whatever an answer is made of must not
   * end the process. It becomes a bare 500 as long as no head is out.
   */
  #crashed(thrown: unknown): void {
    const error = asError(thrown)
    this.report(faultOf(error, this.request, (this.response ?? this.answer)?.givenBy))
    if (this.state === DONE) return
    const mayAnswer = this.state < GIVEN_AWAY && this.sending?.hasHead !== true
    if (mayAnswer && !this.#isBare) return this.guarded(() => this.answerBare())
    try {
      this.breakOff(error, true)
    } catch (again) {
      this.report(faultOf(asError(again), this.request))
      this.abandon(undefined)
    }
  }

  guarded(step: () => void): void {
    try {
      step()
    } catch (thrown) {
      this.#crashed(thrown)
    }
  }

  /** The last resort: no hook is asked. */
  protected answerBare(): void {
    this.#isBare = true
    this.sending?.stop()
    this.discardAnswer()
    this.stage++
    this.commit(HttpResponse.text('Internal Server Error\n', 500).close())
  }
}
