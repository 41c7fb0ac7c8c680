import { HttpError } from './errors.ts'

/** JSON deeper than this overflows the stack of whoever walks it, and no honest client sends it. */
const JSON_DEPTH = 128

/** The essence of a Content-Type in lower case, without parameters; empty for none. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/**
 * Text from bytes, by the charset of their Content-Type. Default: UTF-8.
 *
 * @throws HttpError 400 for bytes that are not of the charset, 415 for a charset that nobody knows.
 */
export function decodeText(bytes: Uint8Array, contentType: string | undefined): string {
  const charset = charsetOf(contentType)
  const decoder = charset === 'utf-8' ? utf8 : decoderOf(charset)
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    const code = charset === 'utf-8' ? 'BODY_INVALID_UTF8' : 'BODY_INVALID_TEXT'
    const name = charset === 'utf-8' ? 'UTF-8' : 'of its charset'
    throw new HttpError(400, `the body is not valid ${name}`, { code, cause })
  }
}

/**
 * A value from JSON text.
 *
 * @throws HttpError 400 for what is not JSON, what is nested too deep, and a key `__proto__`, which would change the
 *   prototype of whatever it is copied to.
 */
export function parseJson(text: string): unknown {
  if (isDeeper(text, JSON_DEPTH))
    throw new HttpError(400, `the JSON is nested deeper than ${JSON_DEPTH} levels`, { code: 'BODY_TOO_DEEP' })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HttpError(400, 'the body is not valid JSON', { code: 'BODY_INVALID_JSON', cause })
  }
  // Only such texts can have the key, plain or in escapes.
  if ((text.includes('__proto__') || text.includes('\\u')) && hasProtoKey(value))
    throw new HttpError(400, 'the JSON has a key "__proto__"', { code: 'BODY_PROTO_KEY' })
  return value
}

/**
 * Refuses a Content-Type that is not JSON, or not in UTF-8; none will do.
 *
 * @throws HttpError 415
 */
export function mustBeJson(contentType: string | undefined): void {
  if (contentType === undefined) return
  if (!/^application\/(?:[\w.+-]+\+)?json$/.test(mediaType(contentType)))
    throw new HttpError(415, 'the body must be JSON (application/json)', { code: 'BODY_NOT_JSON' })
  mustBeUtf8(contentType)
}

/**
 * Refuses a charset other than UTF-8, of which US-ASCII is a part: JSON and forms are nothing else (RFC 8259 section
 * 8.1, WHATWG URL section 5).
 *
 * @throws HttpError 415
 */
export function mustBeUtf8(contentType: string | undefined): void {
  const charset = charsetOf(contentType)
  if (charset === 'utf-8' || charset === 'us-ascii' || charset === 'utf8') return
  throw new HttpError(415, 'the body must be in UTF-8', { code: 'BODY_CHARSET' })
}

function charsetOf(contentType: string | undefined): string {
  const [, quoted, plain] = /;\s*charset=(?:"([^"]*)"|([^\s;]*))/i.exec(contentType ?? '') ?? []
  return (quoted ?? plain ?? 'utf-8').toLowerCase()
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true })
  } catch (cause) {
    throw new HttpError(415, 'the charset of the body is not known here', { code: 'BODY_CHARSET', cause })
  }
}

/** Whether arrays and objects are nested deeper than a limit. What is no JSON gives any answer. */
function isDeeper(text: string, limit: number): boolean {
  // Most texts have not so many brackets at all, and that is known ten times sooner.
  const mayBe = occursMoreThan('[', text, limit / 2) || occursMoreThan('{', text, limit / 2)
  return mayBe && nestsDeeper(text, limit)
}

function occursMoreThan(bracket: string, text: string, limit: number): boolean {
  let count = 0
  for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
    if (++count > limit) return true
  return false
}

function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0
  let isString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (isString) {
      if (character === '\\') i++
      else if (character === '"') isString = false
    } else if (character === '"') isString = true
    else if (character === '[' || character === '{') {
      if (++depth > limit) return true
    } else if (character === ']' || character === '}') depth--
  }
  return false
}

function hasProtoKey(value: unknown): boolean {
  const open = [value]
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__')) return true
    // Not as arguments: a list may have more items than a call can take.
    for (const item of Object.values(next)) open.push(item)
  }
  return false
}
