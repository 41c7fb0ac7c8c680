import { isUtf8 } from 'node:buffer'

/**
 * A name or path of the disk as text of latin1: each character stands for one byte. Names need not be UTF-8, and two
 * that differ must never look the same, as they would once a decoder has put U+FFFD in the place of what it cannot
 * read.
 */
export type ByteText = string

export const toByteText = (text: string): ByteText => Buffer.from(text).toString('latin1')

/** For people to read: what is not UTF-8 becomes U+FFFD. */
export const toText = (bytes: ByteText): string => Buffer.from(bytes, 'latin1').toString()

/** As functions of `node:fs` take it: text where that says the same. */
export function diskPath(path: ByteText): string | Buffer {
  const bytes = Buffer.from(path, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : bytes
}

/** As a segment of a URL path (RFC 3986 section 3.3). */
export function toSegment(name: ByteText): string {
  return name.replace(/[^A-Za-z0-9._~-]/g, byte => {
    const code = byte.charCodeAt(0)
    return `%${code < 16 ? '0' : ''}${code.toString(16).toUpperCase()}`
  })
}

/** The name that a segment of a canonical path stands for, or null for an escape that is none. */
export function fromSegment(segment: string): ByteText | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(segment)) return null
  return segment.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
