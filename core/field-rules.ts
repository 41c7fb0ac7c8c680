import { describe } from './errors.ts'
import { isRefusedTrailer } from './framing.ts'
import { isFieldValue, isToken } from './head-syntax.ts'

/** Fields of the framing and the connection: only the writer may send them. */
const KERNEL_FIELDS = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'te',
])

/** Fields that describe the representation beside all `content-…` ones (RFC 9110 section 8). */
const VALIDATORS = new Set(['etag', 'last-modified', 'accept-ranges'])

/** Names that were found good, as they were written, and in lower case. */
const names = new Map<string, string>()
const MOST_NAMES = 256
const LONGEST_NAME = 64

// These two speak of what the client may do with the page, not of its bytes.
const isPolicy = (field: string): boolean => field.startsWith('content-security-policy')

/**
 * Whether a field belongs to the representation, which is finished when `deliver` runs: a tap there may not change it.
 *
 * @param field In lower case.
 */
export function isRepresentationField(field: string): boolean {
  return VALIDATORS.has(field) || (field.startsWith('content-') && !isPolicy(field))
}

/**
 * A field name in lower case.
 *
 * @throws TypeError for what is not a name, and for fields that belong to the kernel.
 */
export function checkedName(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const field = checkedAnew(name)
  // Names are of code, and few. Those of somebody who passes on what clients send must not fill the memory.
  if (names.size < MOST_NAMES && name.length <= LONGEST_NAME) names.set(name, field)
  return field
}

function checkedAnew(name: string): string {
  const field = typeof name === 'string' ? name.toLowerCase() : ''
  if (!isToken(field)) throw new TypeError(`${describe(name)} is not a field name (RFC 9110 section 5.1)`)
  if (!KERNEL_FIELDS.has(field)) return field
  throw new TypeError(
    `${field} belongs to the kernel; use response.close(), stream(…, { length }) or upgrade()`,
  )
}

/** @throws TypeError for what cannot be the value of a field: CR, LF and NUL would begin another field or message. */
export function checkValue(field: string, value: string): void {
  if (typeof value === 'string' && isFieldValue(value)) return
  throw new TypeError(
    `${field}: expected text of latin1 without control characters (RFC 9110 section 5.5), got ${describe(value)}`,
  )
}

/**
 * The name of a protocol, as the Upgrade field has it: with a version behind a slash, or without (RFC 9110 section 7.8).
 *
 * @throws TypeError for anything else.
 */
export function checkedProtocol(what: string, protocol: string): string {
  if (typeof protocol === 'string' && protocol.split('/', 2).every(isToken)) return protocol
  throw new TypeError(`${what}: protocol must be a token such as "websocket", got ${describe(protocol)}`)
}

/**
 * A trailer's name in lower case.
 *
 * @throws TypeError for fields that frame, route or authenticate a message, or say how to read it
 * (RFC 9110 section 6.5.1).
 */
export function checkedTrailerName(name: string): string {
  const field = checkedName(name)
  if (!isRefusedTrailer(field)) return field
  throw new TypeError(`${field} may not be a trailer field (RFC 9110 section 6.5.1)`)
}
