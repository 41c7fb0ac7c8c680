import type { TraceRule } from './types.ts'

// The rules by which the kernel derives what nobody has set, in the words of a trace.

const rule = (text: string, section: string | null): TraceRule => ({ text, section })

/** Where RFC 9110 has the statuses that the kernel answers with by itself. */
const OF_STATUS: Readonly<Record<number, string>> = {
  204: 'RFC 9110 15.3.5',
  206: 'RFC 9110 15.3.7',
  304: 'RFC 9110 15.4.5',
  400: 'RFC 9110 15.5.1',
  404: 'RFC 9110 15.5.5',
  405: 'RFC 9110 15.5.6',
  408: 'RFC 9110 15.5.9',
  412: 'RFC 9110 15.5.13',
  413: 'RFC 9110 15.5.14',
  416: 'RFC 9110 15.5.17',
  421: 'RFC 9110 15.5.20',
  426: 'RFC 9110 15.5.22',
  500: 'RFC 9110 15.6.1',
  501: 'RFC 9110 15.6.2',
  503: 'RFC 9110 15.6.4',
}

/** The section of a status that the kernel answers with; null for others. */
export const sectionOf = (status: number): string | null => OF_STATUS[status] ?? null

/** Why a field that no plugin set is in an answer. */
export function fieldRule(name: string, value: string, status: number, isHead: boolean): TraceRule {
  switch (name) {
    case 'content-length':
      return isHead
        ? rule('the length that a GET would have; HEAD has no body', 'RFC 9110 9.3.2')
        : rule('the length of the body', 'RFC 9110 8.6')
    case 'transfer-encoding':
      return rule('only the end will tell the length: the body goes in chunks', 'RFC 9112 7.1')
    case 'trailer':
      return rule('names the fields behind the body', 'RFC 9110 6.6.2')
    case 'date':
      return rule('when the answer was made', 'RFC 9110 6.6.1')
    case 'connection':
      return connectionRule(value)
    case 'upgrade':
      return rule('names the protocol', 'RFC 9110 7.8')
    case 'accept-ranges':
      return rule('parts of the body can be had', 'RFC 9110 14.3')
    case 'content-range':
      return rule('says which part this is', 'RFC 9110 14.4')
    case 'allow':
      return rule('the methods that plugins have for the path', 'RFC 9110 10.2.1')
    case 'content-type':
      return status === 206
        ? rule('several parts, each with its range', 'RFC 9110 14.6')
        : rule('an error without a body gets a text', 'RFC 9110 15.5')
    default:
      return rule('the kernel set it', null)
  }
}

function connectionRule(value: string): TraceRule {
  if (value.includes('upgrade')) return rule('the connection changes its protocol', 'RFC 9110 7.8')
  return value === 'close'
    ? rule('the connection ends with this answer', 'RFC 9112 9.6')
    : rule('a client of HTTP/1.0 has to be told that it stays open', 'RFC 9112 9.3')
}

/** What a field went for, or became, between a whole representation and what the client gets of it. */
export function removalRule(name: string, status: number): TraceRule {
  if (status === 304) return rule('the client has it already', 'RFC 9110 15.4.5')
  if (name === 'content-digest') return rule('it speaks of the whole', 'RFC 9530 2')
  return rule('it does not fit what is sent', sectionOf(status))
}

const OTHER_TAG = rule('other bytes have another tag', 'RFC 9110 8.8.3')

const OF_ANOTHER_BODY: Readonly<Record<string, TraceRule>> = {
  etag: OTHER_TAG,
  'content-digest': rule('it speaks of other bytes', 'RFC 9530 2'),
  'repr-digest': rule('it speaks of other bytes', 'RFC 9530 3'),
  'content-range': rule('it speaks of other bytes', 'RFC 9110 14.4'),
}

const BY_CODING = {
  etag: rule('the same in another coding has a tag of its own', 'RFC 9110 8.8.3.3'),
  vary: rule('caches must hear that the coding was chosen by a field', 'RFC 9110 12.5.5'),
}

/** A change of one field by a tap, and what else the tap did. */
interface FieldChange {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
  /** Whether the same tap put a coding on the body. */
  readonly isCoded: boolean
  /** Whether the same tap gave the answer another body. */
  readonly hasOtherBody: boolean
}

/** The rule by which the kernel changed a field because of what a tap did; null when the tap did it itself. */
export function derivedRule({ name, from, to, isCoded, hasOtherBody }: FieldChange): TraceRule | null {
  if (isCoded && name === 'vary' && /accept-encoding/i.test(to ?? '')) return BY_CODING.vary
  if (isCoded && name === 'etag' && from !== null && (to === null || isSuffixed(from, to)))
    return to === null ? OTHER_TAG : BY_CODING.etag
  if (!hasOtherBody || from === null) return null
  if (to === null) return OF_ANOTHER_BODY[name] ?? null
  return name === 'etag' && isSuffixed(from, to) ? OTHER_TAG : null
}

/** `"a"` and `"a-gzip"`, also where one of them is weak. */
function isSuffixed(from: string, to: string): boolean {
  const [before, after] = [from, to].map(tag => tag.replace(/^W\//, '').slice(1, -1))
  return after!.startsWith(`${before}-`)
}
