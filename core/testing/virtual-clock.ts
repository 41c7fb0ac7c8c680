import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { asError, describe } from '../errors.ts'
import { turns } from './turns.ts'
import { VirtualTimer } from './virtual-timer.ts'

/** Turns of the event loop between two timers: what one has set off has run before the next. */
const BETWEEN = 5

/** Time that passes when a test says so. */
export interface VirtualClock extends Disposable {
  /** What `Date.now()` says. */
  readonly now: number
  /** Timers that wait, intervals among them. */
  readonly pending: number
  /**
   * Lets time pass: each timer runs at its own time, and what it sets off has a few turns of the event loop before the
   * next one. Time stands still while it waits for that.
   *
   * @param milliseconds How long.
   * @throws TypeError for what is no time that can pass; what a timer throws.
   */
  advance(milliseconds: number): Promise<void>
  /**
   * Lets time pass at once, as for a machine that has slept: each timer whose time has come runs once, however often it
   * would have come.
   *
   * @throws TypeError for what is no time that can pass; what a timer throws.
   */
  jump(milliseconds: number): Promise<void>
  /** Gives the real time back. */
  [Symbol.dispose](): void
}

/**
 * Puts a clock in the place of the process's: `setTimeout`, `setInterval`, `Date`, `performance.now()`,
 * `AbortSignal.timeout()` and the functions of `node:timers` and `node:timers/promises`, however they were imported. The
 * event loop itself runs on: `setImmediate`, promises, files and sockets are as ever. `process.hrtime` is real.
 *
 * One at a time, and before the server is made: what has begun to wait by then waits for real time.
 *
 * @param now What `Date.now()` says at first. Default: the time it is.
 * @throws Error when there is one already.
 *
 * @example
 * using clock = virtualClock()
 * await using served = await testServer([rateLimit({ … })])
 * await clock.advance(60_000)
 */
export function virtualClock({ now = Date.now() }: { readonly now?: number | undefined } = {}): VirtualClock {
  if (isInstalled) throw new Error('virtualClock: there is one already; dispose of it first')
  const clock = new Clock(now)
  const restore = install(clock)
  isInstalled = true
  return {
    get now() {
      return clock.now()
    },
    get pending() {
      return clock.timers.size
    },
    advance: milliseconds => clock.advance(milliseconds),
    jump: milliseconds => clock.jump(milliseconds),
    [Symbol.dispose]: () => {
      restore()
      isInstalled = false
    },
  }
}

let isInstalled = false

class Clock {
  readonly timers = new Set<VirtualTimer>()
  /** Milliseconds that have passed. */
  passed = 0
  readonly #startedAt: number
  readonly #monotonic = performance.now()

  constructor(now: number) {
    this.#startedAt = now
  }

  now(): number {
    return this.#startedAt + Math.floor(this.passed)
  }

  monotonic(): number {
    return this.#monotonic + this.passed
  }

  readonly setTimeout = (callback: Callback, delay?: number, ...args: unknown[]): VirtualTimer =>
    this.#add(callback, delay, args, false)

  readonly setInterval = (callback: Callback, delay?: number, ...args: unknown[]): VirtualTimer =>
    this.#add(callback, delay, args, true)

  readonly clear = (timer: unknown): void => {
    if (timer instanceof VirtualTimer) timer.close()
    else if (timer !== undefined && timer !== null) real.clearTimeout(timer as NodeJS.Timeout)
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.passed + checked('advance', milliseconds)
    await turns(BETWEEN)
    for (let next = this.#next(end); next !== null; next = this.#next(end)) {
      this.passed = Math.max(this.passed, next.due)
      next.fire()
      await turns(BETWEEN)
    }
    this.passed = end
  }

  async jump(milliseconds: number): Promise<void> {
    this.passed += checked('jump', milliseconds)
    const due = [...this.timers].filter(timer => timer.due <= this.passed).sort(byTime)
    for (const timer of due) {
      if (this.timers.has(timer)) timer.fire()
      await turns(BETWEEN)
    }
  }

  /** The first timer to come until then. */
  #next(end: number): VirtualTimer | null {
    const [first = null] = [...this.timers].sort(byTime)
    return first !== null && first.due <= end ? first : null
  }

  #add(callback: Callback, delay: number | undefined, args: unknown[], repeats: boolean): VirtualTimer {
    if (typeof callback !== 'function')
      throw new TypeError(`a timer needs a function: ${asError(callback).message}`)
    const inContext = AsyncLocalStorage.snapshot()
    const run = () => inContext(callback, ...args)
    return new VirtualTimer(this, { run, delay: delayOf(delay), repeats })
  }
}

type Callback = (...args: unknown[]) => void

const byTime = (a: VirtualTimer, b: VirtualTimer): number => a.due - b.due || a.order - b.order

/** As Node has it: what is no number of 1 to 2^31 - 1 is 1. */
function delayOf(delay: unknown): number {
  const number = Number(delay)
  return number >= 1 && number <= 2 ** 31 - 1 ? Math.trunc(number) : 1
}

const real = { setTimeout, clearTimeout, setInterval, clearInterval, Date }

/** Puts a clock in the place of the process's, and gives what takes it away again. */
function install(clock: Clock): () => void {
  const undo: (() => void)[] = []
  const put = (target: object, values: object) => {
    for (const [name, value] of Object.entries(values)) {
      const before = Object.getOwnPropertyDescriptor(target, name)
      Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true })
      undo.push(() => {
        if (before === undefined) Reflect.deleteProperty(target, name)
        else Object.defineProperty(target, name, before)
      })
    }
  }
  const { setTimeout, setInterval, clear } = clock
  const wait = waiting(clock)
  Object.assign(setTimeout, { [promisify.custom]: wait })
  const functions = { setTimeout, setInterval, clearTimeout: clear, clearInterval: clear }
  put(globalThis, { ...functions, Date: dateOf(clock) })
  put(timers, functions)
  put(timersPromises, { setTimeout: wait, setInterval: ticking(clock) })
  put(performance, { now: () => clock.monotonic() })
  put(AbortSignal, { timeout: (delay: number) => signalAfter(clock, delay) })
  syncBuiltinESMExports()
  return () => {
    for (const step of undo.reverse()) step()
    syncBuiltinESMExports()
  }
}

function dateOf(clock: Clock): DateConstructor {
  return new Proxy(real.Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.now()] : args, newTarget),
    apply: () => new real.Date(clock.now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? () => clock.now() : Reflect.get(target, key, receiver)),
  })
}

interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  readonly ref?: boolean | undefined
}

/** `setTimeout` of `node:timers/promises`. */
function waiting(clock: Clock) {
  return <T>(delay?: number, value?: T, { signal }: WaitOptions = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const leave = () => {
        timer.close()
        reject(aborted(signal!))
      }
      const timer = clock.setTimeout(() => {
        signal?.removeEventListener('abort', leave)
        resolve(value as T)
      }, delay)
      if (signal?.aborted === true) return leave()
      signal?.addEventListener('abort', leave, { once: true })
    })
}

/** `setInterval` of `node:timers/promises`. */
function ticking(clock: Clock) {
  const wait = waiting(clock)
  return async function* <T>(delay?: number, value?: T, options?: WaitOptions): AsyncGenerator<T> {
    for (;;) yield await wait(delay, value as T, options)
  }
}

function aborted({ reason }: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: reason })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}

function signalAfter(clock: Clock, delay: number): AbortSignal {
  const controller = new AbortController()
  const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  clock.setTimeout(() => controller.abort(reason()), delay)
  return controller.signal
}

/** Time that is no number would make every date of the process an invalid one. */
function checked(method: string, milliseconds: number): number {
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds
  throw new TypeError(`virtualClock: ${method}: expected milliseconds, got ${describe(milliseconds)}`)
}
