import { inBrackets, type Place } from '../place.ts'
import {
  isPluginEntry,
  isPluginFactory,
  isScopeEntry,
  type PluginEntry,
  type ScopeEntry,
  type ScopeOptions,
} from '../plugin.ts'
import { ConfigError } from './errors.ts'
import { loadNamedPlugin } from './named-plugin.ts'
import { readScope } from './parse-scope.ts'
import { show } from './show.ts'
import type { ConfigSource } from './types.ts'

/** A plugin that was found in a list, its options not read yet. */
export interface FoundPlugin {
  readonly entry: PluginEntry
  readonly scopes: readonly ScopeOptions[]
  readonly at: string
  readonly place: Place | null
  readonly from: string | null
}

/** One list as the config's reader sees it: what is nested in plain lists belongs to it, a scope's list does not. */
interface List {
  readonly source: ConfigSource
  readonly scopes: readonly ScopeOptions[]
  readonly found: FoundPlugin[]
  /** By its name, where a plugin stands first. */
  readonly first: Map<string, FoundPlugin>
}

/** The plugins of a list, flattened: scopes opened, names looked up, bare factories called, falsy entries dropped. */
export async function findPlugins(
  items: readonly unknown[],
  at: string,
  source: ConfigSource,
): Promise<FoundPlugin[]> {
  const list: List = { source, scopes: [], found: [], first: new Map() }
  await readList(items, at, list)
  return list.found
}

async function readList(items: readonly unknown[], at: string, list: List): Promise<void> {
  for (const [index, item] of items.entries()) await readItem(item, `${at}[${index}]`, list)
}

async function readItem(item: unknown, at: string, list: List): Promise<void> {
  if (!item) return
  if (typeof item === 'string') return await readNamed(item, [], at, list)
  if (Array.isArray(item)) return await readArray(item, at, list)
  if (isScopeEntry(item)) return await openScope(item, at, list)
  const place = isPluginFactory(item) ? fileOf(list.source) : undefined
  add(pluginEntry(item, at, list.source), { at, place, from: null }, list)
}

async function readArray(item: readonly unknown[], at: string, list: List): Promise<void> {
  const [name, ...options] = item
  if (typeof name !== 'string' || name === '') return await readList(item, at, list)
  if (options.length > 1 || isPlugin(options[0])) {
    const hint = 'a nested list may not begin with a name'
    throw new ConfigError({
      file: list.source.file,
      path: at,
      expected: 'a pair [name, options]',
      received: options.length > 1 ? show(item) : `${show(name)} and a plugin`,
      hint,
    })
  }
  await readNamed(name, options, at, list)
}

async function readNamed(name: string, options: readonly unknown[], at: string, list: List): Promise<void> {
  const { plugin, file } = await loadNamedPlugin(name, options, at, list.source)
  if (isScopeEntry(plugin)) return await openScope(plugin, at, list)
  add(pluginEntry(plugin, at, list.source), { at, place: fileOf(list.source), from: file }, list)
}

async function openScope(item: ScopeEntry, at: string, list: List): Promise<void> {
  const { file } = list.source
  const base = `${at} (scope)`
  const to = readScope(item.to, base, file)
  if (!Array.isArray(item.plugins)) {
    throw new ConfigError({ file, path: base, expected: 'a list of plugins', received: show(item.plugins) })
  }
  const scopes = [...list.scopes, to]
  await readList(item.plugins, `${at}.plugins`, { ...list, scopes, first: new Map() })
}

/** Of a plugin that a config only names, no line is known. */
const fileOf = ({ file }: ConfigSource): Place | null => (file === null ? null : { file, line: null })

interface Where {
  readonly at: string
  /** Undefined: where the entry was made. */
  readonly place: Place | null | undefined
  readonly from: string | null
}

function add(entry: PluginEntry, { at, place = entry.place, from }: Where, list: List): void {
  const { name, repeatable = false } = entry.definition
  const found = { entry, scopes: list.scopes, at, place, from }
  const first = list.first.get(name)
  if (first !== undefined && !repeatable) throw twice(first, found, list.source)
  if (first === undefined) list.first.set(name, found)
  list.found.push(found)
}

function twice(first: FoundPlugin, again: FoundPlugin, { file }: ConfigSource): ConfigError {
  return new ConfigError({
    file,
    path: again.at,
    expected: `${again.entry.definition.name} once in a list`,
    received: `it again${inBrackets(again.place)} after ${first.at}${inBrackets(first.place)}`,
    hint: 'it is not repeatable',
  })
}

const isPlugin = (value: unknown) => isPluginEntry(value) || isPluginFactory(value) || isScopeEntry(value)

/** The entry that a value is or makes; else an error that says what came instead of a plugin. */
function pluginEntry(item: unknown, at: string, { file }: ConfigSource): PluginEntry {
  const entry = isPluginFactory(item) ? item() : item
  if (isPluginEntry(entry)) return entry
  throw new ConfigError({
    file,
    path: at,
    expected: 'a plugin (made by definePlugin), a scope, a list of them, or a name',
    received: show(item),
    hint: hintFor(item),
  })
}

function hintFor(item: unknown): string | undefined {
  if (typeof item === 'function') return `call it: ${item.name || 'plugin'}(…)`
  if (typeof item !== 'object' || item === null) return undefined
  if (typeof (item as { then?: unknown }).then === 'function') return 'await it first'
  const another = 'definition' in item && 'input' in item
  return another ? 'it was made by another copy of rawhttp; npm ls rawhttp shows the copies' : undefined
}
