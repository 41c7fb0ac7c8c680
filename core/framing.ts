import type { RefusalId } from './errors.ts'
import { isHost, isToken, listMembers } from './head-syntax.ts'
import { shortList } from './short-list.ts'

/** Where the body of a message ends. */
export const BODY_NONE = 0
export const BODY_LENGTH = 1
export const BODY_CHUNKED = 2

const SLASH = 0x2f

/** The head of a request as the parser read it. */
export class RequestHead {
  method = ''
  target = ''
  /** `1.1`, `1.0`, that of a refused message as it was read, or `-` when none was read. */
  version = '-'
  /** The minor version: 0 or 1. */
  minor: 0 | 1 = 1
  /** Flat: name in lower case, value, name, value … */
  fields: string[] = shortList()
  /** BODY_NONE, BODY_LENGTH or BODY_CHUNKED. */
  framing: number = BODY_NONE
  /** Content-Length, or null. */
  contentLength: number | null = null
  host: string | null = null
  /** The authority of an absolute target; it replaces Host (RFC 9112 section 3.2.2). */
  authority: string | null = null
  /** Whether the client would use the connection again. */
  keepAlive = true
  /** The Upgrade field, when Connection names it; else it is not among the fields either. */
  upgrade: string | null = null
  /** `100-continue`, or the Expect field when it asks for something else; null for HTTP/1.0, which has no such thing. */
  expect: string | null = null
}

/**
 * Decides from the fields of a head where its body ends and what becomes of the connection (RFC 9112 sections 3.2,
 * 6.1, 6.3 and 9.3). Everything ambiguous is refused: there is no lenient switch.
 */
export function frame(head: RequestHead): RefusalId | null {
  if (!isTargetForm(head.method, head.target)) return 'H1-TARGET-FORM'
  let codings: string | null = null
  let connection: string | null = null
  let upgrade: string | null = null
  let expect: string | null = null
  const { fields } = head
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1]!
    switch (fields[i]) {
      case 'host':
        if (head.host !== null) return 'H1-HOST-TWICE'
        // The same string as before: then it is the same by its address for all who look it up.
        head.host = value === lastHost ? lastHost : value
        fields[i + 1] = head.host
        break
      case 'content-length': {
        if (head.contentLength !== null) return 'H1-CL-TWICE'
        if (!/^\d{1,15}$/.test(value)) return 'H1-CL-INVALID'
        head.contentLength = Number(value)
        break
      }
      case 'transfer-encoding':
        codings = joined(codings, value)
        break
      case 'connection':
        connection = joined(connection, value)
        break
      case 'upgrade':
        upgrade = joined(upgrade, value)
        break
      case 'expect':
        expect = joined(expect, value)
    }
  }
  if (head.host === null && head.minor === 1) return 'H1-HOST-MISSING'
  if (!hasValidHost(head)) return 'H1-HOST-INVALID'
  persist(head, connection)
  if (upgrade !== null) offer(head, connection, upgrade)
  if (expect !== null && head.minor === 1) head.expect = expectation(expect)
  return codings === null ? frameByLength(head) : frameByCodings(head, codings)
}

/** The last valid Host: nearly always the next one is the same. */
let lastHost: string | null = null

function hasValidHost(head: RequestHead): boolean {
  const { host } = head
  if (host !== null && host !== lastHost) {
    if (!isHost(host)) return false
    lastHost = host
  }
  const { target } = head
  if (target.charCodeAt(0) === SLASH || target === '*' || head.method === 'CONNECT') return true
  const start = target.indexOf('://') + 3
  const length = target.slice(start).search(/[/?]/)
  head.authority = length === -1 ? target.slice(start) : target.slice(start, start + length)
  return isHost(head.authority)
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}

function frameByLength(head: RequestHead): null {
  if (head.contentLength !== null && head.contentLength > 0) head.framing = BODY_LENGTH
  return null
}

function frameByCodings(head: RequestHead, codings: string): RefusalId | null {
  if (head.minor === 0) return 'H1-TE-VERSION'
  if (head.contentLength !== null) return 'H1-CL-TE'
  if (codings.toLowerCase() !== 'chunked') return refusedCodings(codings.toLowerCase())
  head.framing = BODY_CHUNKED
  return null
}

// Only the plain token is a coding we may trust another recipient to read the same way.
function refusedCodings(codings: string): RefusalId {
  const list = listMembers(codings)
  const isChunkedLast = list.indexOf('chunked') === list.length - 1
  return list.every(isToken) && isChunkedLast ? 'H1-TE-CODING' : 'H1-TE-INVALID'
}

// RFC 9112 section 9.3; HTTP/1.0 keeps a connection only when it asks to.
function persist(head: RequestHead, connection: string | null): void {
  head.keepAlive = head.minor === 1
  // What nearly all clients say needs no list.
  if (connection === null || (head.keepAlive && connection === 'keep-alive')) return
  const options = listMembers(connection.toLowerCase())
  if (options.includes('close')) head.keepAlive = false
  else if (options.includes('keep-alive')) head.keepAlive = true
}

// RFC 9110 section 7.8: HTTP/1.0 offers nothing, and Upgrade that Connection does not name was for somebody before us
// (section 7.6.1). Such a field is taken out, so that nobody behind us takes it for an offer.
function offer(head: RequestHead, connection: string | null, upgrade: string): void {
  const options = connection === null ? [] : listMembers(connection.toLowerCase())
  if (head.minor === 1 && options.includes('upgrade')) head.upgrade = upgrade
  else leaveOut(head.fields, 'upgrade')
}

function leaveOut(fields: string[], name: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) if (fields[i] === name) fields.splice(i, 2)
}

// RFC 9110 section 10.1.1: a list, of which only one member is defined; section 5.6.1: empty members say nothing.
function expectation(field: string): string | null {
  const members = listMembers(field.toLowerCase()).filter(member => member !== '')
  if (members.length === 0) return null
  return members.every(member => member === '100-continue') ? '100-continue' : field
}

/** Whether the form of a target fits its method (RFC 9112 section 3.2). */
function isTargetForm(method: string, target: string): boolean {
  if (method === 'CONNECT') return /^[^/?#@]+:\d{1,5}$/.test(target)
  if (target.charCodeAt(0) === SLASH) return true
  if (target === '*') return method === 'OPTIONS'
  return /^https?:\/\/[^/?#@]+(?:[/?]|$)/i.test(target)
}

const TRAILER_REFUSED = new Set(
  (
    'content-length transfer-encoding host connection upgrade te trailer keep-alive expect max-forwards range ' +
    'cache-control authorization proxy-authorization cookie set-cookie content-encoding content-type content-range ' +
    'if-match if-none-match if-modified-since if-unmodified-since if-range'
  ).split(' '),
)

/** Whether a trailer field would change how the message is framed, routed, authenticated or read. */
export function isRefusedTrailer(name: string): boolean {
  return TRAILER_REFUSED.has(name)
}
