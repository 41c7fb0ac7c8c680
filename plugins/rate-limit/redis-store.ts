import type { RateLimiterRedis } from 'rate-limiter-flexible'
import { ConfigError, type Diagnostic } from 'rawhttp'
import { type Policy, type Verdict, verdictOf } from './policy.ts'
import type { RedisSettings } from './schema.ts'
import { bucketScript } from './script.ts'

/** How long the start waits for the store. */
const START_WAIT = 2_000
/** How long nobody asks a store that did not answer: only then one request finds out whether it does again. */
const PAUSE = 1_000

const effects = {
  memory: 'requests are counted in this process until it does',
  allow: 'requests are let through until it does',
  refuse: 'requests are answered 503 until it does',
} as const

/**
 * Buckets in a Redis that several servers share. No request waits for it longer than `timeout`, and while it does not
 * answer only one a second does; that it is down is told once, and that it is back.
 */
export class RedisStore {
  readonly #policy: Policy
  readonly #settings: RedisSettings
  readonly #report: (diagnostic: Diagnostic) => void
  #limiter: RateLimiterRedis | null = null
  #close: (() => void) | null = null
  #isDown = false
  /** When somebody may ask again, by `performance.now()`. */
  #asksAgainAt = 0

  constructor(policy: Policy, settings: RedisSettings, report: (diagnostic: Diagnostic) => void) {
    this.#policy = policy
    this.#settings = settings
    this.#report = report
  }

  /**
   * Connects. A store that is not there does not hold up the start: it is looked for in the background.
   *
   * @throws ConfigError when the libraries are not installed.
   */
  async start(): Promise<void> {
    const { RateLimiterRedis, createClient } = await libraries()
    const { url, prefix } = this.#settings
    const client = createClient({
      url,
      disableOfflineQueue: true,
      // A feature of Redis Enterprise that cannot read the URL of a Unix socket with a password.
      maintNotifications: 'disabled',
      socket: {
        connectTimeout: START_WAIT,
        reconnectStrategy: retries => Math.min(50 * 2 ** retries, PAUSE),
      },
    })
    const tried = Promise.withResolvers<void>()
    client.on('error', (error: Error) => {
      this.#failed(error)
      tried.resolve()
    })
    client.on('ready', () => {
      this.#answered()
      tried.resolve()
    })
    this.#close = () => client.destroy()
    this.#limiter = new RateLimiterRedis({
      storeClient: client,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
      customIncrTtlLuaScript: bucketScript(this.#policy),
      keyPrefix: `${prefix}:${this.#policy.name}`,
      points: this.#policy.burst,
      duration: this.#policy.window,
    })
    // It is rejected only when the client was closed before it had connected.
    client.connect().catch(() => undefined)
    await inTime(tried.promise, START_WAIT).catch((late: Error) => this.#failed(late))
  }

  /** Leaves. What is on its way is of no use to anybody any more. */
  stop(): void {
    this.#limiter = null
    this.#close?.()
  }

  /** Takes a token; null when the store does not answer. */
  async take(key: string): Promise<Verdict | null> {
    if (this.#limiter === null || !this.#mayAsk()) return null
    const given = await inTime(this.#limiter.consume(key), this.#settings.timeout).catch(asRefusal)
    if (given instanceof Error) {
      this.#failed(given)
      return null
    }
    this.#answered()
    return verdictOf(this.#policy, given.consumedPoints, given.msBeforeNext)
  }

  #mayAsk(): boolean {
    if (!this.#isDown) return true
    const now = performance.now()
    if (now < this.#asksAgainAt) return false
    this.#asksAgainAt = now + PAUSE
    return true
  }

  #failed(error: Error): void {
    if (this.#limiter === null || this.#isDown) return
    this.#isDown = true
    this.#asksAgainAt = performance.now() + PAUSE
    const why = error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message
    const message = `${this.#place} does not answer (${why}); ${effects[this.#settings.onError]}`
    this.#report({ code: 'RATE_LIMIT_STORE_DOWN', message, severity: 'warning', cause: error })
  }

  #answered(): void {
    if (!this.#isDown) return
    this.#isDown = false
    const message = `${this.#place} answers again; requests are counted there`
    this.#report({ code: 'RATE_LIMIT_STORE_UP', message, severity: 'info' })
  }

  // The user and password of a URL are nobody's business.
  get #place(): string {
    return `the store of the rate limit "${this.#policy.name}", ${this.#settings.url.replace(/\/\/.*@/, '//')},`
  }
}

/** What the library gives, for a request that it refuses by a rejection. */
interface Consumed {
  readonly consumedPoints: number
  readonly msBeforeNext: number
}

function asRefusal(reason: Error | Consumed): Error | Consumed {
  return reason
}

async function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`nothing came within ${milliseconds} ms`)),
    milliseconds,
  )
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function libraries() {
  try {
    const [limiter, redis] = await Promise.all([import('rate-limiter-flexible'), import('redis')])
    return { RateLimiterRedis: limiter.RateLimiterRedis, createClient: redis.createClient }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const problem = 'counting in Redis needs two packages that are not installed'
    const hint = 'npm install rate-limiter-flexible redis'
    throw new ConfigError({ path: 'redis', problem, hint }, { cause })
  }
}
