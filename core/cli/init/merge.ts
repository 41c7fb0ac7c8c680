import { show } from '../../config/show.ts'
import type { Manifest, Merged } from './scaffold.ts'

type Json = Readonly<Record<string, unknown>>

/** Parts that are filled up entry by entry; all others are taken whole or not at all. */
const filled = ['scripts', 'dependencies', 'peerDependencies', 'devDependencies']
/** A package that stands in one of these is installed already. */
const installed = ['dependencies', 'devDependencies', 'optionalDependencies']

/**
 * A package.json with what it lacks of another. What it has stays, in its order and with its indentation.
 *
 * @param parts The keys that are looked at.
 * @throws Error for a part that is no object.
 */
export function mergeManifest(present: string, wanted: Manifest, parts: readonly string[]): Merged {
  const result: Record<string, unknown> = { ...(JSON.parse(present.replace(BOM, '')) as Json) }
  const added: string[] = []
  const kept: string[] = []
  for (const part of parts) {
    if (filled.includes(part)) fill(result, part, wanted[part] as Json, { added, kept })
    else if (!Object.hasOwn(result, part)) added.push(set(result, part, wanted[part]))
    else if (!isSame(result[part], wanted[part])) kept.push(part)
  }
  return { text: added.length === 0 ? present : print(result, present), added, kept }
}

function fill(
  result: Record<string, unknown>,
  part: string,
  wanted: Json,
  { added, kept }: { readonly added: string[]; readonly kept: string[] },
): void {
  const own = result[part] ?? {}
  if (typeof own !== 'object' || Array.isArray(own))
    throw new Error(`package.json: ${part}: expected an object, got ${show(own)}`)
  const has = holdersOf(result, part)
  const missing = Object.entries(wanted).filter(([name]) => !has(name))
  for (const [name, value] of Object.entries(wanted))
    if (has(name) && (own as Json)[name] !== value) kept.push(`${part}.${name}`)
  if (missing.length > 0) set(result, part, { ...own, ...Object.fromEntries(missing) })
  added.push(...missing.map(([name]) => `${part}.${name}`))
}

/** Whether a part has an entry; of packages, whether any part has it that installs it. */
function holdersOf(manifest: Json, part: string): (name: string) => boolean {
  const parts = installed.includes(part) ? installed : [part]
  const holders = parts.map(each => manifest[each]).filter(each => typeof each === 'object' && each !== null)
  return name => holders.some(holder => Object.hasOwn(holder!, name))
}

function set(object: Record<string, unknown>, key: string, value: unknown): string {
  object[key] = value
  return key
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** JSON with the indentation, the line ends and the byte order mark that the text before had. */
function print(value: Json, before: string): string {
  const indentation = /^[ \t]+(?=")/m.exec(before)?.[0] ?? 2
  const text = `${JSON.stringify(value, null, indentation)}${/\n\s*$/.test(before) ? '\n' : ''}`
  return (before.startsWith(BOM) ? BOM : '') + text.replaceAll('\n', lineEndOf(before))
}

const BOM = '\ufeff'

const lineEndOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** A .gitignore with the lines that it lacks. */
export function mergeIgnore(present: string, wanted: string): Merged {
  const bare = (line: string): string => line.trim().replace(/^\//, '').replace(/\/$/, '')
  const own = new Set(present.split('\n').map(bare))
  const added = wanted.split('\n').filter(line => line !== '' && !own.has(bare(line)))
  const end = lineEndOf(present)
  const before = present === '' || present.endsWith('\n') ? present : present + end
  return {
    text: added.length === 0 ? present : before + added.map(line => line + end).join(''),
    added,
    kept: [],
  }
}
