/** Makes text of a client or a plugin safe for one place in a line. */
export type Escape = (text: string) => string

/** Where a text stands in a line. */
export interface Place {
  /** Between quotes a space is only a space; elsewhere it would end the field. */
  readonly isQuoted: boolean
  /** The character that ends the field there; empty when any may follow. */
  readonly until?: string
  /** The longest that the text may become, in characters. */
  readonly limit: number
}

/** How long a field may become unless its format says otherwise: no client makes a line of any length. */
export const FIELD_LIMIT = 8_192

const PRINTABLE = Array.from({ length: 0x5f }, (_, at) => String.fromCharCode(0x20 + at))
const CUT = '...'

/**
 * The escape for a place. Control characters, quote, backslash, what is not ASCII and what would end the field there
 * become `\xHH`, as nginx writes them: a client can neither begin a line nor end a field. What is longer than the
 * limit is cut and ends in three dots.
 */
export function escapeFor({ isQuoted, until = '', limit }: Place): Escape {
  // Brackets stand around the time, and readers look for the first one.
  const ends = `"\\${isQuoted ? '' : ' []'}${until}`
  const clean = PRINTABLE.filter(character => !ends.includes(character)).map(hex)
  // Nearly all text is clean, and an expression of one class finds that out faster than a loop over the characters.
  const dirty = new RegExp(`[^${clean.join('')}]`)
  return text => {
    const head = text.length > limit ? text.slice(0, limit + 1) : text
    const safe = dirty.test(head) ? escaped(head, dirty) : head
    return safe.length > limit ? cut(safe, limit) : safe
  }
}

function escaped(text: string, dirty: RegExp): string {
  let out = ''
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte)
    out += dirty.test(character) ? hex(character) : character
  }
  return out
}

// What came off the wire is one byte a character. A plugin's text (a user's name) may be more.
function bytesOf(text: string): Buffer {
  return Buffer.from(text, /[^\x00-\xff]/.test(text) ? 'utf8' : 'latin1')
}

function hex(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** Every backslash begins an escape: none is cut in two. */
function cut(safe: string, limit: number): string {
  return safe.slice(0, limit - CUT.length).replace(/\\(?:x[\dA-F]?)?$/, '') + CUT
}

const NOT_IN_JSON = /[^ !#-[\]-~]/

/** A JSON string in ASCII only: a terminal must not see a C1 control either, which JSON would let through. */
export function jsonString(text: string, limit = FIELD_LIMIT): string {
  const head = text.length > limit ? text.slice(0, limit - CUT.length) + CUT : text
  return NOT_IN_JSON.test(head) ? escapedJson(head) : quoted(head)
}

/** Text that needs no escape, as a JSON string. */
export function quoted(text: string): string {
  return `"${text}"`
}

function escapedJson(text: string): string {
  const ascii = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, ascii)
}
