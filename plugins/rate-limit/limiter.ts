import { hash } from 'node:crypto'
import { HttpError, type HttpRequest, HttpResponse, slot } from 'rawhttp'
import type { Buckets } from './buckets.ts'
import { clientKey } from './network.ts'
import { limitField, type Policy, policyField, secondsOf, type Verdict } from './policy.ts'
import type { RedisStore } from './redis-store.ts'
import type { RateLimitSettings } from './schema.ts'

/** What the limits that a request went through have said, the last one first. */
interface Counted {
  readonly by: Limiter
  readonly verdict: Verdict
  readonly before: Counted | undefined
}

const CountedSlot = slot<Counted>('rate-limit.counted')

/** One limit: who is counted, where, and what the client is told. */
export class Limiter {
  readonly #settings: RateLimitSettings
  readonly #policy: Policy
  readonly #policyField: string
  readonly #buckets: () => Buckets
  /** Null for memory alone. */
  readonly #store: RedisStore | null
  #hasWarned = false

  constructor(
    settings: RateLimitSettings,
    policy: Policy,
    buckets: () => Buckets,
    store: RedisStore | null = null,
  ) {
    this.#settings = settings
    this.#policy = policy
    this.#policyField = policyField(policy)
    this.#buckets = buckets
    this.#store = store
  }

  /**
   * Counts a request, at once as long as nobody else has to be asked. It is answered only if nobody can count it.
   *
   * @throws HttpError 429, or rejects with it, when it is one too many.
   */
  readonly check = (request: HttpRequest): undefined | Promise<HttpResponse | undefined> => {
    const key = this.#isFree(request) ? null : this.#keyOf(request)
    if (key === null) return undefined
    return this.#store === null ? this.#count(request, key) : this.#ask(this.#store, request, key)
  }

  /** Tells the client what is left to it. */
  readonly tell = (response: HttpResponse, request: HttpRequest): void => {
    const { fields } = this.#settings
    const verdict = this.#verdictOn(request)
    if (verdict === undefined || fields === 'none' || (fields === 'refused' && verdict.isAllowed)) return
    // Other limits may have lines of their own: both fields are lists.
    response.append('ratelimit-policy', this.#policyField)
    response.append('ratelimit', limitField(this.#policy, verdict))
  }

  // A request whose file changed under its answer goes down the line again: it was let through already.
  #isFree(request: HttpRequest): boolean {
    return this.#verdictOn(request) !== undefined || this.#settings.isAllowed(request.client.address)
  }

  #keyOf(request: HttpRequest): string | null {
    const { key, ipv6Prefix } = this.#settings
    if (key === null) return clientKey(request.client.address, ipv6Prefix)
    const given: unknown = key(request)
    if (given === null) return null
    if (typeof given !== 'string') throw new TypeError(`key: expected a text or null, got ${typeof given}`)
    // Of one length, nothing that a store would give away, and no text that holds the memory of a whole head.
    return hash('sha256', given, 'base64url')
  }

  #count(request: HttpRequest, key: string): undefined {
    const { maxClients } = this.#settings
    const buckets = this.#buckets()
    const verdict = buckets.take(key, this.#policy, Math.floor(performance.now() * 1_000), maxClients)
    if (buckets.evicted > 0 && !this.#hasWarned) this.#warn(request)
    return this.#apply(request, verdict)
  }

  async #ask(store: RedisStore, request: HttpRequest, key: string): Promise<HttpResponse | undefined> {
    const verdict = await store.take(key)
    if (verdict !== null) return this.#apply(request, verdict)
    const onError = this.#settings.redis?.onError
    if (onError === 'memory') return this.#count(request, key)
    if (onError === 'allow') return undefined
    // Not thrown: an error of ours would be reported for every request.
    return HttpResponse.error(503, null, { headers: { 'retry-after': '1' } })
  }

  #apply(request: HttpRequest, verdict: Verdict): undefined {
    request.set(CountedSlot, { by: this, verdict, before: request.get(CountedSlot) })
    if (verdict.isAllowed) return undefined
    const seconds = secondsOf(verdict.wait)
    throw new HttpError(429, `too many requests; try again in ${seconds} s`, {
      code: 'RATE_LIMITED',
      headers: { 'retry-after': String(seconds) },
    })
  }

  #verdictOn(request: HttpRequest): Verdict | undefined {
    let counted = request.get(CountedSlot)
    while (counted !== undefined && counted.by !== this) counted = counted.before
    return counted?.verdict
  }

  #warn(request: HttpRequest): void {
    this.#hasWarned = true
    const { maxClients } = this.#settings
    request.log.warn(
      `the rate limit "${this.#policy.name}" has more than ${maxClients} clients at a time: ` +
        'some that have asked for little are forgotten; raise maxClients',
    )
  }
}
