import { asError, type Diagnostic, describe } from './errors.ts'
import type { HttpRequest } from './request.ts'
import { Handle } from './stages.ts'

/** One tap of one hook: who made it, and where it stands. Listings, reports and errors name it. */
export interface Tap {
  readonly hook: string
  /** The plugin's listed name: `static#2`. */
  readonly plugin: string
  /** The label that the plugin gave. */
  readonly name: string
  readonly stage: number
  readonly kind: 'sync' | 'promise' | 'async'
}

/** Looks at what a tap answered: gives the answer, or throws a TypeError that says what was expected. */
export type Check = (answer: unknown, tap: Tap) => unknown

/** @internal What is fixed about a hook. */
export interface HookSpec {
  readonly name: string
  readonly check: Check
  readonly isAsync: boolean
  /** On these hooks a tap in the wrong place is a hole: a guard behind the cache. */
  readonly needsStage: boolean
  /** Its taps only watch: one that throws is reported and the others still run. */
  readonly isObserver: boolean
  /** Which argument is the request; -1: none. */
  readonly requestAt: -1 | 0 | 1
}

/** @internal Who taps just now, and where faults go. The kernel runs one plugin's setup at a time. */
export interface HookContext {
  /** The plugin whose setup runs; null outside any. */
  owner: TapOwner | null
  isSealed: boolean
  report(diagnostic: Diagnostic): void
}

/** @internal A plugin instance, and the test that its scopes make. */
export interface TapOwner {
  readonly plugin: string
  readonly test: ((request: HttpRequest) => boolean) | null
}

// biome-ignore lint/suspicious/noExplicitAny: the guard stands between typed interfaces on both sides.
type AnyFunction = (...args: any[]) => any
type AnyHook = {
  taps: readonly unknown[]
  tap: AnyFunction
  tapAsync?: AnyFunction
  tapPromise?: AnyFunction
}

const taps = new WeakMap<object, Tap>()

/** The tap that an error came from, if one is known. */
export function tapOf(error: unknown): Tap | undefined {
  return typeof error === 'object' && error !== null ? taps.get(error) : undefined
}

/** Notes which tap an error came from; the first one to be named stays. */
export function blame(thrown: unknown, tap: Tap): Error {
  const error = asError(thrown)
  if (!taps.has(error)) taps.set(error, tap)
  return error
}

/** A tap in words: `plugin "auth", handle tap "auth:check"`. */
export function tapText(tap: Tap): string {
  return `plugin "${tap.plugin}", ${tap.hook} tap "${tap.name}"`
}

/** @internal A tapable hook behind a guard that names owners, checks answers and refuses late taps. */
export class Hook<Inner extends AnyHook = AnyHook> {
  /** What the kernel fires. */
  readonly inner: Inner
  readonly taps: Tap[] = []
  readonly name: string
  readonly #spec: HookSpec
  readonly #context: HookContext

  constructor(inner: Inner, spec: HookSpec, context: HookContext) {
    this.inner = inner
    this.name = spec.name
    this.#spec = spec
    this.#context = context
  }

  /** The tapable hook, or null when nobody tapped it: then it is not called at all. */
  get fired(): Inner | null {
    return this.taps.length === 0 ? null : this.inner
  }

  tap(options: unknown, fn: AnyFunction): void {
    const tap = this.#register(options, 'sync', fn)
    const guarded = this.#spec.isObserver ? this.#observer(tap, fn) : this.#sync(tap, fn)
    this.inner.tap(placed(tap), this.#scoped(guarded))
  }

  tapPromise(options: unknown, fn: AnyFunction): void {
    const tap = this.#register(options, 'promise', fn)
    this.inner.tapPromise!(
      placed(tap),
      this.#scoped(this.#promise(tap, fn), () => Promise.resolve()),
    )
  }

  tapAsync(options: unknown, fn: AnyFunction): void {
    const tap = this.#register(options, 'async', fn)
    const skip = (...args: AnyFunction[]) => args[args.length - 1]!()
    this.inner.tapAsync!(placed(tap), this.#scoped(this.#async(tap, fn), skip))
  }

  #register(options: unknown, kind: Tap['kind'], fn: unknown): Tap {
    const context = this.#context
    const owner = context.owner
    const hook = this.#spec.name
    const plugin = owner?.plugin ?? '?'
    const fail = (sentence: string) => new TypeError(`plugin "${plugin}", hook ${hook}: ${sentence}`)
    if (context.isSealed || owner === null)
      throw fail('hooks are sealed; tap in server() or site(), before the start')
    if (typeof fn !== 'function') throw fail(`a tap must be a function, got ${describe(fn)}`)
    if (kind !== 'sync' && !this.#spec.isAsync) throw fail('this hook is sync: use tap()')
    const { name, stage, before } = (
      typeof options === 'string' ? { name: options } : (options ?? {})
    ) as Record<string, unknown>
    if (typeof name !== 'string' || name === '') throw fail(`a tap needs a name, got ${describe(name)}`)
    if (before !== undefined)
      throw fail('"before" does not exist here: name a stage, for example Handle.Guard - 10')
    if (stage === undefined && this.#spec.needsStage)
      throw fail(`tap "${name}" must name a stage: { name, stage: … }`)
    if (stage !== undefined && !Number.isFinite(stage))
      throw fail(`stage must be a number, got ${describe(stage)}`)
    if (owner.test !== null && this.#spec.requestAt === -1 && hook === 'connection') {
      throw fail('inside a scope there is no request yet to test; take the plugin out of the scope')
    }
    const tap: Tap = Object.freeze({ hook, plugin, name, stage: (stage as number | undefined) ?? 0, kind })
    this.taps.push(tap)
    this.taps.sort((a, b) => a.stage - b.stage)
    return tap
  }

  /** Wraps a tap with its scope's test; `skip` is what it does for requests outside. */
  #scoped(fn: AnyFunction, skip: AnyFunction = () => undefined): AnyFunction {
    const test = this.#context.owner!.test
    const at = this.#spec.requestAt
    if (test === null || at === -1) return fn
    if (at === 0) return (a, b, c) => (test(a) ? fn(a, b, c) : skip(a, b, c))
    return (a, b, c) => (test(b) ? fn(a, b, c) : skip(a, b, c))
  }

  #sync(tap: Tap, fn: AnyFunction): AnyFunction {
    const { check } = this.#spec
    const call = this.#mayRewrite(tap) ? rewriting(fn) : fn
    return (a, b) => {
      try {
        const answer = call(a, b)
        return answer === undefined ? undefined : check(answer, tap)
      } catch (error) {
        throw blame(error, tap)
      }
    }
  }

  #observer(tap: Tap, fn: AnyFunction): AnyFunction {
    const { check } = this.#spec
    const context = this.#context
    return (a, b, c) => {
      try {
        check(fn(a, b, c), tap)
      } catch (error) {
        context.report(tapFailed(blame(error, tap), tap))
      }
    }
  }

  #promise(tap: Tap, fn: AnyFunction): AnyFunction {
    const { check, requestAt } = this.#spec
    const rewrites = this.#mayRewrite(tap)
    return async (a, b) => {
      const request = requestOf(requestAt, a, b)
      if (request !== null) request.pendingTap = tap
      if (rewrites) request!.canRewrite = true
      try {
        return check(await fn(a, b), tap)
      } catch (error) {
        throw blame(error, tap)
      } finally {
        if (request !== null) request.pendingTap = null
        if (rewrites) request!.canRewrite = false
      }
    }
  }

  #async(tap: Tap, fn: AnyFunction): AnyFunction {
    const { check, requestAt } = this.#spec
    const rewrites = this.#mayRewrite(tap)
    const context = this.#context
    return (...args) => {
      const callback = args.pop() as AnyFunction
      const request = requestOf(requestAt, args[0], args[1])
      if (request !== null) request.pendingTap = tap
      if (rewrites) request!.canRewrite = true
      let isCalled = false
      const once = (error: unknown, answer: unknown) => {
        // tapable would run everything behind it twice, and the second answer would go to another request.
        if (isCalled) return context.report(calledTwice(tap))
        isCalled = true
        if (request !== null) request.pendingTap = null
        if (rewrites) request!.canRewrite = false
        if (error !== null && error !== undefined) return callback(blame(error, tap))
        let checked: unknown
        try {
          checked = check(answer, tap)
        } catch (wrong) {
          return callback(blame(wrong, tap))
        }
        callback(null, checked)
      }
      try {
        fn(...args, once)
      } catch (error) {
        if (isCalled) context.report(tapFailed(blame(error, tap), tap))
        else once(error, undefined)
      }
    }
  }

  #mayRewrite(tap: Tap): boolean {
    return tap.hook === 'handle' && tap.stage < Handle.Early
  }
}

// tapable writes to the options that it is given.
const placed = ({ name, stage }: Tap) => ({ name, stage })

function requestOf(at: number, a: unknown, b: unknown): HttpRequest | null {
  return at === -1 ? null : ((at === 0 ? a : b) as HttpRequest)
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

/** @internal A tap's failure, as a diagnostic. */
export function tapFailed(error: Error, tap: Tap, request?: HttpRequest): Diagnostic {
  return {
    code: 'TAP_FAILED',
    message: `${tapText(tap)} failed: ${error.message}`,
    severity: 'error',
    plugin: tap.plugin,
    hook: tap.hook,
    tap: tap.name,
    site: request?.currentSite?.name,
    request: request?.summary,
    cause: error,
  }
}

function calledTwice(tap: Tap): Diagnostic {
  const message = `${tapText(tap)} called its callback twice; the second answer was dropped`
  return {
    code: 'TAP_CALLED_TWICE',
    message,
    severity: 'error',
    plugin: tap.plugin,
    hook: tap.hook,
    tap: tap.name,
  }
}
