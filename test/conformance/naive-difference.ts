import type { RefusalId } from '../../core/errors.ts'
import { type NaiveRequest, readNaively } from './naive-reader.ts'
import type { ParserReading } from './parser-reading.ts'

/** Refusals of what the grammar allows: limits, and where we are stricter than a recipient must be. */
const stricter = new Set<RefusalId>([
  'H1-METHOD-LONG',
  'H1-TARGET-LONG',
  'H1-TARGET-FORM',
  'H1-HOST-INVALID', // the naive reader does not look closely
  'H1-HEAD-LARGE',
  'H1-HEAD-COUNT',
  'H1-EMPTY-LINES',
  'H1-CL-INVALID', // too large
  'H1-CHUNK-SIZE', // too large
  'H1-CHUNK-EXT', // too long
  'H1-TRAILER-FIELD',
])

/** Where a parser and the naive reader differ about a text; null where they do not. */
export function difference(text: string, reading: ParserReading): string | null {
  let from = 0
  for (const request of reading.requests) {
    const naive = readNaively(text, from)
    if (naive.kind !== 'request') return `accepted, but ${naive.kind === 'invalid' ? naive.why : naive.kind}`
    if (!isSame(request, naive.request)) return `read as ${JSON.stringify([request, naive.request])}`
    from = request.end
  }
  return missed(text, from, reading.refusal)
}

/** Whether the naive reader goes on where the parser did not. */
function missed(text: string, from: number, refusal: RefusalId | null): string | null {
  const naive = readNaively(text, from)
  if (refusal === null) return naive.kind === 'incomplete' ? null : `waits, though there is ${naive.kind}`
  return naive.kind !== 'request' || stricter.has(refusal) ? null : `refused by ${refusal}, though valid`
}

function isSame(one: NaiveRequest, other: NaiveRequest): boolean {
  return (
    one.method === other.method &&
    one.target === other.target &&
    one.body === other.body &&
    one.end === other.end &&
    one.fields.join('\0') === other.fields.join('\0') &&
    one.trailers.join('\0') === other.trailers.join('\0')
  )
}
