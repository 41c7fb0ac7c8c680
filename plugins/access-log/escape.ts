// Nearly all text is clean, and an expression of one class finds that out faster than a loop over the characters.
const NOT_QUOTED = /[^ !#-[\]-~]/
const NOT_BARE = /[^!#-[\]-~]/

/**
 * Client text as it may stand between quotes in a log line: control characters, quote, backslash and what is not
 * ASCII become `\xHH`, as nginx does it. So a client can neither begin a line nor end a field.
 */
export function quoted(text: string): string {
  return NOT_QUOTED.test(text) ? escaped(text, NOT_QUOTED) : text
}

/** The same for a field without quotes, where a space would end it. */
export function bare(text: string): string {
  return NOT_BARE.test(text) ? escaped(text, NOT_BARE) : text
}

function escaped(text: string, dirty: RegExp): string {
  let out = ''
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte)
    const hex = byte.toString(16).toUpperCase().padStart(2, '0')
    out += dirty.test(character) ? `\\x${hex}` : character
  }
  return out
}

// What came off the wire is one byte a character. A plugin's text (a user's name) may be more.
function bytesOf(text: string): Buffer {
  return Buffer.from(text, /[^\x00-\xff]/.test(text) ? 'utf8' : 'latin1')
}

/** A JSON string in ASCII only: a terminal must not see a C1 control either, which JSON would let through. */
export function jsonString(text: string): string {
  return NOT_QUOTED.test(text) ? escapedJson(text) : `"${text}"`
}

function escapedJson(text: string): string {
  const ascii = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, ascii)
}
