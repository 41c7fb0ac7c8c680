import { checkPreconditions } from './conditional.ts'
import { DeadlineError, type Timed } from './deadlines.ts'
import { asError, type Diagnostic, HttpError, reasonPhrase, refusals } from './errors.ts'
import type { Generation } from './generation.ts'
import { isBodyless } from './head-bytes.ts'
import { flatFields } from './headers.ts'
import type { Outcome } from './hooks.ts'
import { Pump, type PumpHost } from './pump.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'
import { destroyBody, lengthOf } from './response-body.ts'
import type { Sink } from './sink.ts'
import type { FiredHooks, Site } from './site.ts'
import { tapFailed, tapOf, tapText } from './tap.ts'

const HANDLING = 0
const TRANSFORMING = 1
/** The head is delivered and waits for its first body bytes. */
const COMMITTING = 2
const SENDING = 3
/** Everything was given to the sink. */
const ENDED = 4
const DONE = 5

/** Bytes of a body that go to the sink at once; a larger one goes in pieces, so that progress can be seen. */
const WHOLE_BYTES = 262_144

/** Methods that the kernel knows the meaning of: with no answer they get 404 or 405, others 501. */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'])

/**
 * One request on its way to its answer: the line. `handle`, `error`, `transform`, preconditions, `deliver`, the head,
 * the body, `done`. One state field drives it, so that `done` runs exactly once and a late answer finds no way in.
 */
export class Exchange implements Timed, PumpHost {
  deadline = Number.POSITIVE_INFINITY
  readonly #generation: Generation
  readonly #request: HttpRequest
  readonly #sink: Sink
  readonly #site: Site
  readonly #fired: FiredHooks
  #state = HANDLING
  /** Counts the stages: an answer that belongs to an earlier one is late. */
  #stage = 0
  #response: HttpResponse | null = null
  #pump: Pump | null = null
  #takesError = false
  #isBare = false
  /** The body failed after the head was out. */
  #isBroken = false
  #failure: Error | null = null
  #length: number | null = 0

  constructor(generation: Generation, site: Site, request: HttpRequest, sink: Sink) {
    this.#generation = generation
    this.#site = site
    this.#fired = site.fired
    this.#request = request
    this.#sink = sink
    request.currentSite = site
    request.sink = sink
    sink.onClose = reason => this.#closed(reason)
  }

  /** Runs the line. It never throws. */
  run(): void {
    this.#generation.pin()
    if (this.#request.refused !== null) return this.#refuse()
    const { handle } = this.#fired
    if (handle === null) return this.#handled(null, undefined)
    const stage = this.#stage
    handle.callAsync(this.#request, (error, answer) => {
      if (stage !== this.#stage) this.#late(answer)
      else this.#handled(error, answer)
    })
    this.#watch()
  }

  // --- answers -------------------------------------------------------------------------------------------------

  #handled(error: Error | null, answer: HttpResponse | undefined): void {
    this.#stage++
    if (this.#failure !== null) return this.#abandon(answer)
    if (error !== null && error !== undefined) return this.#fail(error)
    if (answer !== undefined) return this.#transform(answer.seal())
    try {
      this.#transform(unanswered(this.#request))
    } catch (nobody) {
      this.#fail(asError(nobody))
    }
  }

  /** An error becomes an answer, once an exchange; after that the kernel answers alone. */
  #fail(error: Error): void {
    const isHidden = !(error instanceof HttpError)
    if (isHidden || error.status >= 500) this.#report(faultOf(error, this.#request))
    if (this.#takesError) return this.#answerBare()
    this.#takesError = true
    const shown = isHidden ? new HttpError(500, undefined, { cause: error }) : error
    try {
      const answer = this.#fired.error?.call(shown, this.#request)
      this.#transform(answer === undefined ? errorResponse(shown) : answer.seal())
    } catch (second) {
      this.#report(faultOf(asError(second), this.#request))
      this.#answerBare()
    }
  }

  #refuse(): void {
    const { id } = this.#request.refused!
    const { status, sentence } = refusals[id]
    this.#takesError = true
    this.#report(refusalOf(this.#request, sentence))
    // Whatever we wrote would not be understood.
    if (id === 'H1-TLS-HELLO') {
      this.#state = ENDED
      return this.#sink.reset(new Error(sentence))
    }
    const error = new HttpError(status, sentence, { code: id })
    try {
      const answer = this.#generation.firedProtocolError?.call(error, this.#request)
      this.#settle(answer === undefined ? errorResponse(error) : answer.seal().fork())
    } catch (failed) {
      this.#report(faultOf(asError(failed), this.#request))
      this.#answerBare()
    }
  }

  /** The last resort: no hook is asked. */
  #answerBare(): void {
    this.#stage++
    this.#isBare = true
    this.#commit(HttpResponse.text('Internal Server Error\n', 500).close())
  }

  // --- the representation --------------------------------------------------------------------------------------

  #transform(answer: HttpResponse): void {
    this.#state = TRANSFORMING
    const { transform } = this.#fired
    if (transform === null || answer.isTransformed || answer.upgradeHandler !== null)
      return this.#settle(answer)
    const stage = this.#stage
    transform.callAsync(answer.seal().fork(), this.#request, (error, changed) => {
      if (stage !== this.#stage) return this.#late(changed)
      this.#stage++
      if (this.#failure !== null) return this.#abandon(changed)
      if (error !== null && error !== undefined) {
        destroyBody(answer.body)
        this.#fail(error)
      } else this.#settle(changed!)
    })
    if (stage === this.#stage) this.#watch()
  }

  /** Everything but the bytes: text for an empty error, preconditions, `deliver`. */
  #settle(answer: HttpResponse): void {
    this.#state = TRANSFORMING
    try {
      let response = answer
      if (answer.status >= 400 && answer.body === null) response = withText(answer)
      else if (answer.status === 200 && !this.#takesError) response = this.#conditional(answer)
      this.#commit(this.#deliver(response))
    } catch (error) {
      destroyBody(answer.body)
      if (error instanceof HttpError && !this.#takesError) return this.#fail(error)
      this.#report(faultOf(asError(error), this.#request))
      this.#answerBare()
    }
  }

  #conditional(response: HttpResponse): HttpResponse {
    const request = this.#request
    if (!request.hasConditions || (request.method !== 'GET' && request.method !== 'HEAD')) return response
    const etag = response.field('etag')
    const lastModified = response.field('last-modified')
    const verdict = checkPreconditions(request, { etag, lastModified, exists: true })
    if (verdict === 'go') return response
    destroyBody(response.body)
    if (verdict === 'failed') throw new HttpError(412)
    return response.notModified()
  }

  #deliver(response: HttpResponse): HttpResponse {
    const { deliver } = this.#fired
    if (deliver === null) return response
    const fork = response.seal().fork().deliver()
    deliver.call(fork, this.#request)
    return fork
  }

  // --- the bytes -----------------------------------------------------------------------------------------------

  #commit(response: HttpResponse): void {
    this.#unwatch()
    if (this.#failure !== null) return this.#abandon(response)
    this.#response = response
    this.#state = COMMITTING
    const { body } = response
    if (response.upgradeHandler !== null) return this.#upgrade(response)
    this.#length = response.declaredLength ?? lengthOf(body)
    if (this.#request.method === 'HEAD' || isBodyless(response.status) || body === null) {
      destroyBody(body)
      this.commit()
      return this.finished()
    }
    if (typeof body === 'string' || body instanceof Uint8Array) {
      if (this.#length! <= WHOLE_BYTES) {
        this.commit()
        this.#sink.write(body)
        return this.finished()
      }
    }
    this.#pump = new Pump(body, this.#length, this.#sink, this)
    this.#pump.start()
    // The head waits for the first bytes of this turn, so that a body that fails at once can still be a 500.
    setImmediate(() => this.commit())
  }

  commit(): void {
    if (this.#state !== COMMITTING) return
    this.#state = SENDING
    this.#sink.head(this.#response!, this.#length)
  }

  finished(): void {
    this.commit()
    if (this.#state !== SENDING) return
    this.#state = ENDED
    const trailers = this.#response?.trailerPart ?? null
    if (trailers === null) return this.#sink.end()
    try {
      this.#sink.end(flatFields(trailers.values()))
    } catch (error) {
      this.#report(faultOf(asError(error), this.#request))
      this.#sink.end()
    }
  }

  failed(error: Error): void {
    this.#pump = null
    if (this.#state === COMMITTING) {
      this.#stage++
      if (!this.#isBare) return this.#fail(error)
    }
    this.#report(faultOf(error, this.#request))
    this.#isBroken = true
    this.#failure = error
    this.#sink.reset(error)
  }

  overran(declared: number): void {
    const message = `the body of ${this.#request.summary} ran over its declared ${declared} bytes; the rest was cut`
    this.#report({ code: 'BODY_TOO_LONG', message, severity: 'error', site: this.#site.name })
  }

  #upgrade(response: HttpResponse): void {
    const { headers } = this.#request
    if (!headers.has('upgrade')) {
      return this.#fail(new HttpError(426, undefined, { headers: { upgrade: response.upgradeProtocol! } }))
    }
    if (this.#sink.upgrade === undefined)
      return this.#fail(new HttpError(501, 'this connection cannot be upgraded'))
    this.#state = ENDED
    try {
      const { stream, head } = this.#sink.upgrade(response.upgradeRaw ? null : response)
      response.upgradeHandler!(stream, head)
    } catch (error) {
      this.#report(faultOf(asError(error), this.#request))
      this.#sink.reset(asError(error))
    }
  }

  // --- the end -------------------------------------------------------------------------------------------------

  /** The transport says how it ended: null when all is out. */
  #closed(reason: Error | null): void {
    if (this.#state === DONE) return
    this.#pump?.stop()
    this.#pump = null
    if (reason === null) return this.#finish(this.#endedResult(), null)
    this.#failure ??= reason
    this.#request.abort(reason)
    // A handler that is still at work keeps its request until it is done with it.
    if (this.#state > TRANSFORMING) this.#finish(this.#cutResult(), this.#failure)
  }

  #endedResult(): Outcome['result'] {
    if (this.#request.refused !== null) return 'refused'
    return this.#response !== null && this.#response.upgradeHandler !== null ? 'upgraded' : 'sent'
  }

  #cutResult(): Outcome['result'] {
    if (this.#request.refused !== null) return 'refused'
    if (this.#failure instanceof DeadlineError) return 'timeout'
    return this.#isBroken ? 'failed' : 'aborted'
  }

  /** An answer that nobody waits for any more. */
  #abandon(answer: HttpResponse | undefined): void {
    if (answer !== undefined) destroyBody(answer.body)
    this.#finish(this.#cutResult(), this.#failure)
  }

  #late(answer: HttpResponse | undefined): void {
    if (answer !== undefined) destroyBody(answer.body)
  }

  #finish(result: Outcome['result'], error: Error | null): void {
    if (this.#state === DONE) return
    this.#state = DONE
    this.#unwatch()
    const milliseconds = performance.now() - this.#request.startedAt
    const outcome: Outcome = {
      result,
      bytes: this.#sink.bytes,
      milliseconds,
      ...(error === null ? {} : { error }),
    }
    this.#fired.done?.call(this.#request, this.#response, outcome)
    this.#generation.unpin()
  }

  // --- the clock -----------------------------------------------------------------------------------------------

  /** Only an answer that takes its time is watched. */
  #watch(): void {
    if (this.#state > TRANSFORMING || this.deadline !== Number.POSITIVE_INFINITY) return
    this.deadline = this.#limit()
    this.#generation.deadlines.add(this)
  }

  #unwatch(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) return
    this.deadline = Number.POSITIVE_INFINITY
    this.#generation.deadlines.delete(this)
  }

  #limit(): number {
    const waited = this.#request.bodyIfUsed?.waited(Date.now()) ?? 0
    return this.#request.startedAt + this.#request.effectiveLimits.handlerTimeout + waited
  }

  expire(now: number): void {
    this.deadline = this.#limit()
    if (now <= this.deadline || this.#request.bodyIfUsed?.isWaiting === true) return
    this.#unwatch()
    this.#stage++
    const tap = this.#request.pendingTap
    const by = tap === null ? 'the handler' : tapText(tap)
    const { handlerTimeout } = this.#request.effectiveLimits
    const error = new HttpError(503, `${by} did not answer within ${handlerTimeout} ms`, {
      code: 'HANDLER_TIMEOUT',
    })
    this.#request.pendingTap = null
    this.#request.abort(error)
    if (this.#failure !== null) return this.#finish(this.#cutResult(), this.#failure)
    if (tap === null) this.#fail(error)
    else this.#timedOut(error, tap)
  }

  #timedOut(error: HttpError, tap: NonNullable<HttpRequest['pendingTap']>): void {
    this.#report({ ...tapFailed(error, tap, this.#request), code: error.code, message: error.message })
    if (this.#takesError) return this.#answerBare()
    this.#takesError = true
    this.#transform(errorResponse(error))
  }

  #report(diagnostic: Diagnostic): void {
    this.#generation.report(diagnostic)
  }
}

/** What the kernel says when no tap answered. */
function unanswered(request: HttpRequest): HttpResponse {
  const { method, allowed } = request
  if (allowed !== null) {
    if (allowed.has('GET')) allowed.add('HEAD')
    const allow = [...allowed.add('OPTIONS')].sort().join(', ')
    if (method === 'OPTIONS') return HttpResponse.empty({ status: 204, headers: { allow } })
    throw new HttpError(405, undefined, { headers: { allow } })
  }
  if (request.path === '*') return HttpResponse.empty(204)
  throw new HttpError(KNOWN_METHODS.has(method) ? 404 : 501)
}

/** An error as an empty answer: error pages fill it, else {@link withText}. */
function errorResponse(error: HttpError): HttpResponse {
  const detail =
    error.status < 500 && error.message !== reasonPhrase(error.status) ? error.message : undefined
  return HttpResponse.error(error.status, detail, { headers: error.headers })
}

function withText(answer: HttpResponse): HttpResponse {
  const response = answer.seal().fork()
  const detail = answer.detail === null ? '' : `\n${answer.detail}`
  response.body = `${answer.status} ${reasonPhrase(answer.status)}${detail}\n`
  return response.set('content-type', 'text/plain; charset=utf-8')
}

function faultOf(error: Error, request: HttpRequest): Diagnostic {
  const tap = tapOf(error)
  if (tap !== undefined) return tapFailed(error, tap, request)
  const code = error instanceof HttpError ? error.code : 'EXCHANGE_FAILED'
  const message = `${request.summary} failed: ${error.message}`
  return {
    code,
    message,
    severity: 'error',
    site: request.currentSite?.name,
    request: request.summary,
    cause: error,
  }
}

function refusalOf(request: HttpRequest, sentence: string): Diagnostic {
  const { id, section } = request.refused!
  const severity = id === 'H1-TLS-HELLO' ? 'warning' : 'info'
  const { address } = request.client
  const message = `a message${address === '' ? '' : ` from ${address}`} was refused: ${sentence} (${section})`
  return { code: id, message, severity, site: '-', request: request.summary }
}
