import type { HookContext, HookSpec } from './hook.ts'
import { pend } from './pending.ts'
import { inBrackets } from './place.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'
import { destroyBody } from './response-body.ts'
import { blame, calledTwice, type Tap, tapFailed, tapText } from './tap.ts'

// biome-ignore lint/suspicious/noExplicitAny: the guard stands between typed interfaces on both sides.
export type AnyFunction = (...args: any[]) => any

/** What a guard knows of the tap that it stands before. */
export interface Guarded {
  readonly tap: Tap
  readonly spec: HookSpec
  readonly context: HookContext
  /** Whether the tap stands early enough to give the request another target. */
  readonly rewrites: boolean
}

/** A tap that answers at once. */
export function guardSync({ tap, spec, rewrites }: Guarded, fn: AnyFunction): AnyFunction {
  const call = rewrites ? rewriting(fn) : fn
  const { requestAt } = spec
  return (a, b) => {
    const request = requestAt === -1 ? null : requestAt === 0 ? a : b
    if (request !== null) request.tap = tap
    try {
      const answer = call(a, b)
      if (answer === undefined) return undefined
      refusePromise(answer, tap, spec)
      return spec.check(answer, a, tap, request)
    } catch (error) {
      throw blame(error, tap)
    }
  }
}

/** A tap that answers at once and only watches: its failure is reported, and the others still run. */
export function guardObserver({ tap, spec, context }: Guarded, fn: AnyFunction): AnyFunction {
  return (a, b, c) => {
    if (spec.requestAt === 0) a.tap = tap
    try {
      const answer = fn(a, b, c)
      refusePromise(answer, tap, spec)
      spec.check(answer, a, tap, null)
    } catch (error) {
      context.report(tapFailed(blame(error, tap), tap, spec.requestAt === 0 ? a : null))
    }
  }
}

/** A tap that answers by a callback, maybe later. */
export function guardAsync(guarded: Guarded, fn: AnyFunction): AnyFunction {
  switch (guarded.spec.requestAt) {
    case 0:
      return (request, callback) => {
        const settle = begin(guarded, request, request, callback)
        try {
          watch(fn(request, settle), settle)
        } catch (error) {
          settle(error, undefined, true)
        }
      }
    case 1:
      return (given, request, callback) => {
        const settle = begin(guarded, given, request, callback)
        try {
          watch(fn(given, request, settle), settle)
        } catch (error) {
          settle(error, undefined, true)
        }
      }
    default:
      return (...args) => {
        const callback = args.pop()
        const done = pend(tapText(guarded.tap))
        const settle = begin(guarded, undefined, null, (...answer) => {
          done()
          callback(...answer)
        })
        try {
          watch(fn(...args, settle), settle)
        } catch (error) {
          settle(error, undefined, true)
        }
      }
  }
}

/** An async function in the form of a callback: tapable's own form makes a promise also when a scope skips the tap. */
export function byCallback(fn: AnyFunction): AnyFunction {
  return (...args) => {
    const settle: Settle = args.pop()
    const answer = fn(...args)
    if (!isPromise(answer)) return settle(null, answer)
    answer.then(
      value => settle(null, value),
      reason => settle(reason, undefined, true),
    )
  }
}

type Settle = (error: unknown, answer?: unknown, isThrown?: boolean) => void

// An async function that takes the callback: what it throws is no less a failure.
function watch(answer: unknown, settle: Settle): void {
  if (isPromise(answer)) answer.then(undefined, reason => settle(reason, undefined, true))
}

/** Enters a tap. What it gives takes the tap's answer once, and leaves the tap. */
function begin(guarded: Guarded, given: unknown, request: HttpRequest | null, callback: AnyFunction): Settle {
  const { tap, rewrites } = guarded
  if (request !== null) {
    request.tap = tap
    request.pendingTap = tap
    if (rewrites) request.canRewrite = true
  }
  let isSettled = false
  let first: unknown
  return (error, answer, isThrown = false) => {
    if (isSettled) return again(guarded, request, isThrown ? error : undefined, first, answer)
    isSettled = true
    first = answer
    if (request !== null) leave(request, guarded)
    if (isThrown || (error !== null && error !== undefined)) return failed(guarded, request, error, callback)
    let checked: unknown
    try {
      checked = guarded.spec.check(answer, given, guarded.tap, request)
    } catch (wrong) {
      return failed(guarded, request, wrong, callback)
    }
    callback(null, checked)
  }
}

// After a time-out another tap may be the one that everybody waits for.
function leave(request: HttpRequest, { tap, rewrites }: Guarded): void {
  if (request.pendingTap === tap) request.pendingTap = null
  if (rewrites) request.canRewrite = false
}

function failed(
  { tap, spec, context }: Guarded,
  request: HttpRequest | null,
  thrown: unknown,
  callback: AnyFunction,
): void {
  const error = blame(thrown, tap)
  if (!spec.isObserver) return callback(error)
  context.report(tapFailed(error, tap, request))
  callback()
}

// tapable would run everything behind the tap twice, and the second answer would go to another request.
function again(
  { tap, context }: Guarded,
  request: HttpRequest | null,
  thrown: unknown,
  first: unknown,
  answer: unknown,
): void {
  if (thrown !== undefined) return context.report(tapFailed(blame(thrown, tap), tap, request))
  context.report(calledTwice(tap, request))
  if (!(answer instanceof HttpResponse)) return
  if (!(first instanceof HttpResponse) || first.body !== answer.body) destroyBody(answer.body)
}

function rewriting(fn: AnyFunction): AnyFunction {
  return (request: HttpRequest) => {
    request.canRewrite = true
    try {
      return fn(request)
    } finally {
      request.canRewrite = false
    }
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function refusePromise(answer: unknown, { place }: Tap, { isAsync }: HookSpec): void {
  if (!isPromise(answer)) return
  // Nobody waits for it: a rejection would end the process.
  answer.then(undefined, () => undefined)
  const hint = isAsync ? 'an async function needs tapPromise' : 'this hook waits for nobody'
  throw new TypeError(`expected an answer at once, got a promise; ${hint}${inBrackets(place)}`)
}
