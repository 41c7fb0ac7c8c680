import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from './args.ts'
import type { Settings } from './settings.ts'

const NAME = /^rawhttp-\d+\.sock$/

/** Where the sockets of this user's servers are; null where there is no such folder. */
const runtimeFolder = ({ env: { XDG_RUNTIME_DIR } }: Settings): string | null => XDG_RUNTIME_DIR || null

/**
 * The control socket of a server that listens on a port.
 *
 * @throws Error where there is no place for one, or nothing to call it by.
 */
export function defaultPath(settings: Settings, port: number | null): string {
  const folder = runtimeFolder(settings)
  if (folder === null) throw new Error('XDG_RUNTIME_DIR is not set')
  if (port === null) throw new Error('there is no port to call it by')
  return join(folder, `rawhttp-${port}.sock`)
}

/**
 * The control socket that `rawhttp reload` means: the one it was given, that of the port, or the only one there is.
 *
 * @throws UsageError when that cannot be told.
 */
export function pathToAsk(settings: Settings): string {
  if (settings.control !== undefined) return settings.control
  const folder = runtimeFolder(settings)
  if (folder === null) throw new UsageError('expected --control PATH, since XDG_RUNTIME_DIR is not set')
  if (settings.port !== undefined) return defaultPath(settings, settings.port)
  const found = socketsIn(folder)
  if (found.length === 1) return join(folder, found[0]!)
  if (found.length === 0)
    throw new UsageError(`no server has a control socket in ${folder}; --control PATH names one`)
  throw new UsageError(`expected --port N, since there are ${found.join(', ')} in ${folder}`)
}

function socketsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => NAME.test(name))
  } catch {
    return []
  }
}

/**
 * Whether others could put something in the place of a file in this folder: then who asks it cannot know who answers.
 *
 * @returns What is wrong with the folder, or null.
 */
export function folderProblem(path: string): string | null {
  const folder = dirname(path)
  const stats = statSync(folder, { throwIfNoEntry: false })
  if (stats === undefined || !stats.isDirectory()) return `${folder} is no folder`
  if (!isTrusted(stats)) return `${folder} belongs to somebody else`
  const isShared = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0
  return isShared ? `others may write to ${folder}` : null
}

/** What stands at a path, links not followed: nothing, a socket of ours, or something that is not to be touched. */
export function lookAt(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null
}

/** Of this user, or of root. */
const isTrusted = ({ uid }: Stats): boolean => uid === 0 || uid === process.getuid?.()
