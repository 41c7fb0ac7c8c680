import { HttpResponse } from 'rawhttp'
import type { Lifetime, Verdict } from './policy.ts'

/** What a variant takes beside body and fields: objects, arrays and the memory that belongs to a buffer. Measured. */
const OVERHEAD = 1_400

/** Fields of one message, not of the stored answer; Age is told anew each time. */
const NOT_STORED: ReadonlySet<string> = new Set(['age', 'cache-tag'])

/** What a stored answer is made from. */
export interface VariantParts {
  /** The finished representation. Its body is not looked at. */
  readonly response: HttpResponse
  readonly bytes: Buffer | null
  readonly verdict: Verdict
  readonly tags: readonly string[]
  readonly now: number
  /** The entity tag of the bytes, where they are not those that the answer itself would have. */
  readonly etag?: string | undefined
}

/** What is said of a stored answer at one moment. */
export interface Told {
  readonly second: number
  readonly ttl: number
  readonly age: string
  /** Its Cache-Status where nothing else has happened. */
  readonly hit: string
}

/** One stored answer: a response that any number of clients get, and how long it may be used. */
export class Variant {
  /** Marked as transformed: it is sent as it is. */
  readonly response: HttpResponse
  readonly bytes: Buffer | null
  /** Its Content-Encoding; `identity` without one. */
  readonly coding: string
  /** The tag of the answer as it was made. */
  readonly etag: string | undefined
  /** That of bytes which were made better since. */
  readonly betterTag: string | undefined
  readonly tags: readonly string[]
  /** Bytes that it counts for. */
  readonly size: number
  readonly verdict: Verdict
  readonly isForAll: boolean
  /** Null for an answer that knows by itself whether it is current. */
  readonly lifetime: Lifetime | null
  /** Until then nobody tries again to make a new one: the last try failed. */
  retryAt = 0
  #told: Told | null = null

  constructor({ response, bytes, verdict, tags, now, etag: betterTag }: VariantParts) {
    const { headers, status, isCurrent } = response
    const fields = [...headers].filter(([name]) => !NOT_STORED.has(name)).map(copied)
    const tag = fields.find(([name]) => name === 'etag')
    if (tag !== undefined && betterTag !== undefined) tag[1] = betterTag
    if (verdict.lifetime !== null && !headers.has('date')) fields.push(['date', new Date(now).toUTCString()])
    // The kernel would say so of each hit, by a copy of the answer that it keeps beside it.
    if (status === 200 && bytes !== null && !headers.has('accept-ranges'))
      fields.push(['accept-ranges', 'bytes'])
    this.response = new HttpResponse(status, bytes, fields).transformed()
    this.response.isCurrent = isCurrent
    this.bytes = bytes
    this.coding = headers.get('content-encoding') ?? 'identity'
    this.etag = headers.get('etag')
    this.betterTag = betterTag
    this.verdict = verdict
    this.tags = tags
    this.isForAll = verdict.isForAll
    this.lifetime = verdict.lifetime
    const head = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
    // The lines are kept twice: one by one, and as the text of a message.
    this.size = OVERHEAD + 2 * head + (bytes?.length ?? 0) + tags.reduce((sum, tag) => sum + tag.length, 0)
  }

  /**
   * The same with smaller bytes of the same coding. Its tag is weak from then on (RFC 9110 section 8.8.1): who has the
   * earlier bytes has what they mean, and needs no others, but no part of these fits to them.
   */
  better(bytes: Buffer, now: number): Variant {
    const { verdict, tags, etag } = this
    const betterTag = etag?.startsWith('"') === true ? `W/${etag}` : undefined
    const better = new Variant({ response: this.response, bytes, verdict, tags, now, etag: betterTag })
    better.retryAt = this.retryAt
    return better
  }

  /** Whether it may be given to anybody as it is. */
  isFresh(now: number): boolean {
    return this.lifetime === null ? this.response.isCurrent?.() === true : now < this.lifetime.freshUntil
  }

  /** Whether it may be given while a new one is made. */
  mayWait(now: number): boolean {
    return this.lifetime !== null && now < this.lifetime.revalidateUntil
  }

  /** Whether it may be given because a new one could not be made. */
  mayStandIn(now: number): boolean {
    return this.lifetime !== null && now < this.lifetime.errorUntil
  }

  /** Seconds since it was made; what says itself that it is current is of this moment. */
  ageAt(now: number): number {
    return this.lifetime === null ? 0 : Math.max(0, Math.floor((now - this.lifetime.bornAt) / 1_000))
  }

  /** Seconds for which it is fresh yet, negative when it is stale; null when no clock tells. */
  ttlAt(now: number): number | null {
    return this.lifetime === null ? null : Math.ceil((this.lifetime.freshUntil - now) / 1_000)
  }

  /** What is said of it, made once a second; null when no clock tells how old it is. */
  told(): Told | null {
    if (this.lifetime === null) return null
    const now = Date.now()
    const ttl = this.ttlAt(now)!
    const second = this.ageAt(now)
    if (this.#told === null || this.#told.second !== second || this.#told.ttl !== ttl)
      this.#told = { second, ttl, age: String(second), hit: `rawhttp; hit; ttl=${ttl}` }
    return this.#told
  }

  /**
   * Whether a new answer is of the same bytes, so that they need not be made again. A source that knows whether it has
   * changed is believed, and nothing else: a file's tag is of its size and time, which another file may have too. Of
   * other answers a strong tag says so.
   */
  isSameAs(response: HttpResponse): boolean {
    const { headers, status, isCurrent } = response
    const etag = headers.get('etag')
    if (etag === undefined || etag !== this.etag || status !== this.response.status) return false
    if ((headers.get('content-encoding') ?? 'identity') !== this.coding) return false
    const known = this.response.isCurrent
    if (isCurrent !== undefined || known !== undefined) return isCurrent === known
    return !etag.startsWith('W/')
  }
}

// A part of a string keeps the whole of it alive: that of a request's head, for example.
function copied([name, value]: readonly [string, string]): [string, string] {
  return [name, Buffer.from(value, 'latin1').toString('latin1')]
}
