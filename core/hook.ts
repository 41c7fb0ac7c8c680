import { types } from 'node:util'
import { didYouMean } from './config/suggest.ts'
import { type Diagnostic, describe } from './errors.ts'
import { type AnyFunction, byCallback, type Guarded, guardAsync, guardObserver, guardSync } from './guard.ts'
import { caller, inBrackets, type Place } from './place.ts'
import type { PluginServer, ScopeOptions } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import { Handle } from './stages.ts'
import type { Tap } from './tap.ts'
import { tracedTap } from './trace/traced-tap.ts'

/** Looks at what a tap answered: gives what goes on, or throws a TypeError that says what was expected. */
export type Check = (answer: unknown, given: unknown, tap: Tap, request: HttpRequest | null) => unknown

/** What is fixed about a hook. */
export interface HookSpec {
  readonly name: string
  readonly check: Check
  readonly isAsync: boolean
  /** On these hooks a tap in the wrong place is a hole: a guard behind the cache. */
  readonly needsStage: boolean
  /** Its taps only watch: one that fails is reported and the others still run. */
  readonly isObserver: boolean
  /** Which argument is the request; -1: none. */
  readonly requestAt: -1 | 0 | 1
  /** The first argument of its taps is the server as their plugin sees it. */
  readonly givesServer: boolean
}

/** What all hooks of a generation share. */
export interface HookContext {
  report(diagnostic: Diagnostic): void
}

/** A plugin instance as the one that taps. */
export interface TapOwner {
  /** The listed name: `static#2`. */
  readonly plugin: string
  /** Where its factory was called. */
  readonly place: Place | null
  /** From the outermost to the innermost. */
  readonly scopes: readonly ScopeOptions[]
  /** What its scopes make; null outside any. */
  readonly test: ((request: HttpRequest) => boolean) | null
  /** Whether its setup runs: only then may it tap. */
  isOpen: boolean
  readonly server: PluginServer
  /** What it has tapped so far, by its functions. */
  readonly guards: Map<AnyFunction, GuardedTap[]>
}

/** A tap behind its guard and scope: what fires. */
interface GuardedTap {
  readonly tap: Tap
  readonly spec: HookSpec
  readonly guard: AnyFunction
  readonly test: Test | null
  readonly run: AnyFunction
}

/** The instances in scopes that have seen a request before its path was settled, the last one first. */
export interface Preparers {
  readonly owner: TapOwner
  readonly next: Preparers | null
}

/** What a plugin sees of a hook: it may tap, firing belongs to the kernel. */
export interface HookFace {
  tap(options: unknown, fn: AnyFunction): void
  tapPromise(options: unknown, fn: AnyFunction): void
  tapAsync(options: unknown, fn: AnyFunction): void
}

/** What the kernel needs of a hook of tapable. */
export type Inner = {
  taps: readonly unknown[]
  tap: AnyFunction
  tapAsync?: AnyFunction
}

/** A tapable hook behind a guard that names owners, checks answers and refuses late taps. */
export class Hook<Tapable extends Inner = Inner> {
  /** What the kernel fires. */
  readonly inner: Tapable
  readonly spec: HookSpec
  readonly #make: () => Tapable
  readonly #guarded: GuardedTap[] = []
  readonly #context: HookContext

  constructor(make: () => Tapable, spec: HookSpec, context: HookContext) {
    this.#make = make
    this.inner = make()
    this.spec = spec
    this.#context = context
  }

  /** The tapable hook, or null when nobody tapped it: then it is not called at all. */
  get fired(): Tapable | null {
    return this.#guarded.length === 0 ? null : this.inner
  }

  /** In the order in which they run. */
  get taps(): readonly Tap[] {
    return this.#guarded.map(({ tap }) => tap)
  }

  /** What runs, in order. */
  get runs(): readonly AnyFunction[] {
    return this.#guarded.map(({ run }) => run)
  }

  /** The same taps, which record what they do for requests that are traced. Made when hooks are sealed. */
  traced(): Tapable {
    const inner = this.#make()
    for (const guarded of this.#guarded) fill(inner, guarded.tap, tracedTap(guarded))
    return inner
  }

  faceOf(owner: TapOwner): HookFace {
    return Object.freeze({
      tap: (options: unknown, fn: AnyFunction) => this.#tap(owner, options, 'sync', fn),
      tapPromise: (options: unknown, fn: AnyFunction) => this.#tap(owner, options, 'promise', fn),
      tapAsync: (options: unknown, fn: AnyFunction) => this.#tap(owner, options, 'async', fn),
    })
  }

  #tap(owner: TapOwner, options: unknown, kind: Tap['kind'], fn: AnyFunction): void {
    const { spec } = this
    const checked = checkedTap(spec, owner, options, kind, fn)
    const guarded = tappedBefore(owner, spec, checked, fn) ?? this.#guard(owner, listed(checked, owner), fn)
    this.#guarded.push(guarded)
    this.#guarded.sort((a, b) => a.tap.stage - b.tap.stage)
    fill(this.inner, guarded.tap, guarded.run)
  }

  #guard(owner: TapOwner, tap: Tap, fn: AnyFunction): GuardedTap {
    const { spec } = this
    const call = spec.givesServer ? (...args: unknown[]) => fn(owner.server, ...args) : fn
    const rewrites = spec.name === 'handle' && tap.stage < Handle.Early
    const guard = guardOf({ tap, spec, context: this.#context, rewrites }, call)
    const test = spec.name === 'handle' ? entering(owner, rewrites) : lasting(owner)
    const guarded = {
      tap,
      spec,
      guard,
      test,
      run: narrowed(guard, test, spec.requestAt, tap.kind === 'sync'),
    }
    const others = owner.guards.get(fn)
    if (others === undefined) owner.guards.set(fn, [guarded])
    else others.push(guarded)
    return guarded
  }
}

function fill(inner: Inner, { name, stage, kind }: Tap, run: AnyFunction): void {
  // tapable writes to the options that it is given.
  if (kind === 'sync') inner.tap({ name, stage }, run)
  else inner.tapAsync!({ name, stage }, run)
}

/**
 * A function that its plugin has tapped on the same hook of another site is the same tap: a root plugin that taps with
 * one function for all its sites costs them no memory, and the processor finds it in its cache whichever site is asked.
 */
function tappedBefore(
  owner: TapOwner,
  spec: HookSpec,
  tap: Unplaced,
  fn: AnyFunction,
): GuardedTap | undefined {
  return owner.guards
    .get(fn)
    ?.find(
      ({ spec: other, tap: { name, stage, kind } }) =>
        other === spec && name === tap.name && stage === tap.stage && kind === tap.kind,
    )
}

function guardOf(guarded: Guarded, fn: AnyFunction): AnyFunction {
  const { tap, spec } = guarded
  if (tap.kind === 'async') return guardAsync(guarded, fn)
  if (tap.kind === 'promise') return guardAsync(guarded, byCallback(fn))
  return spec.isObserver ? guardObserver(guarded, fn) : guardSync(guarded, fn)
}

/** A tap whose place is not looked for yet: with very many sites, most functions have been tapped before. */
type Unplaced = Omit<Tap, 'place' | 'pluginPlace' | 'scopes'>

const listed = (tap: Unplaced, { scopes, place }: TapOwner): Tap =>
  Object.freeze({ ...tap, place: caller(), scopes, pluginPlace: place })

/** @throws TypeError that names the plugin, the hook and the place, for a tap that cannot be. */
function checkedTap(
  spec: HookSpec,
  owner: TapOwner,
  options: unknown,
  kind: Tap['kind'],
  fn: unknown,
): Unplaced {
  const { plugin } = owner
  const fail = (sentence: string) =>
    new TypeError(`plugin "${plugin}", hook ${spec.name}: ${sentence}${inBrackets(caller())}`)
  if (!owner.isOpen) throw fail('hooks are sealed; tap in server() or site(), before they end')
  if (typeof fn !== 'function') throw fail(`a tap must be a function, got ${describe(fn)}`)
  if (kind !== 'sync' && !spec.isAsync) throw fail('this hook is sync: use tap()')
  if (kind === 'sync' && types.isAsyncFunction(fn)) throw fail(asyncTapped(spec))
  const written = typeof options === 'string' ? { name: options } : (options ?? {})
  const { name, stage, before, ...others } = written as Record<string, unknown>
  if (typeof name !== 'string' || name === '') throw fail(`a tap needs a name, got ${describe(name)}`)
  if (before !== undefined)
    throw fail('"before" does not exist here: name a stage, for example Handle.Guard - 10')
  for (const other of Object.keys(others)) throw fail(unknownOption(other))
  if (stage === undefined && spec.needsStage)
    throw fail(`tap "${name}" must name a stage: { name, stage: … }`)
  if (stage !== undefined && !Number.isFinite(stage))
    throw fail(`stage must be a number, got ${describe(stage)}`)
  if (owner.test !== null && spec.name === 'connection')
    throw fail('inside a scope there is no request yet to test; take the plugin out of the scope')
  return { hook: spec.name, plugin, name, stage: (stage as number | undefined) ?? 0, kind }
}

function unknownOption(name: string): string {
  const hint = didYouMean(name, ['name', 'stage'])
  return `unknown "${name}"; a tap has name and stage${hint === null ? '' : `; ${hint}`}`
}

/** What it answered would be refused at every request: better said when the config is loaded. */
const asyncTapped = ({ isAsync }: HookSpec): string =>
  `tap() takes a function that answers at once, got an async one; ${isAsync ? 'use tapPromise()' : 'this hook waits for nobody'}`

/** Whether a tap is for a request. */
export type Test = (request: HttpRequest) => boolean

/** The test of a tap on `handle`: it goes by the path that the request has then. */
function entering(owner: TapOwner, rewrites: boolean): Test | null {
  const { test } = owner
  if (test === null || !rewrites) return test
  return request => {
    const isAdmitted = test(request)
    if (isAdmitted) request.preparedBy = { owner, next: request.preparedBy }
    return isAdmitted
  }
}

/**
 * The test of a tap behind `handle`. Who has prepared a request sees its answer too, wherever a rewrite has led it:
 * what was begun for it, such as cookies to be set, would be lost without a word.
 */
function lasting(owner: TapOwner): Test | null {
  const { test } = owner
  return test && (request => test(request) || hasPrepared(owner, request))
}

function hasPrepared(owner: TapOwner, { preparedBy }: HttpRequest): boolean {
  let met = preparedBy
  while (met !== null && met.owner !== owner) met = met.next
  return met !== null
}

/** A tap that runs only for the requests of its scope. */
function narrowed(
  fn: AnyFunction,
  test: Test | null,
  at: HookSpec['requestAt'],
  isSync: boolean,
): AnyFunction {
  if (test === null || at === -1) return fn
  if (isSync) {
    return at === 0
      ? (a, b, c) => (test(a) ? fn(a, b, c) : undefined)
      : (a, b) => (test(b) ? fn(a, b) : undefined)
  }
  return at === 0
    ? (request, callback) => (test(request) ? fn(request, callback) : callback())
    : (given, request, callback) => (test(request) ? fn(given, request, callback) : callback())
}
