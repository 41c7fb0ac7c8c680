import { type BigIntStats, realpath as realpathCall, stat as statCall } from 'node:fs'
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

/**
 * One look at the disk. It remembers everything that it asked for, so that a later look can tell whether the outcome
 * would be the same.
 */
export class Look {
  readonly #root: ByteText
  readonly #follows: boolean
  /** By the paths that it asked for; null for what is not there, or not inside the root. */
  readonly #seen = new Map<ByteText, Seen | null>()
  #realRoot: Promise<ByteText> | null = null
  /** Whether there is a path that the disk could not tell of: it may, the next time. */
  #hasFault = false

  /** @param follows Whether links may lead out of the root. */
  constructor(root: ByteText, follows: boolean) {
    this.#root = root
    this.#follows = follows
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
      this.#hasFault = true
      return null
    }
  }

  /**
   * Whether all that it saw is still there, each asked at once and for nothing else. It may say no for no reason:
   * another look tells what is there.
   */
  async isUnchanged(): Promise<boolean> {
    if (this.#hasFault) return false
    const questions = [...this.#seen].map(([asked, seen]) => isStill(asked, seen))
    if (this.#realRoot !== null) questions.push(this.#isRootStill(await this.#realRoot))
    return (await Promise.all(questions)).every(Boolean)
  }

  async #isRootStill(real: ByteText): Promise<boolean> {
    return (await realPathOf(this.#root)) === real
  }

  /** Whether another look saw the same. */
  isLike(look: Look): boolean {
    const others = look.#seen
    if (this.#seen.size !== others.size) return false
    for (const [asked, seen] of this.#seen) {
      const other = others.get(asked)
      if (other === undefined || !isSame(seen, other)) return false
    }
    return true
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

function isSame(a: Seen | null, b: Seen | null): boolean {
  if (a === null || b === null) return a === b
  return (a.real === b.real || !a.stats.isFile()) && areSame(a.stats, b.stats)
}

/** Whether what was seen at a path is there still. */
async function isStill(asked: ByteText, seen: Seen | null): Promise<boolean> {
  if (seen === null) return (await statsOf(asked)) === null
  const [real, stats] = await Promise.all([realPathOf(asked), statsOf(asked)])
  return real === seen.real && stats !== undefined && stats !== null && areSame(seen.stats, stats)
}

// The two ask by callback: promises of Node make an error with a stack of each name that is not there.

/** Null for what is not there, undefined for a fault. */
function statsOf(path: ByteText): Promise<BigIntStats | null | undefined> {
  return new Promise(resolve => {
    statCall(diskPath(path), { bigint: true }, (error, stats) => {
      if (error === null) resolve(stats)
      else resolve(isAbsent(error) ? null : undefined)
    })
  })
}

/** Null for what is not there, or cannot be told. */
function realPathOf(path: ByteText): Promise<ByteText | null> {
  return new Promise(resolve => {
    realpathCall.native(diskPath(path), 'latin1', (error, real) => resolve(error === null ? real : null))
  })
}

// What is no regular file is never sent, so that its times do not matter.
function areSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.isFile() && b.isFile() ? isSameFile(a, b) : a.mode === b.mode
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
