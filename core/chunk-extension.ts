import { FIELD_VALUE, TOKEN } from './head-syntax.ts'

// RFC 9112 section 7.1.1: *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ). BWS is white space that
// nobody should send and everybody must read over (RFC 9110 section 5.6.3).

/** Behind a semicolon: a name must follow. */
export const EXTENSION_BEGIN = 0
const NAME = 1
/** White space behind a name, which `=` or `;` must follow. */
const NAME_SPACE = 2
/** Behind `=`: a value must follow. */
const VALUE_BEGIN = 3
const VALUE = 4
const QUOTED = 5
const ESCAPED = 6
const QUOTE_END = 7
/** White space behind a value, which only `;` may follow. */
const VALUE_SPACE = 8
/** The same behind the chunk size. */
export const SIZE_SPACE = 9

/** What no extension can have at this place. */
export const NO_EXTENSION = -1

const HTAB = 0x09
const SPACE = 0x20
const QUOTE = 0x22
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const BACKSLASH = 0x5c

const isSpace = (byte: number): boolean => byte === SPACE || byte === HTAB

/** Whether the line may end here. */
export function mayEndExtension(state: number): boolean {
  return state === NAME || state === VALUE || state === QUOTE_END
}

/** The state behind the next byte of the extensions of a chunk, or NO_EXTENSION. */
export function nextInExtension(state: number, byte: number): number {
  switch (state) {
    case EXTENSION_BEGIN:
      return isSpace(byte) ? EXTENSION_BEGIN : TOKEN[byte] === 1 ? NAME : NO_EXTENSION
    case NAME:
      return TOKEN[byte] === 1 ? NAME : behindName(byte)
    case NAME_SPACE:
      return behindName(byte)
    case VALUE_BEGIN:
      return isSpace(byte) ? VALUE_BEGIN : byte === QUOTE ? QUOTED : TOKEN[byte] === 1 ? VALUE : NO_EXTENSION
    case VALUE:
      return TOKEN[byte] === 1 ? VALUE : behindValue(byte)
    case QUOTED:
      return quoted(byte)
    case ESCAPED:
      return FIELD_VALUE[byte] === 1 ? QUOTED : NO_EXTENSION
    case SIZE_SPACE:
      return isSpace(byte) ? SIZE_SPACE : behindValue(byte)
    default:
      return behindValue(byte)
  }
}

function behindName(byte: number): number {
  if (isSpace(byte)) return NAME_SPACE
  return byte === EQUALS ? VALUE_BEGIN : byte === SEMICOLON ? EXTENSION_BEGIN : NO_EXTENSION
}

function behindValue(byte: number): number {
  if (isSpace(byte)) return VALUE_SPACE
  return byte === SEMICOLON ? EXTENSION_BEGIN : NO_EXTENSION
}

// RFC 9110 section 5.6.4.
function quoted(byte: number): number {
  if (byte === QUOTE) return QUOTE_END
  if (byte === BACKSLASH) return ESCAPED
  return FIELD_VALUE[byte] === 1 ? QUOTED : NO_EXTENSION
}
