/** A value with parameters behind it: `form-data; name="a"`. */
export interface Parameterized {
  /** What stands before the first semicolon, in lower case. */
  readonly value: string
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

// Unquoted values may have what no token has: boundaries of mail programs do. An empty parameter says nothing.
const PARAMETER = /[ \t]*;[ \t]*(?:([^\s;="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?[ \t]*(?=;|$)/y

/**
 * Reads parameters (RFC 9110 section 5.6.6, RFC 2183 section 2). Null for what cannot be read and for a name that stands
 * there twice: two readers would take different ones.
 */
export function readParameters(text: string): Parameterized | null {
  const [value = ''] = text.split(';', 1)
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = value.length
  while (PARAMETER.lastIndex < text.length) {
    const found = PARAMETER.exec(text)
    if (found === null) return null
    const [, written, quoted, bare = ''] = found
    if (written === undefined) continue
    const name = written.toLowerCase()
    if (parameters.has(name)) return null
    parameters.set(name, quoted === undefined ? bare : unescaped(quoted))
  }
  return { value: value.trim().toLowerCase(), parameters }
}

// Browsers have sent paths of Windows with single backslashes: only what has to be escaped is.
const unescaped = (quoted: string): string => quoted.replace(/\\(["\\])/g, '$1')
