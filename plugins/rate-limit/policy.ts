/**
 * How much a client may ask for: a bucket of `burst` tokens, into which one falls every `interval`. Whole microseconds
 * everywhere, so that counts are exact and memory and Redis agree.
 */
export interface Policy {
  /** Unique on the server: fields and stores go by it. */
  readonly name: string
  /** Requests for each window, as written. */
  readonly limit: number
  /** Seconds, as written. */
  readonly window: number
  /** Tokens that a full bucket has. */
  readonly burst: number
  /** Microseconds from one token to the next. */
  readonly interval: number
}

/** The policy of options. */
export function policyOf(name: string, { limit, window, burst }: Omit<Policy, 'name' | 'interval'>): Policy {
  const interval = Math.max(1, Math.floor((window * 1_000_000) / limit))
  return { name, limit, window, burst, interval }
}

/** What a bucket said to one request. */
export interface Verdict {
  readonly isAllowed: boolean
  /** Requests that may follow at once. */
  readonly remaining: number
  /** Microseconds until there is another token where none is left, else until the bucket is full. */
  readonly wait: number
}

/** What the store says: the tokens that are out of the bucket, one too many for a request that is refused. */
export function verdictOf({ burst }: Policy, taken: number, wait: number): Verdict {
  return { isAllowed: taken <= burst, remaining: Math.max(0, burst - taken), wait }
}

/** Whole seconds, at least one: who comes back after them has waited long enough. */
export const secondsOf = (microseconds: number): number => Math.max(1, Math.ceil(microseconds / 1_000_000))

/** The policy as a client may know it (draft-ietf-httpapi-ratelimit-headers-11, section 3). */
export function policyField({ name, limit, window }: Policy): string {
  return `"${name}";q=${limit};w=${window}`
}

/** What is left of it (section 4). */
export function limitField({ name }: Policy, { remaining, wait }: Verdict): string {
  return `"${name}";r=${remaining};t=${secondsOf(wait)}`
}
