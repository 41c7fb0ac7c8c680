import { HttpError } from '../errors.ts'
import type { HttpRequest } from '../request.ts'
import { HttpResponse } from '../response.ts'
import { stageText } from '../stages.ts'
import type { Tap } from '../tap.ts'
import { differences } from './fields.ts'
import { shownOr } from './mask.ts'
import { derivedRule } from './rules.ts'
import { tracedBody } from './sources.ts'
import type { TapStep, TraceChange, TracedBody } from './types.ts'

/** What a response was before a tap got it. */
interface Before {
  readonly response: HttpResponse
  readonly status: number
  readonly fields: readonly string[]
  readonly held: HttpResponse['body']
  readonly body: TracedBody
}

/** What taps may do to a request. */
interface RequestBefore {
  readonly path: string
  readonly restriction: string | null
  readonly allowed: number
}

/** A tap while it runs for a traced request, and what it has done then. */
export class TapRun {
  readonly tap: Tap
  result: TapStep['result'] = 'unfinished'
  readonly #at: number
  readonly #request: HttpRequest
  readonly #before: Before | null
  readonly #requestBefore: RequestBefore
  #milliseconds: number | null = null
  #status: number | null = null
  #note: string | null = null
  #changes: TraceChange[] = []

  constructor(tap: Tap, request: HttpRequest, given: unknown) {
    this.tap = tap
    this.#request = request
    // What an `error` tap is given is no response.
    this.#before = given instanceof HttpResponse ? stateOf(given) : null
    this.#requestBefore = effectsOn(request)
    this.#at = now(request)
  }

  outOfScope(): void {
    this.result = 'out-of-scope'
  }

  /** The tap came back. */
  left(answer: unknown): void {
    this.#milliseconds = round(now(this.#request) - this.#at)
    this.#changes = [...this.#requestChanges(), ...this.#responseChanges(answer)]
    this.result = this.#resultOf(answer)
  }

  threw(error: unknown): void {
    this.#milliseconds = round(now(this.#request) - this.#at)
    this.#changes = this.#requestChanges()
    this.result = 'threw'
    this.#status = error instanceof HttpError ? error.status : null
    this.#note = error instanceof Error ? error.message : String(error)
  }

  #resultOf(answer: unknown): TapStep['result'] {
    if (this.#before !== null) return this.#changes.length > 0 ? 'changed' : 'passed'
    if (!(answer instanceof HttpResponse)) return 'passed'
    this.#status = answer.status
    return 'answered'
  }

  #requestChanges(): TraceChange[] {
    const { path, restriction, allowed } = this.#requestBefore
    const after = effectsOn(this.#request)
    const notes: string[] = []
    if (after.path !== path) notes.push(`rewrote the target to ${after.path}`)
    if (after.restriction !== restriction)
      notes.push(`said that the answer depends on who the client is: ${after.restriction}`)
    if (after.allowed !== allowed)
      notes.push(`knows the path, with ${[...this.#request.allowed!].slice(allowed).join(', ')}`)
    return notes.map(note => ({ what: 'request', note }))
  }

  #responseChanges(answer: unknown): TraceChange[] {
    const before = this.#before
    if (before === null) return []
    return changesBetween(before, stateOf(answer instanceof HttpResponse ? answer : before.response))
  }

  step(): TapStep {
    const { tap, result } = this
    const ran = result !== 'out-of-scope'
    return {
      ...stepOf(tap),
      result,
      at: ran ? this.#at : null,
      milliseconds: this.#milliseconds,
      status: this.#status,
      note: this.#note,
      changes: this.#changes,
    }
  }
}

/** What did not run, and why. */
export function notAsked(tap: Tap, note: string): TapStep {
  const nothing = { at: null, milliseconds: null, status: null, changes: [] }
  return { ...stepOf(tap), ...nothing, result: 'not-asked', note }
}

function stepOf({ hook, plugin, name, stage, pluginPlace, place }: Tap) {
  const stageName = stageText(hook, stage)
  return {
    by: 'plugin',
    hook,
    plugin,
    tap: name,
    stage,
    stageName,
    configured: pluginPlace,
    tapped: place,
  } as const
}

/** Milliseconds since the head of a request was complete, to the microsecond. */
export const now = ({ startedAt }: HttpRequest): number => round(performance.now() - startedAt)

const round = (milliseconds: number): number => Math.round(milliseconds * 1_000) / 1_000

function stateOf(response: HttpResponse): Before {
  const { status, body } = response
  return { response, status, fields: [...response.fields()], held: body, body: tracedBody(response) }
}

const effectsOn = (request: HttpRequest): RequestBefore => ({
  path: `${request.path}${request.search}`,
  restriction: request.restriction,
  allowed: request.allowed?.size ?? 0,
})

function changesBetween(before: Before, after: Before): TraceChange[] {
  const changes: TraceChange[] = []
  if (after.status !== before.status) changes.push({ what: 'status', from: before.status, to: after.status })
  const hasOtherBody = after.held !== before.held
  if (hasOtherBody) changes.push({ what: 'body', from: before.body, to: after.body })
  return [...changes, ...fieldChanges(before.fields, after.fields, hasOtherBody)]
}

/** Field by field, with the rule where the kernel drew a consequence. */
export function fieldChanges(
  before: readonly string[],
  after: readonly string[],
  hasOtherBody: boolean,
): Extract<TraceChange, { what: 'field' }>[] {
  const changed = differences(before, after)
  const isCoded = hasOtherBody && changed.some(({ name, to }) => name === 'content-encoding' && to !== null)
  return changed.map(change => ({
    what: 'field',
    name: change.name,
    from: shownOr(change.name, change.from),
    to: shownOr(change.name, change.to),
    rule: derivedRule({ ...change, isCoded, hasOtherBody }),
  }))
}
