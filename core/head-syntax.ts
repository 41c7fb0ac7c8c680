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

/** Visible ASCII: what a request target may hold before its form is looked at. */
export const VISIBLE = range(0x21, 0x7e)

/** RFC 9110 section 5.5: field-vchar, SP and HTAB; obs-text is let through as latin1. */
export const FIELD_VALUE = range(0x20, 0x7e).fill(1, 0x80).fill(1, 0x09, 0x0a)

/** RFC 3986 section 3.3: pchar that stands for itself (no percent sign). */
export const PCHAR = table(unreserved, subDelims, ':@')

/** RFC 3986 section 3.2.2 and 3.2.3: reg-name, IPv4, IP-literal and port, without percent escapes. */
export const HOST = table(unreserved, subDelims, ':[]')

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
export function allowed(characters: Uint8Array, code: number): boolean {
  return code < 256 && characters[code] === 1
}

/**
 * Whether a text is `uri-host [":" port]` (RFC 9110 section 7.2). An empty Host is valid for a URI without
 * authority, but names no site here and is refused.
 */
export function isHost(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!allowed(HOST, text.charCodeAt(i))) return false
  return /^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::\d{0,5})?$/.test(text)
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

const byLength: (readonly string[])[] = Array.from({ length: 32 }, (_, length) =>
  known.filter(name => name.length === length),
)

/** The field name in `bytes[start, end)` in lower case: a constant for a common one, so that it costs no string. */
export function fieldName(bytes: Buffer, start: number, end: number): string {
  const candidates = byLength[end - start]
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
