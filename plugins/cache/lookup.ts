import { type HttpRequest, HttpResponse, wallTime } from 'rawhttp'
import { type Demands, demandsOf, NO_DEMANDS } from './demands.ts'
import type { Ending } from './fill.ts'
import { Kept, type KeptStore } from './kept.ts'
import { keyOf } from './key.ts'
import type { Resource } from './resource.ts'
import type { Variant } from './variant.ts'
import { type Forward, type Status, Visit, Visits } from './visit.ts'

type Callback = (error?: Error | null, answer?: HttpResponse) => void

/** One request on its way through the lookup. */
interface Asking {
  readonly kept: KeptStore
  readonly request: HttpRequest
  readonly callback: Callback
  readonly key: string
  readonly demands: Demands
  readonly isRestricted: boolean
  /** Whether it waited for another request; then what that one has made is good enough, however old. */
  readonly hasWaited: boolean
  readonly made: Variant | null
}

/** What was found for a request. */
interface Found {
  readonly resource: Resource | undefined
  readonly selector: string
  readonly variant: Variant | null
  /** When it was looked for. */
  readonly now: number
}

/**
 * The tap on `handle`: answers requests from the store, and decides who of those that it cannot answer runs the handler.
 */
export function lookUp(request: HttpRequest, callback: Callback): void {
  const { method } = request
  const kept = request.site.get(Kept)!
  const { obeysClients } = kept
  // One that a visit was given to beforehand is wanted for the store alone.
  if (!kept.isCurrent || request.get(Visits) !== undefined) return callback()
  const key = keyOf(request)
  if (method !== 'GET' && method !== 'HEAD') return pass(begin(request, key), 'method', callback)
  if (hasContent(request)) return pass(begin(request, key), 'bypass', callback)
  const { headers } = request
  const isRestricted = request.restriction !== null || headers.has('authorization')
  const cacheControl = headers.get('cache-control')
  const demands = cacheControl === undefined && !obeysClients ? NO_DEMANDS : demandsOf(headers, obeysClients)
  look({ kept, request, callback, key, demands, isRestricted, hasWaited: false, made: null })
}

function look(asking: Asking): void {
  const { kept, request, key, demands, isRestricted, made } = asking
  const now = wallTime()
  const resource = kept.store.ask(key)
  const selector = resource === undefined ? '' : resource.selector(request)
  const variant = resource?.find(selector) ?? null
  if (variant === null || (isRestricted && !variant.isForAll)) {
    return miss(
      asking,
      { resource, selector, variant: null, now },
      isRestricted ? 'bypass' : missOf(resource),
    )
  }
  if (variant === made) return void serve(asking, variant, 'collapsed')
  const isFresh = variant.isFresh(now)
  const isRefused = demands.refuse(variant, now)
  if (!isRefused && (isFresh || demands.takesStale(variant, now)))
    return void serve(asking, variant, isFresh ? 'hit' : 'stale')
  if (!isFresh && !isRefused && standsIn(asking, variant, now)) return
  miss(asking, { resource, selector, variant, now }, isFresh ? 'request' : 'stale')
}

/** Answers with a stale variant where that is allowed, and has it made anew. */
function standsIn(asking: Asking, variant: Variant, now: number): boolean {
  const isPausing = now < variant.retryAt
  if (variant.mayWait(now) && !asking.isRestricted) {
    const visit = serve(asking, variant, 'stale')
    if (!isPausing) asking.kept.refresh(asking.request, visit)
    return true
  }
  if (!isPausing || !variant.mayStandIn(now)) return false
  serve(asking, variant, 'stale')
  return true
}

function serve({ kept, request, callback, key, hasWaited }: Asking, variant: Variant, status: Status): Visit {
  const visit = begin(request, key)
  visit.variant = variant
  visit.status = hasWaited && status === 'hit' ? 'collapsed' : status
  visit.forward = visit.status === 'collapsed' ? 'uri-miss' : null
  kept.store.hits++
  callback(null, variant.response)
  return visit
}

/** Nothing to answer with: goes on to the handler, or waits for one that does. */
function miss(asking: Asking, found: Found, forward: Forward): void {
  const { request, callback, key, demands, kept } = asking
  const { store } = kept
  const visit = begin(request, key)
  visit.variant = found.variant
  if (demands.onlyIfCached) return callback(null, HttpResponse.error(504, 'The cache has no answer to this.'))
  if (!mayFill(request)) return pass(visit, forward, callback)
  if (demands.noStore) return pass(visit, 'request', callback)
  visit.status = found.variant === null ? 'miss' : 'expired'
  // Whether an answer to a request with credentials is for others too shows when it comes; nobody waits for that.
  if (asking.isRestricted || store.isPassed(key, found.now)) return goAlone(asking, visit, forward)
  // Before the first answer nobody knows what its variants depend on.
  const id = found.resource === undefined ? key : `${key}\n${found.selector}`
  const joined = store.fillOf(id)?.join((ending, made) => resume(asking, visit, ending, made))
  if (joined === true) return
  visit.fill = store.lead(id, request)
  goAlone(asking, visit, forward)
}

function goAlone({ kept, callback }: Asking, visit: Visit, forward: Forward): void {
  kept.store.misses++
  // What a retired generation answers is of an older config.
  if (kept.isCurrent) kept.store.open(visit)
  visit.forward = forward
  callback()
}

/** The run that a request waited for has ended. */
function resume(asking: Asking, visit: Visit, ending: Ending, made: Variant | null): void {
  try {
    if (ending === 'again' && asking.kept.isCurrent) look({ ...asking, hasWaited: true, made })
    else goAlone(asking, visit, visit.variant === null ? 'uri-miss' : 'stale')
  } catch (error) {
    asking.callback(error as Error)
  }
}

function begin(request: HttpRequest, key: string): Visit {
  const visit = new Visit(key)
  request.set(Visits, visit)
  return visit
}

function pass(visit: Visit, forward: Forward, callback: Callback): void {
  visit.forward = forward
  callback()
}

const missOf = (resource: Resource | undefined): Forward =>
  resource === undefined ? 'uri-miss' : 'vary-miss'

// Content of a GET means something to some handlers, and it is not in the key. HTTP/2 has no field that must tell.
function hasContent(request: HttpRequest): boolean {
  const { headers, version } = request
  const length = headers.get('content-length')
  if (length !== undefined) return length !== '0'
  return headers.has('transfer-encoding') || (version === '2' && !request.body.isEmpty)
}

/** What HEAD and a part bring is no whole answer, and another protocol is none at all. */
const mayFill = ({ method, headers }: HttpRequest): boolean =>
  method === 'GET' && !headers.has('range') && !headers.has('upgrade')
