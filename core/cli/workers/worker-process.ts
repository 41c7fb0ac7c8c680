import cluster from 'node:cluster'
import { LONGEST_TIMER } from '../../deadlines.ts'
import type { ListeningAddress } from '../../server.ts'
import { ExplainedError } from '../failure.ts'
import type { Outcome } from '../reloader.ts'
import { Channel, type Port } from './channel.ts'
import type { Committed, Questions, StopQuestion } from './protocol.ts'

/** Milliseconds that a worker has to begin to serve. */
const START_LIMIT = 60_000
/** What a reload may take in a worker, and a moment for a busy one to say so. */
const RELOAD_LIMIT = 65_000

/** Milliseconds that a worker has behind its deadline, for the `stop` of its plugins. */
const AFTER_DEADLINE = 7_000

/** What a worker may ask its primary for. */
type Services = {
  readonly [K in 'place' | 'propose' | 'peers']: (
    body: Questions[K]['ask'],
    from: WorkerProcess,
  ) => Questions[K]['answer'] | Promise<Questions[K]['answer']>
}

/** A worker as its primary sees it. */
export class WorkerProcess {
  readonly number: number
  /** Resolves when it serves; rejects with an {@link ExplainedError} when it does not come to. */
  readonly ready: Promise<readonly ListeningAddress[]>
  /** Resolves when the process has ended, with how: `ended with code 1`. */
  readonly ended: Promise<string>
  readonly #worker: ReturnType<typeof cluster.fork>
  readonly #channel: Channel
  readonly #since = performance.now()
  #serves = false
  /** How it was told to end. */
  #leaves: StopQuestion | null = null
  #killer: NodeJS.Timeout | undefined
  #code = 1

  constructor(number: number, env: Readonly<Record<string, string>>, services: Services) {
    this.number = number
    const ready = Promise.withResolvers<readonly ListeningAddress[]>()
    const fail = (text: string, code = 1) => ready.reject(new ExplainedError({ code, text }))
    const late = () => {
      fail(`rawhttp: ${this.name} did not begin to serve within ${START_LIMIT / 1_000} s\n`)
      this.kill()
    }
    const timer = setTimeout(late, START_LIMIT)
    this.#worker = cluster.fork(env)
    this.#channel = new Channel(this.#worker as Port, {
      place: body => services.place(body, this),
      propose: body => services.propose(body, this),
      peers: body => services.peers(body, this),
      ready: addresses => {
        this.#serves = true
        ready.resolve(addresses)
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
      fail(`rawhttp: ${this.name} ${how} before it served\n`, this.#code)
      clearTimeout(this.#killer)
      this.#channel.close(new Error(`${this.name} ${how}`))
    })
  }

  /** `worker 2 (4711)`, for people. */
  get name(): string {
    return `worker ${this.number} (${this.#worker.process.pid})`
  }

  /** Milliseconds since it was started. */
  get age(): number {
    return performance.now() - this.#since
  }

  /** The first half of a reload; null when it waits for the second. */
  prepare(): Promise<Outcome | null> {
    return this.#channel.ask('prepare', null, RELOAD_LIMIT).catch(error => this.#failed(error))
  }

  commit(): Promise<Committed> {
    return this.#channel.ask('commit', null, RELOAD_LIMIT).catch(error => this.#failed(error))
  }

  async abandon(): Promise<void> {
    await this.#channel.ask('abandon', null, RELOAD_LIMIT).catch(ignore)
  }

  /** Has it open its logs anew. */
  reopen(): void {
    this.#channel.ask('reopen', null).catch(ignore)
  }

  /** @param limit Milliseconds after which it is killed; what it says itself counts more. */
  stop(how: StopQuestion, limit: number | null = null): void {
    // One that does not serve yet has nothing to finish, and would not listen.
    if (!this.#serves) return this.kill()
    this.#leaves = how
    this.#killAfter(limit)
    this.#channel.ask('stop', how).then(deadline => {
      // It may have been forced meanwhile.
      if (deadline !== null && this.#leaves === how) this.#killAfter(deadline + AFTER_DEADLINE)
    }, ignore)
  }

  #killAfter(milliseconds: number | null): void {
    clearTimeout(this.#killer)
    if (milliseconds === null) return
    this.#killer = setTimeout(() => this.kill(), Math.min(milliseconds, LONGEST_TIMER))
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
      // A process that cannot be started has no exit.
      this.#worker.process.once('error', error => resolve(`could not be started: ${error.message}`))
      this.#worker.once('exit', (code: number | null, signal: string | null) => {
        this.#code = code || 1
        resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`)
      })
    })
  }
}

const ignore = (): void => undefined
