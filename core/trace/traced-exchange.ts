import { type Diagnostic, HttpError } from '../errors.ts'
import { Exchange } from '../exchange.ts'
import { COMMITTED } from '../exchange-life.ts'
import type { Generation } from '../generation.ts'
import type { Outcome } from '../hooks.ts'
import type { HttpRequest } from '../request.ts'
import type { HttpResponse } from '../response.ts'
import type { Sink } from '../sink.ts'
import type { Site } from '../site.ts'
import { tapOf } from '../tap.ts'
import { nobodyRule, selectionRule } from './decisions.ts'
import { Recorder } from './recorder.ts'
import { sectionOf } from './rules.ts'
import { siteChoice } from './site-choice.ts'
import { kernelSource, pluginSource } from './sources.ts'
import type { TraceSource } from './types.ts'

type OnEnd = (recorder: Recorder) => void

/**
 * An exchange that notes what happens in it. It goes the same line: its hooks are those that record
 * (`traced-tap.ts`), and what the kernel decides between them is told from what went in and what came out.
 */
export class TracedExchange extends Exchange {
  readonly recorder: Recorder
  readonly #onEnd: OnEnd
  /** Whose error is being answered. */
  #culprit: TraceSource | null = null
  /** Whether what the transport put into the head is known. */
  #isFramed = false

  constructor(generation: Generation, site: Site, request: HttpRequest, sink: Sink, onEnd: OnEnd) {
    super(generation, site, site.traced!, request, sink)
    const hooks = new Map(site.hooks.all.map(hook => [hook.spec.name, hook]))
    hooks.set('protocolError', generation.hooks.protocolError)
    this.recorder = new Recorder(
      request,
      siteChoice(request, site, site !== generation.siteOf(request)),
      hooks,
    )
    this.#onEnd = onEnd
  }

  override report(diagnostic: Diagnostic): void {
    this.recorder.fault(diagnostic)
    super.report(diagnostic)
  }

  protected override nobody(): HttpResponse | HttpError {
    const given = super.nobody()
    const { recorder } = this
    recorder.leave('handle')
    const rule = nobodyRule(given)
    recorder.kernel(rule.text, rule.section, given.status)
    if (given instanceof HttpError) this.#culprit = kernelSource(rule)
    else recorder.kernelGives(given, rule)
    return given
  }

  protected override transform(given: HttpResponse): void {
    this.recorder.leave('handle')
    this.recorder.leave('error')
    super.transform(given)
  }

  protected override fit(answer: HttpResponse): HttpResponse | HttpError {
    const { recorder, request } = this
    recorder.leave('transform', this.#whyUntransformed(answer))
    const before = { status: answer.status, fields: [...answer.fields()], hasBody: answer.body !== null }
    const fitted = super.fit(answer)
    const rule = answer.status >= 400 || this.takesError ? null : selectionRule(answer, fitted, request)
    if (fitted instanceof HttpError) {
      recorder.kernel(rule!.text, rule!.section, fitted.status)
      this.#culprit = kernelSource(rule!)
      return fitted
    }
    const isTold = answer.status >= 400 && !before.hasBody
    const note = rule?.text ?? (isTold ? 'the error has no body yet: it gets a text' : null)
    recorder.derived(before, fitted, note, rule?.section ?? null)
    return fitted
  }

  #whyUntransformed(answer: HttpResponse): string | undefined {
    // What the line never comes by is no news.
    if (this.request.refused !== null) return undefined
    if (answer.upgradeHandler !== null) return 'an upgrade has no representation'
    return answer.isTransformed
      ? 'the answer is marked as transformed already'
      : 'a tap of transform was late'
  }

  protected override commit(response: HttpResponse): void {
    this.recorder.leave('deliver')
    this.recorder.committed(response)
    super.commit(response)
    this.#frame()
    // A head that waits for its body is out at the end of the turn, and that of a file when the disk has answered.
    if (!this.#isFramed && this.state === COMMITTED) setImmediate(() => this.#frame())
  }

  #frame(): void {
    if (this.#isFramed || this.response === null) return
    const isUpgrade = this.response.upgradeHandler !== null
    if (!isUpgrade && this.sending?.hasHead !== true) return
    this.#isFramed = true
    this.recorder.framed(this.sink.derived?.(this.response, this.sending?.length ?? null) ?? [])
  }

  protected override fail(error: Error, fault?: Diagnostic | null): void {
    const { recorder } = this
    const tap = tapOf(error)
    recorder.leave('handle')
    if (tap !== undefined) {
      this.#culprit = pluginSource(tap)
      recorder.leave(tap.hook)
      if (!(error instanceof HttpError))
        recorder.kernel('what is thrown and is no HttpError is a 500, its text hidden', sectionOf(500), 500)
    }
    if (fault === undefined) super.fail(error)
    else super.fail(error, fault)
  }

  protected override answerTo(shown: HttpError, error: Error): HttpResponse {
    const answer = super.answerTo(shown, error)
    const culprit = this.#culprit ?? kernelSource({ text: shown.message, section: sectionOf(shown.status) })
    this.recorder.failed(answer, shown, culprit)
    return answer
  }

  protected override refusal(error: HttpError): HttpResponse {
    const rule = { text: `the message was refused: ${error.message}`, section: this.request.refused!.section }
    this.recorder.kernel(rule.text, rule.section, error.status)
    this.recorder.kernelGives(null, rule)
    const answer = super.refusal(error)
    this.recorder.leave('protocolError')
    return answer
  }

  protected override askedForRefusal(error: HttpError): HttpResponse | undefined {
    return this.generation.tracedProtocolError?.call(error, this.request)
  }

  protected override tryAgain(): void {
    this.recorder.kernel(
      'the file was another one when it was opened: the request is handled once more',
      null,
      null,
    )
    super.tryAgain()
  }

  protected override timedOut(): void {
    const { handlerTimeout } = this.request.effectiveLimits
    const text = `limits.handlerTimeout (${handlerTimeout} ms) passed`
    this.recorder.kernel(text, sectionOf(503), 503)
    this.#culprit = kernelSource({ text, section: sectionOf(503) })
    super.timedOut()
  }

  protected override answerBare(): void {
    const text = 'a second failure: the kernel answers without hooks'
    this.recorder.kernel(text, sectionOf(500), 500)
    this.recorder.kernelGives(null, { text, section: sectionOf(500) })
    super.answerBare()
  }

  protected override tellDone(outcome: Outcome): void {
    super.tellDone(outcome)
    this.#frame()
    this.recorder.ended(outcome)
    this.#onEnd(this.recorder)
  }
}
