import { type RefusalId, refusals } from './errors.ts'
import { HEX, PCHAR, VISIBLE } from './head-syntax.ts'

const SLASH = 0x2f
const DOT = 0x2e
const PERCENT = 0x25
const HASH = 0x23
const BACKSLASH = 0x5c

/** What refuses a path. It never leaves the kernel: the exchange turns it into a refused message. */
export class PathError extends Error {
  override readonly name = 'PathError'
  readonly id: RefusalId

  constructor(id: RefusalId) {
    super(`${id}: ${refusals[id].sentence}`)
    this.id = id
  }
}

/**
 * The one canonical form of a path, which guards, scopes, routers, files and caches all read.
 *
 * Escapes of characters that may stand raw in a segment (RFC 3986 pchar) are decoded once, all others are kept in
 * upper case, raw printable characters outside pchar become escapes; then repeated slashes are merged and dot
 * segments removed (RFC 3986 section 5.2.4). `%2F` and `%5C` stay escapes: they are never separators.
 *
 * @param path An absolute path, without query. One without its first slash is given it.
 * @throws PathError for a climb above `/`, `%00`, a broken escape, a raw `#`, backslash, control or non-ASCII.
 */
export function canonicalPath(path: string): string {
  if (isCanonical(path)) return path
  return withoutDotSegments(normaliseEscapes(path))
}

/**
 * The same for a pattern of a route or scope, or a piece of one that begins and ends anywhere: `*` stands for itself,
 * a space and what is not ASCII for their escapes in UTF-8.
 *
 * @throws PathError as {@link canonicalPath} does, and for `/../`, which no path can match.
 */
export function canonicalPattern(pattern: string): string {
  if (!pattern.isWellFormed()) throw new PathError('PATH-CHAR')
  const ascii = pattern.replace(/ |[^\x00-\x7f]+/g, encodeURIComponent)
  const canonical = normaliseEscapes(ascii).replace(/\/(?:\.?\/)+/g, '/')
  if (canonical.includes('/../')) throw new PathError('PATH-CLIMB')
  return canonical
}

// Most paths are canonical as they come; this costs no string.
function isCanonical(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false
  let previous = SLASH
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === SLASH || code === DOT) {
      if (previous === SLASH) return false
    } else if (PCHAR[code] !== 1) return false
    previous = code
  }
  return true
}

function normaliseEscapes(path: string): string {
  let out = ''
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === PERCENT) {
      out += escapeAt(path, i)
      i += 2
    } else if (code === SLASH || PCHAR[code] === 1) out += path[i]
    else if (code === HASH || code === BACKSLASH || VISIBLE[code] !== 1) throw new PathError('PATH-CHAR')
    else out += escaped(code)
  }
  return out
}

function escapeAt(path: string, at: number): string {
  const high = HEX[path.charCodeAt(at + 1)] ?? -1
  const low = HEX[path.charCodeAt(at + 2)] ?? -1
  if (high < 0 || low < 0) throw new PathError('PATH-ESCAPE')
  const code = high * 16 + low
  if (code === 0) throw new PathError('PATH-ESCAPE')
  return PCHAR[code] === 1 ? String.fromCharCode(code) : escaped(code)
}

function escaped(code: number): string {
  return `%${code < 16 ? '0' : ''}${code.toString(16).toUpperCase()}`
}

// Empty segments go first, so that `/a//../b` is `/b`: what a file system would make of it.
function withoutDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') kept.push(segment)
    else if (kept.pop() === undefined) throw new PathError('PATH-CLIMB')
  }
  if (kept.length === 0) return '/'
  const last = segments[segments.length - 1]
  const folder = last === '' || last === '.' || last === '..'
  return `/${kept.join('/')}${folder ? '/' : ''}`
}

/** Decodes what is still escaped in a canonical path's segment: for file names and route parameters. */
export function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new PathError('PATH-ESCAPE')
  }
}

// Of pchar (RFC 3986 section 3.3), what encodeURIComponent escapes: $ & + , : ; = @
const PCHAR_ESCAPES = /%(?:2[46BC]|3[ABD]|40)/g

/** A text as one segment of a canonical path, or a part of one: what {@link decodeSegment} gives the text of. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(PCHAR_ESCAPES, decodeURIComponent)
}

/** Whether a value is a path in its canonical form, the only one that paths of requests have. */
export function isCanonicalPath(value: unknown): value is string {
  if (typeof value !== 'string') return false
  try {
    return canonicalPath(value) === value
  } catch {
    return false
  }
}
