import type { HttpRequest, HttpResponse } from 'rawhttp'
import { isWorthwhile, mediaTypeOf } from './media-types.ts'
import { isWhole } from './produce.ts'
import type { CompressionSettings } from './schema.ts'

/** An answer that has a body which could get a coding. */
export interface Candidate {
  readonly body: Exclude<HttpResponse['body'], null>
  /** Without parameters; empty when the answer does not say, and of small bodies that are whole. */
  readonly mediaType: string
  /** Whether the answer says that nobody may change its form (RFC 9111 section 5.2.2.6). */
  readonly isFixed: boolean
  /** Whether compressing it is of use, so that clients that can get it with a coding. */
  readonly isWorthwhile: boolean
}

/** No content, or a part or difference of a representation that has a form of its own. */
const LEFT_ALONE = new Set([204, 205, 206, 226, 304])

/** What an answer is for this plugin; null for one that it has nothing to do with. */
export function candidateOf(response: HttpResponse, settings: CompressionSettings): Candidate | null {
  const { status, body, length } = response
  // Errors are always sent as they are, so that they reach a client that refuses everything.
  if (status >= 400 || LEFT_ALONE.has(status) || body === null || length === 0) return null
  const { headers } = response
  if (headers.has('content-encoding') || headers.has('content-range')) return null
  const isFixed = forbidsTransform(headers.get('cache-control'))
  const isLarge = length === null || length >= settings.minSize
  // Of small bodies nobody asks, unless they are streams that have told their length.
  const mediaType = isLarge || !isWhole(body) ? mediaTypeOf(headers.get('content-type')) : ''
  const worth = !isFixed && isLarge && isWorthwhile(mediaType, settings.types)
  return { body, mediaType, isFixed, isWorthwhile: worth }
}

/** Whether a request is for a part, which the kernel takes of the form without a coding (RFC 9110 section 14.2). */
export const wantsPart = ({ method, headers }: HttpRequest): boolean =>
  method === 'GET' && headers.has('range')

const NO_TRANSFORM = /(?:^|,)[ \t]*no-transform[ \t]*(?:[,;=]|$)/i

function forbidsTransform(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && NO_TRANSFORM.test(cacheControl)
}
