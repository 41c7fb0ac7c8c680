import { statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { firstPartyFile } from '../config/first-party.ts'
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
    notices: [servesNotice(dir, names), configNotice(dir, cwd, names)],
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

/**
 * The same thing as a config: a file that can be copied, since names need no imports. It stands beside what is served:
 * in it everybody could read it.
 */
function configNotice(dir: string, cwd: string, names: readonly string[]): string {
  const isHere = dir === cwd
  const root = isHere ? './public' : `./${relative(cwd, dir)}`
  const plugins = names.map(name => (name === 'static' ? ['static', { root }] : name))
  const first = isHere ? 'move the files into public/ and write' : 'write'
  const then = isHere || basename(dir) === 'public' ? '' : ', then start without the folder'
  const file = join(cwd, 'rawhttp.config.json')
  return `for a config of your own, ${first} ${file}: ${JSON.stringify({ plugins })}${then}`
}
