/**
 * Client text as it may stand between quotes in a log line: control characters, quote, backslash and what is not
 * ASCII become `\xHH`, as nginx does it. So a client can neither begin a line nor end a field.
 */
export function quoted(text: string): string {
  return escaped(text, 0x20)
}

/** The same for a field without quotes, where a space would end it. */
export function bare(text: string): string {
  return escaped(text, 0x21)
}

// Nearly all text is clean: one look at each character, and the text itself goes on.
function escaped(text: string, lowest: number): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < lowest || code > 0x7e || code === 0x22 || code === 0x5c) return escapedFrom(text, i, lowest)
  }
  return text
}

function escapedFrom(text: string, start: number, lowest: number): string {
  let out = text.slice(0, start)
  for (const byte of bytesOf(text.slice(start))) {
    const isClean = byte >= lowest && byte <= 0x7e && byte !== 0x22 && byte !== 0x5c
    out += isClean ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

// What came off the wire is one byte a character. A plugin's text (a user's name) may be more.
function bytesOf(text: string): Buffer {
  return Buffer.from(text, /[^\x00-\xff]/.test(text) ? 'utf8' : 'latin1')
}

/** A JSON string in ASCII only: a terminal must not see a C1 control either, which JSON would let through. */
export function jsonString(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return escapedJson(text)
  }
  return `"${text}"`
}

function escapedJson(text: string): string {
  const ascii = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, ascii)
}
