import type { BigIntStats } from 'node:fs'
import { access, constants, realpath, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { HttpError } from 'rawhttp'
import { type ByteText, diskPath } from './byte-text.ts'

/** What the disk had at a path, seen through all links. */
export interface Seen {
  /** The path through the root as configured: a link that is turned elsewhere shows here. */
  readonly asked: ByteText
  /** The path without links. */
  readonly real: ByteText
  readonly stats: BigIntStats
}

/** What one look saw, by the paths that it asked for; null for what is not there, or not inside the root. */
export type Sight = ReadonlyMap<ByteText, Seen | null>

/**
 * One look at the disk. It remembers everything that it asked for, so that a later look can tell whether the outcome
 * would be the same.
 */
export class Look {
  readonly #root: ByteText
  readonly #follows: boolean
  readonly #seen = new Map<ByteText, Seen | null>()
  #realRoot: Promise<ByteText> | null = null

  /** @param follows Whether links may lead out of the root. */
  constructor(root: ByteText, follows: boolean) {
    this.#root = root
    this.#follows = follows
  }

  get sight(): Sight {
    return this.#seen
  }

  /**
   * What is at a path.
   *
   * @throws HttpError 403 for what the server may not reach, and Error for faults of the disk.
   */
  async at(asked: ByteText): Promise<Seen | null> {
    const before = this.#seen.get(asked)
    if (before !== undefined) return before
    const seen = await this.#look(asked)
    this.#seen.set(asked, seen)
    return seen
  }

  /** The same for what must be a regular file, with a fault counting as none. */
  async fileAt(asked: ByteText): Promise<Seen | null> {
    try {
      const seen = await this.at(asked)
      return seen?.stats.isFile() === true && (await isReadable(seen)) ? seen : null
    } catch {
      return null
    }
  }

  async #look(asked: ByteText): Promise<Seen | null> {
    try {
      const real = await realpath(diskPath(asked), 'latin1')
      if (!(await this.#mayServe(real))) return null
      return { asked, real, stats: await stat(diskPath(real), { bigint: true }) }
    } catch (error) {
      if (isAbsent(error)) return null
      throw shown(error)
    }
  }

  // Containment by real paths: a link may lead about inside the root, not out of it. The root is resolved with each
  // look, since a deployment may turn it to another folder.
  async #mayServe(real: ByteText): Promise<boolean> {
    if (this.#follows) return true
    this.#realRoot ??= realpath(diskPath(this.#root), 'latin1')
    return isInside(await this.#realRoot, real)
  }
}

/** Whether two looks saw the same. */
export function isSameSight(a: Sight, b: Sight): boolean {
  if (a.size !== b.size) return false
  for (const [asked, seen] of a) {
    const other = b.get(asked)
    if (other === undefined || !isSame(seen, other)) return false
  }
  return true
}

// What is no regular file is never sent, so that its times do not matter.
function isSame(a: Seen | null, b: Seen | null): boolean {
  if (a === null || b === null) return a === b
  if (!a.stats.isFile() || !b.stats.isFile()) return a.stats.mode === b.stats.mode
  return a.real === b.real && isSameFile(a.stats, b.stats)
}

// The inode and the change time are in it too: a deployment may put another file of the same size and modification
// time in its place.
function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  )
}

/**
 * Whether what was seen is still there, and may be read.
 *
 * @throws HttpError 403 for what the server may not read.
 */
export async function isReadable({ real, stats }: Seen): Promise<boolean> {
  try {
    await access(diskPath(real), stats.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw shown(error)
  }
}

/** Whether an error says that nothing is there. A name that the file system cannot have is not there either. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error))
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EILSEQ'])
const FORBIDDEN = new Set(['EACCES', 'EPERM'])

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code)

function shown(error: unknown): unknown {
  if (!FORBIDDEN.has(codeOf(error))) return error
  return new HttpError(403, undefined, { code: 'FILE_UNREADABLE', cause: error })
}

function isInside(root: ByteText, path: ByteText): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}
