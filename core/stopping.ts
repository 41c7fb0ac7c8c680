import { type Deadlines, LONGEST_TIMER } from './deadlines.ts'
import type { Diagnostic } from './errors.ts'
import type { Generation } from './generation.ts'
import type { Listener } from './listener.ts'
import { nextTurn } from './next-turn.ts'
import type { OldGenerations } from './old-generations.ts'
import { awaited } from './pending.ts'
import type { EndsIdle } from './request-reader.ts'
import type { Streams } from './streams.ts'
import { allUnfinished, reportsOfCut } from './unfinished.ts'

/** What a stop needs of its server. */
export interface StoppingHost {
  readonly deadlines: Deadlines
  /** The generation in charge: a reload may still change it while the stop is announced. */
  readonly generation: Generation
  readonly listeners: readonly Listener[]
  /** Set when the ports close: every answer from then on ends its connection. */
  isStopping: boolean
  /** Set when connections without a request end. */
  endsIdle: EndsIdle
  report(diagnostic: Diagnostic): void
}

/** What a server has that has to end. */
export interface StoppingParts {
  readonly streams: Streams
  readonly old: OldGenerations
  /** Settles when the plugins have started, or failed to; null when nobody has asked them to. */
  readonly started: Promise<void> | null
}

/** How much time a stop has, in milliseconds. */
export interface StoppingTimes {
  /** Until what is still open is cut. */
  readonly deadline: number
  /** For further requests on connections that have none; then first requests have the time that they always have. */
  readonly idle: number
}

/** Why a stop waits no longer: its deadline has passed, or somebody forces it. */
type Late = 'timeout' | 'forced'

/** The end of a server: the news, the ports, what is in flight, what is cut, the plugins. docs/stopping.md tells it. */
export class Stopping {
  readonly #host: StoppingHost
  readonly #parts: StoppingParts
  readonly #times: StoppingTimes
  readonly #late = Promise.withResolvers<Late>()
  /** By `performance.now()`. */
  #end: number
  #timer: NodeJS.Timeout
  /** Whether nothing is waited for any more but the plugins' end. */
  #hasEnded = false

  /** Its time counts from now. */
  constructor(host: StoppingHost, parts: StoppingParts, times: StoppingTimes) {
    this.#host = host
    this.#parts = parts
    this.#times = times
    this.#end = performance.now() + times.deadline
    this.#timer = this.#lateAfter(times.deadline)
  }

  /**
   * Takes time away that an earlier call has given; it never gives more.
   *
   * @param deadline Milliseconds from now; with 0 what is left is cut at once.
   */
  hurry(deadline: number): void {
    const end = performance.now() + deadline
    if (deadline === 0) this.#late.resolve('forced')
    if (end >= this.#end || this.#hasEnded) return
    this.#end = end
    clearTimeout(this.#timer)
    this.#timer = this.#lateAfter(deadline)
  }

  #lateAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#late.resolve('timeout'), Math.min(milliseconds, LONGEST_TIMER))
  }

  /** Must be called once. */
  async run(): Promise<void> {
    const host = this.#host
    const { deadline, idle } = this.#times
    let left = deadline
    // Load balancers have to hear of it while they can still reach us; where others go on serving, it is no news.
    const isNews = idle === 0 && host.listeners.length > 0
    if (isNews && host.generation.hooks.drain.fired !== null) left = await this.#announce()
    host.isStopping = true
    for (const listener of host.listeners) listener.close()
    host.generation.dismiss('the server stops')
    if (idle > 0) await this.#linger(idle)
    // Who has only just connected has as long as ever for a request, where it is no matter when this server ends.
    host.endsIdle = idle > 0 ? 'used' : 'all'
    this.#parts.streams.drain(left)
    const end = await Promise.race([this.#quiet(), this.#late.promise])
    if (end !== 'quiet') await this.#cut()
    const hasStarted = await this.#endOfStart()
    this.#hasEnded = true
    clearTimeout(this.#timer)
    if (!hasStarted) return
    await host.generation.stop('shutdown')
    host.generation.kept.dispose()
  }

  /** Runs `drain` until it is done or time is up, and gives the milliseconds that are left. */
  async #announce(): Promise<number> {
    const { drain } = this.#host.generation.hooks
    const end = await Promise.race([drain.inner.promise(), this.#late.promise])
    if (end === 'timeout') {
      const message = `${tapsOf('drain')} took longer than the stop may; the server goes on without`
      this.#host.report({ code: 'DRAIN_LATE', message, severity: 'warning' })
    }
    return Math.max(0, Math.ceil(this.#end - performance.now()))
  }

  /** Lets requests come that are on their way. Each answer ends its connection by now. */
  async #linger(idle: number): Promise<void> {
    const over = Promise.withResolvers<void>()
    const timer = setTimeout(over.resolve, idle)
    await Promise.race([over.promise, this.#quiet(), this.#late.promise])
    clearTimeout(timer)
    // On a busy machine the timer is late, and comes before what was received meanwhile is read.
    await nextTurn()
  }

  /** When the last connection and the last request have ended, those of old generations too. */
  async #quiet(): Promise<'quiet'> {
    const { streams, old } = this.#parts
    await streams.empty()
    await Promise.all([this.#host.generation.idle(), old.ended()])
    return 'quiet'
  }

  async #cut(): Promise<void> {
    const { streams, old } = this.#parts
    const { generation, deadlines } = this.#host
    // What this turn has answered leaves at its end: it is whole, and nothing that has to be cut.
    await nextTurn()
    const generations = [...old.all, generation]
    const reports = reportsOfCut(allUnfinished(streams, generations), deadlines.now())
    for (const report of reports) this.#host.report(report)
    const reason = new Error('the server stopped')
    streams.destroy(reason)
    for (const each of generations) each.cut(reason)
    await streams.empty()
    for (const each of generations) each.letGo()
    await old.ended()
  }

  /** Whether the plugins have started, and so have to stop. A start that hangs must not hold the stop. */
  async #endOfStart(): Promise<boolean> {
    const { started } = this.#parts
    if (started === null) return false
    // A turn, so that a start that has ended is known before a lateness that has come.
    const late = this.#late.promise.then(end => nextTurn().then(() => end))
    const end = await Promise.race([started.then(yes, no), late])
    if (typeof end === 'boolean') return end
    const message = `${tapsOf('start')} had not ended when the server stopped; no plugin is told of the stop`
    this.#host.report({ code: 'START_LATE', message, severity: 'warning' })
    return false
  }
}

/** The taps of a hook that are waited for. */
function tapsOf(hook: string): string {
  return awaited()
    .filter(what => what.includes(`, ${hook} tap `))
    .join('; ')
}

const yes = (): boolean => true
const no = (): boolean => false
