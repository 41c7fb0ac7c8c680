import { checkPreconditions, rangeStands } from './conditional.ts'
import { HttpError } from './errors.ts'
import { MultipartRanges } from './multipart-ranges.ts'
import { contentRange, rangesIn, type Sliceable, slice } from './range.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { lengthOf } from './response-body.ts'

/**
 * What a request gets of the representation that a 200 has for it: all, none or parts, in the order of RFC 9110
 * section 13.2.2. Other methods than GET and HEAD get what they got.
 *
 * @returns The whole, with Accept-Ranges where it can be had in parts; a 304 or 206; a 412 or 416 as an error.
 */
export function select(answer: HttpResponse, request: HttpRequest): HttpResponse | HttpError {
  const { method } = request
  if (answer.status !== 200 || (method !== 'GET' && method !== 'HEAD')) return answer
  const ranged = answer.ranged()
  const whole = ranged ?? answer
  if (!request.hasConditions) return whole
  const verdict = checkPreconditions(request, { ...validatorsOf(answer), exists: true })
  if (verdict === 'failed') return new HttpError(412)
  if (verdict === 'not-modified') return answer.notModified()
  // RFC 9110 section 14.2: a Range counts for GET alone.
  return ranged !== null && method === 'GET' ? parts(ranged, request) : whole
}

function parts(whole: HttpResponse, { headers }: HttpRequest): HttpResponse | HttpError {
  const body = whole.body as Sliceable
  const range = headers.get('range')
  if (range === undefined || !rangeStands(headers.get('if-range'), validatorsOf(whole))) return whole
  const size = lengthOf(body)!
  const ranges = rangesIn(range, size)
  if (ranges === null) return whole
  const [first] = ranges
  if (first === undefined)
    return new HttpError(416, undefined, { headers: { 'content-range': `bytes */${size}` } })
  if (ranges.length === 1)
    return whole.partial(slice(body, first), null).set('content-range', contentRange(first, size))
  // Each part has a Content-Range of its own, and the message none (RFC 9110 section 15.3.7.2).
  const all = new MultipartRanges(body, ranges, size, whole.field('content-type'))
  return whole.partial(all, all.length).set('content-type', all.type).delete('content-range')
}

function validatorsOf(answer: HttpResponse) {
  return {
    etag: answer.field('etag'),
    lastModified: answer.field('last-modified'),
    date: answer.field('date'),
  }
}
