import { decodeSegment } from 'rawhttp'

/** What a request path asks of the disk. */
export interface Wanted {
  /** From the root down: each is one name of a file or folder, never a step elsewhere. */
  readonly names: readonly string[]
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
  const names: string[] = []
  const segments = path.slice(1).split('/')
  const isFolder = segments.at(-1) === ''
  if (isFolder) segments.pop()
  for (const segment of segments) {
    const name = decoded(segment)
    if (name === null || !isName(name) || (!dotfiles && isHidden(name, names.length))) return null
    names.push(name)
  }
  return { names, isFolder }
}

// Bytes that are not UTF-8, overlong forms among them, are the name of nothing here.
function decoded(segment: string): string | null {
  try {
    return decodeSegment(segment)
  } catch {
    return null
  }
}

const isName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)

// RFC 8615 section 3: well-known URIs begin at the root, so the name means nothing further down.
const isHidden = (name: string, depth: number): boolean =>
  name.startsWith('.') && !(depth === 0 && name === '.well-known')
