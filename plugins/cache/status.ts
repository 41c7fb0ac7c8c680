import type { HttpRequest, HttpResponse } from 'rawhttp'
import { Slots } from 'rawhttp'
import { type Visit, Visits } from './visit.ts'

/** The tap on `deliver`: says what the cache did (RFC 9211), and how old a stored answer is. */
export function tellStatus(response: HttpResponse, request: HttpRequest, saysStatus: boolean): void {
  const visit = request.get(Visits)
  if (visit === undefined) return
  request.set(Slots.cacheStatus, visit.status)
  const now = Date.now()
  if (wasStored(visit) && visit.variant!.lifetime !== null)
    response.set('age', String(visit.variant!.ageAt(now)))
  if (saysStatus) response.append('cache-status', statusOf(visit, now))
}

/** Whether the client gets what was stored before it asked. */
const wasStored = ({ forward, status, variant }: Visit): boolean =>
  variant !== null && (forward === null || status === 'stale' || status === 'collapsed')

// Nothing of a client is in it: words of the cache's own, and numbers.
function statusOf(visit: Visit, now: number): string {
  const { forward, failedWith, variant } = visit
  const ttl = variant === null || !wasStored(visit) ? null : variant.ttlAt(now)
  const parts = [forward === null ? 'rawhttp; hit' : `rawhttp; fwd=${forward}`]
  if (failedWith !== null) parts.push(`fwd-status=${failedWith}`)
  if (visit.isStored) parts.push('stored')
  if (visit.status === 'collapsed') parts.push('collapsed')
  if (ttl !== null) parts.push(`ttl=${ttl}`)
  return parts.join('; ')
}
