import type { AnyFunction } from '../guard.ts'
import type { HookSpec, Test } from '../hook.ts'
import type { HttpRequest } from '../request.ts'
import type { Tap } from '../tap.ts'
import { type Recorder, recorderOf } from './recorder.ts'

/** The parts of a tap that fires. */
interface Parts {
  readonly tap: Tap
  readonly spec: HookSpec
  /** The tap behind its guard. */
  readonly guard: AnyFunction
  /** Of its scope. */
  readonly test: Test | null
}

/** A tap as traced requests meet it: what it does is recorded. Other requests never come here. */
export function tracedTap(parts: Parts): AnyFunction {
  if (parts.spec.requestAt === -1) return parts.guard
  if (parts.tap.kind === 'sync') return tracedSync(parts)
  return parts.spec.requestAt === 0 ? tracedHandle(parts) : tracedTransform(parts)
}

function tracedSync({ tap, spec, guard, test }: Parts): AnyFunction {
  const isFirst = spec.requestAt === 0
  return (a, b, c) => {
    const request: HttpRequest = isFirst ? a : b
    const recorder = of(request)
    const run = recorder.enter(tap, isFirst ? null : a)
    if (test !== null && !test(request)) return run.outOfScope()
    try {
      const answer = guard(a, b, c)
      recorder.left(run, a, answer)
      return answer
    } catch (error) {
      run.threw(error)
      throw error
    }
  }
}

function tracedHandle({ tap, guard, test }: Parts): AnyFunction {
  return (request, callback) => {
    const settle = entered(tap, request, null, callback)
    if (test === null || test(request)) return guard(request, settle)
    skip(request, callback)
  }
}

function tracedTransform({ tap, guard, test }: Parts): AnyFunction {
  return (given, request, callback) => {
    const settle = entered(tap, request, given, callback)
    if (test === null || test(request)) return guard(given, request, settle)
    skip(request, callback)
  }
}

/** Enters a tap, and gives what records how it comes back. */
function entered(tap: Tap, request: HttpRequest, given: unknown, callback: AnyFunction): AnyFunction {
  const recorder = of(request)
  const run = recorder.enter(tap, given)
  return (error, answer) => {
    if (error !== null && error !== undefined) run.threw(error)
    else recorder.left(run, given, answer)
    callback(error, answer)
  }
}

function skip(request: HttpRequest, callback: AnyFunction): void {
  of(request).skipped()
  callback()
}

const of = (request: HttpRequest): Recorder => recorderOf(request)!
