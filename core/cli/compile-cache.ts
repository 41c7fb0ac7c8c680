import { lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { constants, enableCompileCache, flushCompileCache, getCompileCacheDir } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** A server has some 100 files; each reload and each installation adds what it loads. */
const MANY_FILES = 2_000

/**
 * Has Node keep what it compiles from now on, in a folder of this user, so that the next start need not: code without
 * its types, and V8's code for it. Node's own variables come first: `NODE_COMPILE_CACHE` names another folder, and
 * `NODE_DISABLE_COMPILE_CACHE` says no.
 *
 * @returns Why there can be no such cache, which only makes starts slower; null when nothing is wrong.
 */
export function useCompileCache(env: Env): string | null {
  const { NODE_DISABLE_COMPILE_CACHE: isUnwanted } = env
  if (isUnwanted || getCompileCacheDir() !== undefined) return null
  try {
    const { status, message } = enableCompileCache(ownFolder(env))
    return status === constants.compileCacheStatus.FAILED ? String(message) : null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Writes what was compiled so far, for a server that may be killed; a process that ends by itself does it then. */
export function keepCompiled(): void {
  flushCompileCache()
  const folder = getCompileCacheDir()
  if (folder === undefined) return
  try {
    if (readdirSync(folder).length > MANY_FILES) rmSync(folder, { recursive: true, force: true })
  } catch {
    // Another process has emptied it at this moment, or nothing was written yet.
  }
}

/** @throws Error where there is no place that only this user writes to. */
function ownFolder(env: Env): string {
  const folder = join(cacheHome(env), 'rawhttp')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = realpathSync(folder)
  checkOwn(path)
  return path
}

function cacheHome({ XDG_CACHE_HOME, HOME, LOCALAPPDATA }: Env): string {
  const { platform } = process
  // A relative one is to be ignored, as its specification says.
  if (XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME
  if (platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA
  if (!HOME || !isAbsolute(HOME)) throw new Error('there is no folder for caches, since HOME is not set')
  return join(HOME, platform === 'darwin' ? 'Library/Caches' : '.cache')
}

/**
 * What lies in the cache is run. So nobody else but root may reach into the folder, nor put another one in its place
 * further up, where a sticky folder such as /tmp protects what is this user's.
 *
 * @throws Error naming the folder that somebody else may reach into or replace.
 */
function checkOwn(folder: string): void {
  const user = process.getuid?.()
  // Windows keeps these folders by access lists, which are the user's own from the start.
  if (user === undefined) return
  for (let path = folder, isLast = true; ; path = dirname(path), isLast = false) {
    const { uid, mode } = lstatSync(path)
    const isSafe = isLast ? (mode & 0o077) === 0 : (mode & 0o022) === 0 || (mode & 0o1000) !== 0
    if ((uid !== user && uid !== 0) || !isSafe) throw new Error(`${path} is open to others`)
    if (path === dirname(path)) return
  }
}
