import { FileSlice, type HttpRequest, type HttpResponse, LazyBody, ownCopy } from 'rawhttp'
import type { Ending } from './fill.ts'
import { judge, type Verdict } from './policy.ts'
import { ReadAlong } from './read-along.ts'
import type { Store } from './store.ts'
import { Variant } from './variant.ts'
import { type Visit, Visits } from './visit.ts'

type Callback = (error?: Error | null, answer?: HttpResponse) => void

/** Statuses that a stale answer may stand in for (RFC 5861 section 4). */
const FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504])

/** Statuses that say nothing of what is stored: they are of the one request, or of the server. */
const UNTELLING: ReadonlySet<number> = new Set([...FAILURES, 401, 403, 406, 407, 429])

/** Milliseconds for which a handler that has failed is left alone while a stale answer stands in for it. */
const RETRY_AFTER = 1_000

/** Milliseconds for which others wait for a body whose end is not known. */
const STREAM_WAIT = 5_000

/** Room for what a coding may add to a body that cannot be compressed. */
const CODING_SLACK = 1_024

/** An answer that is finished, and the request that it was made for. */
interface Answered {
  readonly store: Store
  readonly visit: Visit
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly callback: Callback
  /** When it came: its age counts from here. */
  readonly now: number
}

/** An answer that may be stored. */
interface Storable extends Answered {
  readonly verdict: Verdict
  readonly tags: readonly string[]
}

/** The tap on `transform` before the encodings: a body's length is known only as long as it is not encoded. */
export function noteLength(response: HttpResponse, request: HttpRequest): void {
  const visit = request.get(Visits)
  if (visit?.isOpen === true) visit.plainLength = lengthOf(response)
}

/** The tap on `transform` behind all others: stores what may be stored, and lets go of who waits for it. */
export function keep(response: HttpResponse, request: HttpRequest, callback: Callback): void {
  const tags = takeTags(response)
  const visit = request.get(Visits)
  // An answer to an error of the same request comes by here once more.
  if (visit === undefined || !visit.isOpen || visit.isReading) return callback()
  const store = visit.store!
  const now = Date.now()
  const answered = { store, visit, request, response, callback, now }
  if (standsIn(answered)) return
  const isRestricted = request.restriction !== null || request.headers.has('authorization')
  const verdict = judge(response, { isRestricted, now })
  if (store.isOvertaken(visit, tags)) return conclude(answered, 'again')
  if (verdict === null) return refuse(answered)
  const storable = { ...answered, verdict, tags }
  if (!isKnown(storable)) read(storable)
}

/** Ends a visit that has come to no answer, and with it the wait of others. */
export function abandon(visit: Visit, ending: Ending): void {
  visit.store?.settle(visit)
  visit.fill?.end(ending)
}

/** Lets the answer go on, a stored one in its place if given, and then those who wait for it. */
function conclude(
  { store, visit, callback }: Answered,
  ending: Ending,
  made: Variant | null = null,
  answer?: HttpResponse,
): void {
  visit.isReading = false
  store.settle(visit)
  callback(null, answer)
  visit.fill?.end(ending, made)
}

function standsIn(answered: Answered): boolean {
  const { store, visit, response, now } = answered
  const { variant } = visit
  if (variant === null || !FAILURES.has(response.status)) return false
  if (store.isOvertaken(visit, variant.tags)) return false
  variant.retryAt = now + RETRY_AFTER
  if (!variant.mayStandIn(now)) return false
  visit.failedWith = response.status
  visit.status = 'stale'
  conclude(answered, 'again', variant, variant.response)
  return true
}

/** The answer is not for the store: neither is what it takes the place of, unless the handler only failed. */
function refuse(answered: Answered): void {
  const { store, visit, response } = answered
  const { variant, key, fill } = visit
  if (!UNTELLING.has(response.status)) {
    if (variant !== null) store.drop(key, variant)
    if (fill !== null) store.pass(key)
  } else if (variant !== null) variant.retryAt = answered.now + RETRY_AFTER
  conclude(answered, 'alone')
}

/** Whether the same bytes are stored already: then nothing is read or encoded again. */
function isKnown(storable: Storable): boolean {
  const { store, visit, request, response, verdict, tags, now } = storable
  const resource = store.get(visit.key)
  if (resource === undefined || !resource.knows(verdict)) return false
  const known = resource.ofCoding(request, response.headers.get('content-encoding') ?? 'identity')
  if (known === null || !known.isSameAs(response)) return false
  if (known === visit.variant) visit.status = 'revalidated'
  // What knows itself may know it by another object now, and the old one never becomes current again.
  const isRenewed = verdict.lifetime !== null || known.response.isCurrent !== response.isCurrent
  const { bytes, betterTag: etag } = known
  const variant = isRenewed ? new Variant({ response, bytes, verdict, tags, now, etag }) : known
  if (isRenewed) store.renew(resource, known, variant)
  store.link(resource, request, variant)
  visit.isStored = true
  conclude(storable, 'again', variant, variant.response)
  return true
}

function read(storable: Storable): void {
  const { visit, response, store } = storable
  const { body } = response
  if (body === null) return void put(storable, null)
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    return bytes.length > store.maxBody ? refuse(storable) : void put(storable, ownCopy(bytes))
  }
  const length = body instanceof FileSlice ? body.length : body instanceof LazyBody ? visit.plainLength : null
  if (length === null) readAlong(storable)
  else if (length > store.maxBody || !store.reserve(length)) refuse(storable)
  else readWhole(storable, length)
}

/**
 * A body that is made of what is there: its client waits for it, which is what the others do too. Therefore it is made
 * as for a client; what is worth more work is made better afterwards.
 */
function readWhole(storable: Storable, reserved: number): void {
  const { store, visit, response } = storable
  const { body } = response
  beginReading(visit)
  response.bytes({ limit: store.maxBody + CODING_SLACK }).then(
    bytes => {
      store.release(reserved)
      const variant = put(storable, bytes.length === bytes.buffer.byteLength ? bytes : ownCopy(bytes))
      if (body instanceof LazyBody && variant.bytes !== null) improve(storable, body, variant)
    },
    () => {
      // The body is as it was: who sends it meets the same error, and says so.
      store.release(reserved)
      refuse(storable)
    },
  )
}

/** A body whose end is not known: its client reads along. */
function readAlong(storable: Storable): void {
  const { store, visit, response, callback } = storable
  beginReading(visit)
  const timer = setTimeout(() => {
    // Those who wait have a time-out of their own.
    store.pass(visit.key)
    visit.fill?.end('alone')
    reading?.leaveToClient()
  }, STREAM_WAIT).unref()
  let taken = 0
  let reading: ReadAlong | null = null
  const take = (bytes: number) => {
    if (taken + bytes > store.maxBody || !store.reserve(bytes)) return false
    taken += bytes
    return true
  }
  const ended = (whole: Buffer | null) => {
    clearTimeout(timer)
    store.release(taken)
    visit.isReading = false
    store.settle(visit)
    const { fill } = visit
    const variant = whole === null ? null : stored(storable, whole)
    if (variant === null && fill !== null) store.pass(visit.key)
    fill?.end(variant === null ? 'alone' : 'again', variant)
  }
  response.through(body => {
    reading = new ReadAlong(body, { take, ended })
    return reading
  })
  callback()
}

function beginReading(visit: Visit): void {
  visit.isReading = true
  if (visit.fill !== null) visit.fill.isSafe = true
}

function put(storable: Storable, bytes: Buffer | null): Variant {
  const variant = stored(storable, bytes)
  conclude(storable, 'again', variant, undefined)
  return variant
}

// Whoever makes up queries makes up keys: none of them is worth the work.
function improve({ store, visit, request }: Storable, body: LazyBody, variant: Variant): void {
  if (request.search !== '' || store.get(visit.key)?.holds(variant) !== true) return
  store.improvements.offer(body, () => {
    const resource = store.get(visit.key)
    if (resource?.holds(variant) !== true) return null
    return bytes => {
      if (
        resource === store.get(visit.key) &&
        resource.holds(variant) &&
        bytes.length < variant.bytes!.length
      )
        store.renew(resource, variant, variant.better(ownCopy(bytes), Date.now()))
    }
  })
}

function stored(storable: Storable, bytes: Buffer | null): Variant {
  const { store, visit, request, response, verdict, tags, now } = storable
  const variant = new Variant({ response, bytes, verdict, tags, now })
  store.put(visit, request, verdict, variant)
  return variant
}

/** The names by which an answer can be purged. They are between the handler and the cache. */
function takeTags(response: HttpResponse): readonly string[] {
  const field = response.headers.get('cache-tag')
  if (field === undefined) return []
  response.delete('cache-tag')
  return field.split(',').map(tag => tag.trim())
}

/** The bytes of a body that is there; null for one that is still made, whatever length it has declared. */
function lengthOf({ body, length }: HttpResponse): number | null {
  const isThere =
    body === null || typeof body === 'string' || body instanceof Uint8Array || body instanceof FileSlice
  return isThere ? length : null
}
