import { type ByteText, fromSegment } from './byte-text.ts'

/** What a request path asks of the disk. */
export interface Wanted {
  /** From the root down: each is one name of a file or folder, never a step elsewhere. */
  readonly names: readonly ByteText[]
  /** Whether the path ends in a slash, so that it means a folder and what stands for it. */
  readonly isFolder: boolean
}

/**
 * The names in a canonical request path, or null when no file may answer it.
 *
 * The kernel's canonical form has already removed dot segments and kept `%2F` and `%5C` as escapes; here they would
 * become separators, so a name with one of them is no name. The checks do not lean on the kernel's: `..` is refused
 * again after decoding.
 */
export function wantedNames(path: string, dotfiles: boolean): Wanted | null {
  if (path.charCodeAt(0) !== 0x2f) return null
  const names: ByteText[] = []
  const segments = path.slice(1).split('/')
  const isFolder = segments.at(-1) === ''
  if (isFolder) segments.pop()
  for (const segment of segments) {
    const name = fromSegment(segment)
    if (name === null || !isServable(name, names.length, dotfiles)) return null
    names.push(name)
  }
  return { names, isFolder }
}

/** Whether a file or folder of this name may be seen, so many folders below the root. */
export function isServable(name: ByteText, depth: number, dotfiles: boolean): boolean {
  return isName(name) && (dotfiles || !isHidden(name, depth))
}

// What is above 0xff is no byte: a path that is not canonical might hold it.
const isName = (name: ByteText): boolean =>
  name !== '' && name !== '.' && name !== '..' && /^[^/\\\0\u0100-\uffff]*$/.test(name)

// RFC 8615 section 3: well-known URIs begin at the root, so the name means nothing further down.
const isHidden = (name: ByteText, depth: number): boolean =>
  name.startsWith('.') && !(depth === 0 && name === '.well-known')
