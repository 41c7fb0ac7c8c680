import type { BigIntStats } from 'node:fs'
import { access, constants, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { HttpError } from 'rawhttp'
import { wantedNames } from './names.ts'

/** Where files come from, and which of them. */
export interface Place {
  readonly root: string
  readonly index: readonly string[]
  readonly dotfiles: boolean
}

/** A regular file that may be served. */
export interface FoundFile {
  /** The path through the root as configured: a link that is turned elsewhere shows here. */
  readonly asked: string
  /** The path without links, inside the real root. */
  readonly real: string
  readonly stats: BigIntStats
  /** Whether nothing that may appear later would be chosen before it, so that one stat tells whether it still holds. */
  readonly isFirstChoice: boolean
}

/** `folder`: the path lacks the slash of a folder that has an index file. */
export type Found = FoundFile | 'folder' | null

/**
 * Looks a canonical request path up on the disk.
 *
 * @throws HttpError 403 for what the server may not read, and Error for faults of the disk.
 */
export async function findFile(place: Place, path: string): Promise<Found> {
  const wanted = wantedNames(path, place.dotfiles)
  if (wanted === null) return null
  const asked = join(place.root, ...wanted.names)
  if (wanted.isFolder) return findIndex(place, asked)
  const found = await look(place.root, asked)
  if (found === null || found.stats.isFile()) return readable(found)
  // Below what is no folder either, a device for example, there is no index file.
  return (await findIndex(place, asked)) === null ? null : 'folder'
}

/** The state of a file that was found before, or null when it cannot be seen any more. */
export async function statAgain(file: FoundFile): Promise<BigIntStats | null> {
  try {
    return await stat(file.asked, { bigint: true })
  } catch {
    // Whatever the fault is, the full look that follows meets it again and names it.
    return null
  }
}

/**
 * Whether two looks saw the same file with the same content. The inode and the change time are in it too: a
 * deployment may put another file of the same size and modification time in its place.
 */
export function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  )
}

async function findIndex(place: Place, folder: string): Promise<FoundFile | null> {
  for (const [position, name] of place.index.entries()) {
    const found = await look(place.root, join(folder, name))
    if (found?.stats.isFile()) return readable({ ...found, isFirstChoice: position === 0 })
  }
  return null
}

// Containment by real paths: a link may lead about inside the root, not out of it. The root is resolved each time,
// since a deployment may turn it to another folder.
async function look(root: string, asked: string): Promise<FoundFile | null> {
  try {
    const real = await realpath(asked)
    if (!isInside(await realpath(root), real)) return null
    return { asked, real, stats: await stat(real, { bigint: true }), isFirstChoice: true }
  } catch (error) {
    return absent(error)
  }
}

async function readable(file: FoundFile | null): Promise<FoundFile | null> {
  if (file === null) return null
  try {
    await access(file.real, constants.R_OK)
    return file
  } catch (error) {
    return absent(error)
  }
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])
const FORBIDDEN = new Set(['EACCES', 'EPERM'])

function absent(error: unknown): null {
  const code = String((error as NodeJS.ErrnoException).code)
  if (ABSENT.has(code)) return null
  if (FORBIDDEN.has(code)) throw new HttpError(403, undefined, { code: 'FILE_UNREADABLE', cause: error })
  throw error
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}
