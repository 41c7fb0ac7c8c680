import { ConfigError } from './errors.ts'
import { type FoundPlugin, findPlugins } from './plugin-list.ts'
import { readSettings } from './plugin-options.ts'
import { quote } from './show.ts'
import { didYouMean } from './suggest.ts'
import type { ConfigSource, ResolvedPlugin } from './types.ts'

/** The plugins of one list with their settings and listed names: `static`, `static#2`. */
export async function resolvePlugins(
  items: readonly unknown[],
  at: string,
  source: ConfigSource,
): Promise<ResolvedPlugin[]> {
  const counts = new Map<string, number>()
  const resolved: ResolvedPlugin[] = []
  for (const found of await findPlugins(items, at, source)) {
    const { name } = found.entry.definition
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    resolved.push(await resolvePlugin(found, count === 1 ? name : `${name}#${count}`, source))
  }
  return resolved
}

async function resolvePlugin(
  found: FoundPlugin,
  name: string,
  source: ConfigSource,
): Promise<ResolvedPlugin> {
  const settings = await readSettings(found, source.file)
  const { entry, scopes, at, place, from } = found
  return { name, definition: entry.definition, settings, input: entry.input, scopes, at, place, from }
}

/**
 * What a site runs: the root's plugins but those that it replaces or does without, then its own.
 * Listed names stay unique, since a site's plugin takes every instance of its name away.
 */
export function sitePlugins(
  root: readonly ResolvedPlugin[],
  own: readonly ResolvedPlugin[],
  without: readonly string[],
): ResolvedPlugin[] {
  const gone = new Set([...without, ...own.map(plugin => plugin.definition.name)])
  return [...root.filter(plugin => !gone.has(plugin.definition.name)), ...own]
}

/** Refuses a name in `without` that no root plugin has: it would silently take nothing away. */
export function checkWithout(
  without: readonly string[],
  root: readonly ResolvedPlugin[],
  at: string,
  { file }: ConfigSource,
): void {
  const names = new Set(root.map(plugin => plugin.definition.name))
  for (const [index, name] of without.entries()) {
    if (names.has(name)) continue
    const known = names.size === 0 ? 'there are none' : `they are ${[...names].join(', ')}`
    throw new ConfigError({
      file,
      path: `${at}[${index}]`,
      expected: 'the name of a root plugin',
      received: quote(name),
      hint: didYouMean(name, names) ?? known,
    })
  }
}
