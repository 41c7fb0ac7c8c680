import parseRange from 'range-parser'
import { FileSlice } from './file-slice.ts'
import { bytesOf, type ResponseBody } from './response-body.ts'

/** A part of a representation, both ends included and counted from 0 (RFC 9110 section 14.1.2). */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** More members than this are no request that a reader makes: the whole is sent instead. */
export const MAX_RANGES = 100

const BYTES = /^bytes=([-0-9, \t]*)$/i
const MEMBER = /^(?:(\d+)-(\d*)|-(\d+))$/

/**
 * The parts that a Range field asks for: in the order of the field, what overlaps or adjoins made one, cut at the
 * end of the representation. Empty when none of them is within it (416). Null when the field is to be ignored:
 * another unit, too many members, or against the grammar of RFC 9110 section 14.1.1.
 *
 * @param size Bytes of the representation, more than 0.
 */
export function rangesIn(field: string, size: number): readonly ByteRange[] | null {
  const set = BYTES.exec(field)?.[1]
  if (set === undefined) return null
  const members = set.split(',', MAX_RANGES + 1)
  if (members.length > MAX_RANGES) return null
  // Empty members are no fault of a list (section 5.6.1.2).
  const asked = members.map(member => member.trim()).filter(member => member !== '')
  const specs = asked.map(member => rangeSpec(member, size))
  if (specs.length === 0 || specs.includes(null)) return null
  const found = parseRange(size, `bytes=${specs.join(',')}`, { combine: true })
  return typeof found === 'number' ? [] : found
}

// range-parser does the arithmetic. But it takes for unsatisfiable what the RFC calls invalid, `5-2`, and a suffix
// longer than the representation, which asks for all of it.
function rangeSpec(member: string, size: number): string | null {
  const spec = MEMBER.exec(member)
  if (spec === null) return null
  const [, first, last, suffix] = spec
  if (suffix !== undefined) return Number(suffix) > size ? '0-' : member
  return last !== '' && Number(last) < Number(first) ? null : member
}

/** A body of which parts can be sent: its bytes are there, or on a disk. */
export type Sliceable = string | Uint8Array | FileSlice

/** Whether parts can be taken of a body. An empty one has none that Content-Range could name. */
export function isSliceable(body: ResponseBody): body is Sliceable {
  const isKnown = typeof body === 'string' || body instanceof Uint8Array || body instanceof FileSlice
  return isKnown && body.length > 0
}

/** One part of a body, without a copy where the body is bytes, a file, or text of ASCII. */
export function slice(body: Sliceable, { start, end }: ByteRange): Sliceable {
  if (body instanceof FileSlice) return body.slice(start, end + 1)
  if (typeof body === 'string' && Buffer.byteLength(body) === body.length) return body.slice(start, end + 1)
  return bytesOf(body).subarray(start, end + 1)
}

/** The value of Content-Range for a part of `size` bytes. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`
}
