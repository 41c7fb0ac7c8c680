import { slot } from 'rawhttp'
import type { Fill } from './fill.ts'
import type { Store } from './store.ts'
import type { Variant } from './variant.ts'

/** What the cache did for a request, as logs show it. */
export type Status =
  | 'hit'
  | 'collapsed'
  | 'stale'
  | 'miss'
  | 'expired'
  | 'revalidated'
  | 'updating'
  | 'bypass'

/** Why a request went on to the handler (RFC 9211 section 2.2). */
export type Forward = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'

/** One request at the cache: what it was given, or what its answer is wanted for. */
export class Visit {
  readonly key: string
  status: Status = 'bypass'
  forward: Forward | null = 'bypass'
  /** What it was answered with; before that, the stale answer that a new one is to take the place of. */
  variant: Variant | null = null
  /** Those who wait for its answer. */
  fill: Fill | null = null
  /** Whether its answer may be stored. False as soon as that is settled. */
  isOpen = false
  /** Where its answer may be stored, once that is open. */
  store: Store | null = null
  /** Whether its body is being read for the store, beyond the end of its own exchange too. */
  isReading = false
  /** What was purged since it began: its answer may be out of date. */
  isVoid = false
  isStored = false
  purgedTags: Set<string> | null = null
  /** The status of a handler's answer in whose place a stored one is sent. */
  failedWith: number | null = null
  /** Bytes of the body before it was encoded; null when that is not known. */
  plainLength: number | null = null
  /** Its neighbours among those that are open. */
  before: Visit | null = null
  after: Visit | null = null

  constructor(key: string) {
    this.key = key
  }
}

/** The visit of a request. */
export const Visits = slot<Visit>('cache.visit')
