import cluster from 'node:cluster'
import { LONGEST_TIMER } from '../../deadlines.ts'
import { asError } from '../../errors.ts'
import { writeError } from '../../stderr.ts'
import { ExplainedError } from '../failure.ts'
import type { Outcome } from '../reloader.ts'
import { Channel, type Port } from './channel.ts'
import type { Committed, Loaded, Questions, Served, StopQuestion } from './protocol.ts'
import { sayAll } from './say.ts'

/** How long a worker may take, in milliseconds. */
export interface WorkerLimits {
  /** To begin to serve. */
  readonly start: number
  /** To answer: what a reload may take, and a moment for a busy one to say so. */
  readonly answer: number
  /** To end behind the deadline that it has for what is in flight: for the `stop` of its plugins. */
  readonly behindDeadline: number
  /** To end when it does not even say how long it takes. */
  readonly usual: number
  readonly replaced: number
  /** To end when it is forced; `untilStopped` waits a second. */
  readonly forced: number
}

const LIMITS: WorkerLimits = {
  start: 60_000,
  answer: 65_000,
  behindDeadline: 7_000,
  usual: 17_000,
  replaced: 65_000,
  forced: 800,
}

/** What a worker may ask its primary for. */
type Services = {
  readonly [K in 'place' | 'leaving' | 'propose' | 'peers']: (
    body: Questions[K]['ask'],
    from: WorkerProcess,
  ) => Questions[K]['answer'] | Promise<Questions[K]['answer']>
}

/** A worker as its primary sees it. */
export class WorkerProcess {
  readonly number: number
  /** When it was started, by `performance.now()`: it has loaded nothing older than what was on disk then. */
  readonly began = performance.now()
  /** Resolves when it serves; rejects with an {@link ExplainedError} when it does not come to. */
  readonly ready: Promise<Served>
  /** Resolves when the process has ended, with how: `ended with code 1`. */
  readonly ended: Promise<string>
  readonly #worker: ReturnType<typeof cluster.fork>
  readonly #channel: Channel
  readonly #limits: WorkerLimits
  /** Since when it serves, by `performance.now()`; null before. */
  #since: number | null = null
  /** Of the config that it serves, and of the one that it has prepared. */
  #fingerprint = ''
  #prepared = ''
  /** How it was told to end. */
  #leaves: StopQuestion | null = null
  #killer: NodeJS.Timeout | undefined
  #code = 1

  /**
   * @param limits Default: what the command line has.
   * @throws ExplainedError when the system has no room for a process.
   */
  constructor(
    number: number,
    env: Readonly<Record<string, string>>,
    services: Services,
    limits: WorkerLimits = LIMITS,
  ) {
    this.number = number
    this.#limits = limits
    this.#worker = forked(number, env)
    const ready = Promise.withResolvers<Served>()
    const fail = (text: string, code = 1) => ready.reject(new ExplainedError({ code, text }))
    const late = () => {
      fail(`rawhttp: ${this.name} did not begin to serve within ${limits.start / 1_000} s\n`)
      this.kill()
    }
    const timer = setTimeout(late, limits.start)
    this.#channel = new Channel(this.#worker as Port, {
      place: body => services.place(body, this),
      leaving: body => services.leaving(body, this),
      propose: body => services.propose(body, this),
      peers: body => services.peers(body, this),
      ready: served => {
        this.#since = performance.now()
        this.#fingerprint = served.fingerprint
        ready.resolve(served)
        return null
      },
      failed({ text, code }) {
        fail(text, code)
        return null
      },
    })
    this.ended = this.#end()
    this.ready = ready.promise.finally(() => clearTimeout(timer))
    this.ready.catch(ignore)
    void this.ended.then(how => {
      const when = this.#hasBegun ? ' before it served' : ''
      fail(`rawhttp: ${this.name} ${how}${when}\n`, this.#code)
      clearTimeout(this.#killer)
      this.#channel.close(new Error(`${this.name} ${how}`))
    })
  }

  /** `worker 2 (4711)`, for people. */
  get name(): string {
    return this.#hasBegun ? `worker ${this.number} (${this.#worker.process.pid})` : `worker ${this.number}`
  }

  /** Whether the system has made a process of it. */
  get #hasBegun(): boolean {
    return this.#worker.process.pid !== undefined
  }

  /** Milliseconds that it has served. */
  get age(): number {
    return this.#since === null ? 0 : performance.now() - this.#since
  }

  /** Equal for equal files of the config that it serves; empty before it does. */
  get fingerprint(): string {
    return this.#fingerprint
  }

  /** The first half of a reload: what waits for the second, or why nothing does. It never rejects. */
  async prepare(): Promise<Outcome | Loaded> {
    try {
      const made = await this.#channel.ask('prepare', null, this.#limits.answer)
      if (!('code' in made)) this.#prepared = made.fingerprint
      return made
    } catch (error) {
      // It may come to something when nobody waits for it any more.
      void this.abandon()
      return this.#failed(error as Error)
    }
  }

  /** The second half. It never rejects. */
  async commit(): Promise<Committed> {
    try {
      const end = await this.#channel.ask('commit', null, this.#limits.answer)
      if (end.code === 0) this.#fingerprint = this.#prepared
      return end
    } catch (error) {
      return this.#failed(error as Error)
    }
  }

  async abandon(): Promise<void> {
    await this.#channel.ask('abandon', null, this.#limits.answer).catch(ignore)
  }

  /** Has it open its logs anew. */
  reopen(): void {
    this.#channel.ask('reopen', null).catch(ignore)
  }

  /** Has it end. It is killed when it takes longer than it says itself, or says nothing. */
  stop(how: StopQuestion): void {
    // One that does not serve yet has nothing to finish, and would not listen.
    if (this.#since === null) return this.kill()
    // Who leaves already is given no more time.
    if (this.#leaves !== null && how === 'replaced') return
    this.#leaves = how
    this.#killAfter(this.#limits[how])
    this.#channel.ask('stop', how).then(deadline => {
      // It may have been forced meanwhile.
      if (deadline !== null && this.#leaves === how) this.#killAfter(deadline + this.#limits.behindDeadline)
    }, ignore)
  }

  #killAfter(milliseconds: number): void {
    clearTimeout(this.#killer)
    this.#killer = setTimeout(() => this.#cut(), Math.min(milliseconds, LONGEST_TIMER))
  }

  /** It cannot name what it was at any more. */
  #cut(): void {
    const text = `${this.name} has not ended in time and is killed, with all that it was at`
    writeError(sayAll([`warning: ${text}`]))
    this.kill()
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /** Passes a message of another worker on; null when nobody answers in time. */
  peer(body: Questions['peer']['ask'], limit: number): Promise<Uint8Array | null> {
    return this.#channel.ask('peer', body, limit).catch(() => null)
  }

  version(body: Questions['version']['ask']): void {
    this.#channel.ask('version', body).catch(ignore)
  }

  #failed(error: Error): Outcome {
    return { code: 1, text: `rawhttp: ${this.name}: ${error.message}\n` }
  }

  #end(): Promise<string> {
    return new Promise(resolve => {
      // A process that cannot be started has no exit. Without a listener here the primary would end by it.
      this.#worker.on('error', error => {
        if (!this.#hasBegun) resolve(`could not be started: ${error.message}`)
      })
      this.#worker.once('exit', (code: number | null, signal: string | null) => {
        this.#code = code || 1
        resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`)
      })
    })
  }
}

/** Some of what the system says of a process that it cannot make Node throws, such as ENOMEM; the rest it emits. */
function forked(number: number, env: Readonly<Record<string, string>>): ReturnType<typeof cluster.fork> {
  try {
    return cluster.fork(env)
  } catch (error) {
    const { message } = asError(error)
    throw new ExplainedError({
      code: 1,
      text: `rawhttp: worker ${number} could not be started: ${message}\n`,
    })
  }
}

const ignore = (): void => undefined
