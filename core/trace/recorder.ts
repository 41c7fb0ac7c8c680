import { type Diagnostic, type HttpError, refusals } from '../errors.ts'
import type { Hook } from '../hook.ts'
import type { Outcome } from '../hooks.ts'
import type { HttpRequest } from '../request.ts'
import type { HttpResponse } from '../response.ts'
import { Slots } from '../slots.ts'
import type { Tap } from '../tap.ts'
import { FieldLog } from './fields.ts'
import { shown } from './mask.ts'
import { fieldRule, removalRule } from './rules.ts'
import { derivedSource, kernelSource, pluginSource, tracedBody } from './sources.ts'
import { fieldChanges, notAsked, now, TapRun } from './tap-run.ts'
import type {
  KernelStep,
  RequestTrace,
  TracedAnswer,
  TracedRequest,
  TracedSite,
  TraceRule,
  TraceSource,
  TraceStep,
} from './types.ts'

/** The hooks that a request meets, by name. */
export type TracedHooks = ReadonlyMap<string, Hook>

/** What an answer was before the kernel derived another one from it. */
interface Derivable {
  readonly status: number
  readonly fields: readonly string[]
}

/** What is answered when no tap is to name. */
const KERNEL = kernelSource({ text: 'the kernel answers', section: null })

const recorders = new WeakMap<HttpRequest, Recorder>()

/** What records a request; undefined for one that is not traced. */
export const recorderOf = (request: HttpRequest): Recorder | undefined => recorders.get(request)

/** What is noted of one traced request while it goes along the line. */
export class Recorder {
  readonly #request: HttpRequest
  readonly #site: TracedSite
  readonly #hooks: TracedHooks
  readonly #steps: (TapRun | TraceStep)[] = []
  /** The taps that ran since their hook was left last, by hook. */
  readonly #running = new Map<string, TapRun[]>()
  readonly #fields = new FieldLog()
  readonly #faults: { code: string; message: string }[] = []
  /** Who gave the answer first. */
  #source: TraceSource = KERNEL
  #answer: TracedAnswer | null = null
  #outcome: RequestTrace['outcome'] = null

  constructor(request: HttpRequest, site: TracedSite, hooks: TracedHooks) {
    this.#request = request
    this.#site = site
    this.#hooks = hooks
    recorders.set(request, this)
  }

  // --- taps -----------------------------------------------------------------------------------------------------

  enter(tap: Tap, given: unknown): TapRun {
    const run = new TapRun(tap, this.#request, given)
    this.#steps.push(run)
    const running = this.#running.get(tap.hook)
    if (running === undefined) this.#running.set(tap.hook, [run])
    else running.push(run)
    return run
  }

  /** The tap that was entered last is for other requests. */
  skipped(): void {
    const last = this.#steps.at(-1)
    if (last instanceof TapRun) last.outOfScope()
  }

  /** A tap came back; what it gave is the answer from now on, or the response that it was given is. */
  left(run: TapRun, given: unknown, answer: HttpResponse | undefined): void {
    run.left(answer)
    const { tap, result } = run
    if (result === 'answered') return this.#given(answer!, pluginSource(tap))
    if (result !== 'changed') return
    const after = (answer ?? given) as HttpResponse
    const changes = run.step().changes
    this.#fields.become(after.fields(), name => {
      const change = changes.find(each => each.what === 'field' && each.name === name)
      const rule = change?.what === 'field' ? change.rule : null
      return rule === null ? pluginSource(tap) : derivedSource(rule, tap)
    })
  }

  /** A hook is over: whom it did not ask, and why. */
  leave(hook: string, why?: string): void {
    const ran = this.#running.get(hook) ?? []
    if (ran.length === 0 && why === undefined) return
    this.#running.delete(hook)
    const last = ran.at(-1)
    const asked = new Set(ran.map(({ tap }) => tap))
    const note = (last === undefined ? undefined : endedBy(last)) ?? why ?? 'the line went on without it'
    for (const tap of this.#hooks.get(hook)?.taps ?? [])
      if (!asked.has(tap)) this.#steps.push(notAsked(tap, note))
  }

  // --- the kernel -----------------------------------------------------------------------------------------------

  kernel(
    note: string,
    section: string | null,
    status: number | null,
    changes: KernelStep['changes'] = [],
  ): void {
    this.#steps.push({ by: 'kernel', at: now(this.#request), note, section, status, changes })
  }

  /** The kernel answers by itself; null: with what is not there yet. */
  kernelGives(response: HttpResponse | null, rule: TraceRule): void {
    this.#given(response, kernelSource(rule))
  }

  /**
   * The kernel has derived another response from the answer so far.
   *
   * @param before What it was.
   */
  derived(before: Derivable, after: HttpResponse, note: string | null, section: string | null): void {
    const { status } = after
    const isHead = this.#request.method === 'HEAD'
    const changes = fieldChanges(before.fields, after.fields(), false).map(change => {
      const { name, to } = change
      return {
        ...change,
        rule: to === null ? removalRule(name, status) : fieldRule(name, to, status, isHead),
      }
    })
    if (note !== null) this.kernel(note, section, status === before.status ? null : status, changes)
    this.#fields.become(after.fields(), (name, _from, to) =>
      kernelSource(fieldRule(name, to ?? '', status, isHead)),
    )
  }

  /**
   * An error has become an answer: by the `error` tap that answered, else by the kernel, with the fields of the error.
   *
   * @param by Whose error it is.
   */
  failed(answer: HttpResponse, error: HttpError, by: TraceSource): void {
    const shaper = this.#running.get('error')?.findLast(({ result }) => result === 'answered')
    if (shaper === undefined) {
      this.#fields.clear()
      this.#source = by
    }
    const { status } = error
    this.#fields.become(answer.fields(), (name, _from, to) =>
      by.by === 'plugin' ? by : kernelSource(fieldRule(name, to ?? '', status, false)),
    )
  }

  /** The answer was committed to. */
  committed(response: HttpResponse): void {
    this.derived({ status: response.status, fields: [] }, response, null, null)
    const { status } = response
    this.#answer = { status, source: this.#source, fields: [], body: tracedBody(response) }
  }

  /** What the transport has put into the head. */
  framed(fields: readonly string[]): void {
    const isHead = this.#request.method === 'HEAD'
    const status = this.#answer?.status ?? 0
    this.#fields.become(
      [...this.#fields.lines.flatMap(({ name, value }) => [name, value]), ...fields],
      (name, _, to) => kernelSource(fieldRule(name, to ?? '', status, isHead)),
    )
  }

  fault({ code, message }: Diagnostic): void {
    this.#faults.push({ code, message })
  }

  ended({ error, ...outcome }: Outcome): void {
    this.#outcome = { ...outcome, error: error?.message ?? null }
  }

  #given(response: HttpResponse | null, source: TraceSource): void {
    this.#source = source
    this.#fields.clear()
    this.#fields.become(response?.fields() ?? [], () => source)
  }

  // --- the trace ------------------------------------------------------------------------------------------------

  /** What is known so far. */
  trace(): RequestTrace {
    const fields = this.#fields.lines.map(line => ({ ...line, value: shown(line.name, line.value) }))
    return {
      request: tracedRequest(this.#request),
      site: this.#site,
      steps: this.#steps.map(step => (step instanceof TapRun ? step.step() : step)),
      answer: this.#answer === null ? null : { ...this.#answer, fields },
      faults: [...this.#faults],
      outcome: this.#outcome,
    }
  }
}

/** Why the taps behind one were not asked. */
function endedBy({ tap, result }: TapRun): string | undefined {
  if (result === 'answered') return `${tap.plugin} answered before`
  if (result === 'threw') return `${tap.plugin} threw before`
  return result === 'unfinished' ? `${tap.plugin} did not come back in time` : undefined
}

function tracedRequest(request: HttpRequest): TracedRequest {
  const { method, target, path, search, version, scheme, host, client, receivedAt, headers, refused } =
    request
  return {
    method,
    target,
    path: `${path}${search}`,
    version,
    scheme,
    host,
    client: { ...client },
    receivedAt,
    headers: [...headers].map(([name, value]) => [name, shown(name, value)] as const),
    refused:
      refused === null
        ? null
        : { id: refused.id, sentence: refusals[refused.id].sentence, section: refused.section },
    id: request.get(Slots.requestId) ?? null,
    route: request.get(Slots.route) ?? null,
    cacheStatus: request.get(Slots.cacheStatus) ?? null,
  }
}
