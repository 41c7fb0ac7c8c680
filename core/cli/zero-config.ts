import { statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { firstPartyFile } from '../config/named-plugin.ts'
import { UsageError } from './args.ts'

/** What runs when no config was found. */
export interface ZeroConfig {
  readonly config: { readonly plugins: readonly unknown[] }
  /** The folder that is served. */
  readonly dir: string
  /** What is said about it, a line each. */
  readonly notices: readonly string[]
}

const wanted = ['access-log', 'compression', 'cache', 'static']

/**
 * Serves a folder: the one that was asked for, else `public/`, else the current one.
 *
 * @throws UsageError when the folder that was asked for is none.
 */
export function zeroConfig(folder: string | undefined, cwd: string): ZeroConfig {
  const dir = folderToServe(folder, cwd)
  const names = wanted.filter(name => firstPartyFile(name) !== null)
  const plugins = names.map(name => (name === 'static' ? ['static', { root: '.' }] : name))
  return {
    config: { plugins },
    dir,
    notices: [servesNotice(dir, names), configNotice(dir, folder, cwd, names)],
  }
}

/** Refuses a folder of the command line that is none: nothing would ever be found there. */
export function checkFolder(folder: string, cwd: string): void {
  const stats = statSync(resolve(cwd, folder), { throwIfNoEntry: false })
  if (stats?.isDirectory()) return
  throw new UsageError(`expected a folder, got '${folder}', which ${stats ? 'is a file' : 'does not exist'}`)
}

function folderToServe(folder: string | undefined, cwd: string): string {
  if (folder !== undefined) return resolve(cwd, folder)
  const usual = join(cwd, 'public')
  return statSync(usual, { throwIfNoEntry: false })?.isDirectory() ? usual : cwd
}

function servesNotice(dir: string, names: readonly string[]): string {
  return `no config found, serving ${dir} with ${names.join(', ') || 'no plugins'}`
}

/** The same thing as a config: a file that can be copied, since names need no imports. */
function configNotice(
  dir: string,
  folder: string | undefined,
  cwd: string,
  names: readonly string[],
): string {
  const place = folder === undefined ? cwd : dir
  const root = relative(place, dir) || '.'
  const plugins = names.map(name => (name === 'static' ? ['static', { root }] : name))
  return `for a config of your own, write ${join(place, 'rawhttp.config.json')}: ${JSON.stringify({ plugins })}`
}
