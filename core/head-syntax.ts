import { isIPv6 } from 'node:net'

const OPEN_BRACKET = 0x5b
const COLON = 0x3a
const DOT = 0x2e

/** Tables over byte values for what RFC 9110 and RFC 3986 allow where. 1 = allowed. */
function table(...allowed: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(256)
  for (const character of allowed.join('')) bytes[character.charCodeAt(0)] = 1
  return bytes
}

const alpha = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const digit = '0123456789'
const unreserved = `${alpha}${digit}-._~`
const subDelims = "!$&'()*+,;="

/** RFC 9110 section 5.6.2: tchar. */
export const TOKEN = table(alpha, digit, "!#$%&'*+-.^_`|~")

/** Visible ASCII. */
export const VISIBLE = range(0x21, 0x7e)

/** What a request target may hold: visible ASCII, since browsers send raw what RFC 3986 would escape; no fragment. */
export const TARGET = range(0x21, 0x7e).fill(0, 0x23, 0x24)

/** RFC 9110 section 5.5: field-vchar, SP and HTAB; obs-text is let through as latin1. */
export const FIELD_VALUE = range(0x20, 0x7e).fill(1, 0x80).fill(1, 0x09, 0x0a)

/** RFC 3986 section 3.3: pchar that stands for itself (no percent sign). */
export const PCHAR = table(unreserved, subDelims, ':@')

/**
 * RFC 3986 section 3.2.2: reg-name and IPv4 address, without percent escapes, and without the comma: two Hosts that
 * somebody joined to one must not pass for a name.
 */
const REG_NAME = table(unreserved, subDelims.replace(',', ''))

function range(first: number, last: number): Uint8Array {
  return new Uint8Array(256).fill(1, first, last + 1)
}

/** Value of a hexadecimal digit, or -1. */
export const HEX = new Int8Array(256).fill(-1)
for (let value = 0; value < 16; value++) {
  const character = value.toString(16)
  HEX[character.charCodeAt(0)] = value
  HEX[character.toUpperCase().charCodeAt(0)] = value
}

/** Whether a text is a token (RFC 9110 section 5.6.2): a method, a field name, a coding. */
export function isToken(text: string): boolean {
  if (text.length === 0) return false
  for (let i = 0; i < text.length; i++) if (!allowed(TOKEN, text.charCodeAt(i))) return false
  return true
}

/** Whether a text may be the value of a field that we send: no control characters, all within latin1. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!allowed(FIELD_VALUE, text.charCodeAt(i))) return false
  return true
}

/** Whether a character code is in a table. */
function allowed(characters: Uint8Array, code: number): boolean {
  return code < 256 && characters[code] === 1
}

/**
 * Whether a text is `uri-host [":" port]` (RFC 9110 section 7.2). An empty Host is valid for a URI without
 * authority, but names no site here and is refused.
 */
export function isHost(text: string): boolean {
  let at = 0
  if (text.charCodeAt(0) === OPEN_BRACKET) {
    at = text.indexOf(']') + 1
    if (!isAddress(text.slice(1, at - 1))) return false
  } else while (at < text.length && allowed(REG_NAME, text.charCodeAt(at))) at++
  return at > 0 && (at === text.length || (text.charCodeAt(at) === COLON && isPort(text, at + 1)))
}

// A zone (`%eth0`) means something to one machine only; RFC 3986 section 3.2.2 knows none.
function isAddress(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

// RFC 3986 section 3.2.3 lets a port be empty.
function isPort(text: string, start: number): boolean {
  if (text.length - start > 5) return false
  for (let i = start; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return false
  return Number(text.slice(start)) <= 65_535
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

/**
 * The members of a list (RFC 9110 section 5.6.1) without the white space around them, empty ones too. No pattern
 * splits it: one with white space in it takes quadratic time over white space that no comma follows.
 */
export function listMembers(list: string): string[] {
  return list.split(',').map(trimmed)
}

/**
 * A text without the white space around it: space and tab only (RFC 9110 section 5.6.3). String.trim() takes a no-break
 * space for white space too.
 */
export function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/**
 * The version in `bytes[start, end)` as one number, 11 for HTTP/1.1, or -1 when it is none (RFC 9112 section 2.3).
 * The name is case-sensitive.
 */
export function httpVersion(bytes: Buffer, start: number, end: number): number {
  if (end - start !== 8) return -1
  for (let i = 0; i < 5; i++) if (bytes[start + i] !== 'HTTP/'.charCodeAt(i)) return -1
  const major = bytes[start + 5]!
  const minor = bytes[start + 7]!
  if (!isDigit(major) || bytes[start + 6] !== DOT || !isDigit(minor)) return -1
  return (major - 0x30) * 10 + (minor - 0x30)
}

const known = [
  'host connection content-length transfer-encoding expect upgrade trailer te keep-alive',
  'accept accept-encoding accept-language authorization cache-control content-type content-encoding cookie date',
  'dnt etag if-match if-modified-since if-none-match if-range if-unmodified-since origin pragma priority range',
  'referer sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user user-agent via',
  'sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform upgrade-insecure-requests',
  'forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-request-id sec-websocket-key sec-websocket-version',
]
  .join(' ')
  .split(' ')

const LONGEST = 32

/** Common names by length and first letter, which leaves one or two to compare with. */
const byKey: (readonly string[] | undefined)[] = new Array(LONGEST * 32).fill(undefined)
for (const name of known) {
  const key = nameKey(name.length, name.charCodeAt(0))
  byKey[key] = [...(byKey[key] ?? []), name]
}

// The low five bits of a letter are the same in both cases.
function nameKey(length: number, first: number): number {
  return length * 32 + (first & 0x1f)
}

/** The field name in `bytes[start, end)` in lower case: a constant for a common one, so that it costs no string. */
export function fieldName(bytes: Buffer, start: number, end: number): string {
  const candidates = end - start < LONGEST ? byKey[nameKey(end - start, bytes[start]!)] : undefined
  if (candidates !== undefined) {
    for (const name of candidates) if (matches(bytes, start, name)) return name
  }
  return bytes.toString('latin1', start, end).toLowerCase()
}

// 0x20 makes a letter lower case and leaves '-' alone; no other token character becomes a letter or '-' by it.
function matches(bytes: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[start + i]! | 0x20) !== name.charCodeAt(i)) return false
  return true
}
