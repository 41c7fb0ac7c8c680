import { isUtf8 } from 'node:buffer'
import { accessSync, constants, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Merged, ScaffoldFile } from './scaffold.ts'

/** What becomes of one file. */
export interface Step {
  readonly path: string
  readonly change: 'written' | 'overwritten' | 'merged' | 'same'
  readonly text: string
  /** The mode of the file that is there; undefined for a new one. */
  readonly mode: number | undefined
  /** What was added to a file that is there, and what it has kept. */
  readonly merged: Merged | null
}

/** A config by another name than that of ours: one of the two would never be read. */
const CONFIG = /^rawhttp\.config\.(?:[cm]?[jt]s|json)$/

/**
 * Looks at everything that is to be written, before the first byte is.
 *
 * @param folder Its real path, which need not exist.
 * @param force Whether files that are there may be overwritten.
 * @throws Error with all that is in the way.
 */
export function plan(folder: string, files: readonly ScaffoldFile[], force: boolean): readonly Step[] {
  const obstacles = new Set([
    ...files.flatMap(({ path }) => obstaclesOf(folder, path)),
    ...rivals(folder, files),
  ])
  if (obstacles.size > 0) throw inTheWay(folder, [...obstacles].join(', '))
  const steps = files.map(file => stepOf(folder, file))
  const conflicts = steps.filter(({ change }) => change === 'overwritten').map(({ path }) => path)
  if (conflicts.length > 0 && !force)
    throw inTheWay(folder, `it has ${conflicts.join(', ')} already; --force overwrites what is there`)
  return steps
}

const inTheWay = (folder: string, what: string): Error =>
  new Error(`nothing was written to ${folder}: ${what}`)

const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

/** What no flag overrides: links lead out of the folder, and what is neither file nor folder holds no text. */
function obstaclesOf(folder: string, path: string): string[] {
  const parts = path.split('/')
  for (const depth of parts.keys()) {
    const part = parts.slice(0, depth + 1).join('/')
    const stats = look(join(folder, part))
    if (stats === undefined) break
    if (stats.isSymbolicLink()) return [`${part} is a link`]
    const isLast = part === path
    if (isLast ? !stats.isFile() : !stats.isDirectory())
      return [`${part} is no ${isLast ? 'file' : 'folder'}`]
  }
  return lockedFolder(folder, path)
}

/** A file takes its place by a rename, for which its folder has to be writable, and not the file before. */
function lockedFolder(folder: string, path: string): string[] {
  const parent = dirname(path)
  if (parent === '.' || look(join(folder, parent)) === undefined) return []
  try {
    accessSync(join(folder, parent), constants.W_OK | constants.X_OK)
    return []
  } catch {
    return [`${parent}/ may not be written to`]
  }
}

function rivals(folder: string, files: readonly ScaffoldFile[]): string[] {
  const own = files.map(({ path }) => path).filter(path => CONFIG.test(path))
  if (own.length === 0 || look(folder) === undefined) return []
  const others = readdirSync(folder).filter(name => CONFIG.test(name) && !own.includes(name))
  return others.map(name => `${name} is a config already`)
}

function stepOf(folder: string, { path, text, merge }: ScaffoldFile): Step {
  const file = join(folder, path)
  const stats = look(file)
  if (stats === undefined) return { path, change: 'written', text, mode: undefined, merged: null }
  const bytes = readFileSync(file)
  if (merge !== undefined && !isUtf8(bytes)) throw inTheWay(folder, `${path} is not in UTF-8`)
  const present = bytes.toString()
  const merged = merge?.(present) ?? null
  const wanted = merged?.text ?? text
  const change = wanted === present ? 'same' : merged === null ? 'overwritten' : 'merged'
  return { path, change, text: wanted, mode: stats.mode & 0o7777, merged }
}
