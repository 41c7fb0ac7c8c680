import type { HttpHeaders } from 'rawhttp'
import { type Directives, directivesOf, secondsOf } from './directives.ts'
import type { Variant } from './variant.ts'

/** What a request asks of the cache (RFC 9111 section 5.2.1), as far as it is obeyed. */
export interface Demands {
  readonly onlyIfCached: boolean
  readonly noStore: boolean
  /** Whether a stored answer is not good enough. */
  refuse(variant: Variant, now: number): boolean
  /** Whether a stale answer is good enough. */
  takesStale(variant: Variant, now: number): boolean
}

const never = (): boolean => false

/** Of a request that asks nothing. */
export const NO_DEMANDS: Demands = { onlyIfCached: false, noStore: false, refuse: never, takesStale: never }

/** @param obeysAll Whether more than only-if-cached is obeyed. */
export function demandsOf(headers: HttpHeaders, obeysAll: boolean): Demands {
  const field = headers.get('cache-control')
  const directives = directivesOf(field)
  const onlyIfCached = directives.has('only-if-cached')
  if (!obeysAll) return { ...NO_DEMANDS, onlyIfCached }
  // RFC 9111 section 5.4: only for clients that know nothing else.
  const isOld = field === undefined && headers.get('pragma')?.toLowerCase().includes('no-cache') === true
  return {
    onlyIfCached,
    noStore: directives.has('no-store'),
    refuse: (variant, now) => isOld || directives.has('no-cache') || isTooOld(directives, variant, now),
    takesStale: (variant, now) => isStaleEnough(directives, variant, now),
  }
}

function isTooOld(directives: Directives, variant: Variant, now: number): boolean {
  const maxAge = secondsOf(directives, 'max-age')
  if (maxAge !== null && variant.ageAt(now) > maxAge) return true
  const minFresh = secondsOf(directives, 'min-fresh')
  const ttl = variant.ttlAt(now)
  return minFresh !== null && ttl !== null && ttl < minFresh
}

// Without a number any age will do. What its source says is out of date is not old but wrong.
function isStaleEnough(directives: Directives, variant: Variant, now: number): boolean {
  const ttl = variant.ttlAt(now)
  if (ttl === null || variant.lifetime?.isStrict !== false || !directives.has('max-stale')) return false
  return directives.get('max-stale') === true || -ttl <= secondsOf(directives, 'max-stale')!
}
