import { type HttpRequest, type HttpResponse, Slots } from 'rawhttp'
import { type Forward, type Visit, Visits } from './visit.ts'

/** The tap on `deliver`: says what the cache did (RFC 9211), and how old a stored answer is. */
export function tellStatus(response: HttpResponse, request: HttpRequest, saysStatus: boolean): void {
  const visit = request.get(Visits)
  if (visit === undefined) return
  const { status, variant } = visit
  request.set(Slots.cacheStatus, status)
  const isStored = variant !== null && wasStored(visit)
  const told = isStored ? variant.told() : null
  if (told !== null) response.set('age', told.age)
  if (!saysStatus) return
  const isHit = visit.forward === null
  response.append('cache-status', isHit ? (told?.hit ?? 'rawhttp; hit') : forwarded(visit, told?.ttl))
}

/** Whether the client gets what was stored before it asked. */
const wasStored = ({ forward, status }: Visit): boolean =>
  forward === null || status === 'stale' || status === 'collapsed'

/** What most answers say, as a whole: text put together is looked at again before it is sent. */
const FORWARDED: Readonly<Record<Forward, string>> = {
  bypass: 'rawhttp; fwd=bypass',
  method: 'rawhttp; fwd=method',
  'uri-miss': 'rawhttp; fwd=uri-miss',
  'vary-miss': 'rawhttp; fwd=vary-miss',
  request: 'rawhttp; fwd=request',
  stale: 'rawhttp; fwd=stale',
}

// Nothing of a client is in it: words of the cache's own, and numbers.
function forwarded({ forward, failedWith, isStored, status }: Visit, ttl: number | undefined): string {
  let text = FORWARDED[forward!]
  if (failedWith !== null) text += `; fwd-status=${failedWith}`
  if (isStored) text += '; stored'
  if (status === 'collapsed') text += '; collapsed'
  return ttl === undefined ? text : `${text}; ttl=${ttl}`
}
