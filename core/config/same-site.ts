import type { ResolvedConfig, ResolvedPlugin, ResolvedSite } from './types.ts'

/** How deep options are compared: what lies deeper, or goes in a circle, counts as changed. */
const DEPTH = 16

/**
 * Whether two loads of a config make the same site: the same plugins with the same options. Functions and objects of
 * classes are the same only if they are one, so a config file that is loaded anew and has handlers of its own never
 * gives the same site twice: what they do may have changed.
 *
 * @param name The site; null for all of them and the plugins of the root.
 */
export function isSameSite(a: ResolvedConfig, b: ResolvedConfig, name: string | null): boolean {
  if (name !== null) return areSame(siteIn(a, name), siteIn(b, name))
  const names = a.sites.map(site => site.name)
  return (
    names.length === b.sites.length &&
    arePlugins(a.plugins, b.plugins) &&
    names.every(each => areSame(siteIn(a, each), siteIn(b, each)))
  )
}

const siteIn = ({ sites }: ResolvedConfig, name: string): ResolvedSite | undefined =>
  sites.find(site => site.name === name)

function areSame(a: ResolvedSite | undefined, b: ResolvedSite | undefined): boolean {
  if (a === undefined || b === undefined) return false
  if (a.dir !== b.dir || !isSame(a.hosts, b.hosts) || !isSame(a.limits, b.limits)) return false
  return arePlugins(a.plugins, b.plugins)
}

function arePlugins(a: readonly ResolvedPlugin[], b: readonly ResolvedPlugin[]): boolean {
  return a.length === b.length && a.every((plugin, place) => isSamePlugin(plugin, b[place]!))
}

function isSamePlugin(a: ResolvedPlugin, b: ResolvedPlugin): boolean {
  return a.definition === b.definition && isSame(a.input, b.input) && isSame(a.scopes, b.scopes)
}

function isSame(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true
  if (depth === DEPTH) return false
  if (a instanceof URL) return b instanceof URL && a.href === b.href
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, place) => isSame(item, b[place], depth + 1))
    )
  }
  if (!isPlain(a) || !isPlain(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every(name => Object.hasOwn(b, name) && isSame(a[name], b[name], depth + 1))
  )
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
