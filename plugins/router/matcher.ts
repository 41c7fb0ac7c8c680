import { createRequire } from 'node:module'
import { type ReadKey, readKey, routeError } from './key.ts'
import type { PatternPath } from './pattern.ts'
import { SegmentTree } from './segment-tree.ts'
import type { CompiledRoute, Match } from './table.ts'

type FindMyWayMaker = typeof import('find-my-way')
type FindMyWay = ReturnType<FindMyWayMaker>
type FindMyWayMethod = Parameters<FindMyWay['find']>[0]
type FindMyWayOptions = Parameters<FindMyWay['on']>[2]

/** Finds the route of a method and a folded path. */
export interface Matcher {
  find(method: string, path: string, hosts?: { readonly host: string }): Match | null
}

/** Finds whether a folded path is a prefix or below it. */
export interface PrefixMatcher {
  find(method: 'GET', path: string): object | null
}

/** A route on its way into the matcher. */
export interface Compiled {
  readonly read: ReadKey
  /** As the table has it, for errors. */
  readonly key: string
  readonly route: CompiledRoute
}

const requireHere = createRequire(import.meta.url)
/** Loaded by the first table that needs it: most do without its 25 files. */
const findMyWay = (): FindMyWayMaker => requireHere('find-my-way')

const none: Readonly<Record<string, string>> = Object.freeze({})
// Routes are called by this plugin, never by find-my-way.
const unused = () => undefined

// The kernel bounds a path by limits.targetBytes. find-my-way's own bound of 100 characters would hide routes.
const options = { maxParamLength: 2 ** 31 - 1, querystringParser: () => none }

/**
 * All routes of a table, ready to be found: in a tree of segments, or where a route needs more, by find-my-way.
 *
 * @throws Error for two routes that the same request could mean.
 */
export function matcherOf(compiled: readonly Compiled[], ignoresSlash: boolean): Matcher {
  refuseTwins(compiled, ignoresSlash)
  return treeOf(compiled, ignoresSlash) ?? findMyWayOf(compiled, ignoresSlash)
}

/** What finds out whether a path is a prefix or below it. */
export function prefixMatcher(base: string): PrefixMatcher {
  const keys = (base === '' ? ['/*'] : [base, `${base}/*`]).map(path => readKey('', `GET ${path}`))
  const tree = new SegmentTree<ReadKey>(false)
  if (keys.every(key => plant(tree, key, key))) return tree
  const matcher = findMyWay()(options)
  for (const { notation } of keys.flatMap(({ paths }) => paths)) matcher.on('GET', notation, unused)
  return matcher.compile()
}

function refuseTwins(compiled: readonly Compiled[], ignoresSlash: boolean): void {
  const shapes = new Map<string, string>()
  for (const { read, key, route } of compiled) {
    for (const path of distinct(read.paths, ignoresSlash)) {
      for (const host of route.hosts ?? ['*']) {
        const shape = `${read.method} ${shapeOf(path, ignoresSlash)} ${host}`
        const twin = shapes.get(shape)
        if (twin !== undefined)
          throw routeError(key, `has the same method and path as ${JSON.stringify(twin)}`)
        shapes.set(shape, key)
      }
    }
  }
}

/** Null when a parameter is less than a segment, or has an expression, or a route is for some hosts only. */
function treeOf(compiled: readonly Compiled[], ignoresSlash: boolean): Matcher | null {
  const tree = new SegmentTree<CompiledRoute>(ignoresSlash)
  return compiled.every(({ read, route }) => route.hosts === null && plant(tree, read, route)) ? tree : null
}

/** Adds all forms of a route to a tree; false when the tree cannot take one. */
function plant<Route extends { readonly names: readonly string[] }>(
  tree: SegmentTree<Route>,
  { method, paths }: ReadKey,
  route: Route,
): boolean {
  for (const { segments } of paths) {
    if (segments === null) return false
    tree.add(method, segments, route)
  }
  return true
}

function findMyWayOf(compiled: readonly Compiled[], ignoresSlash: boolean): Matcher {
  const matcher = findMyWay()({ ...options, ignoreTrailingSlash: ignoresSlash })
  for (const { read, key, route } of compiled) {
    for (const { notation: path } of distinct(read.paths, ignoresSlash)) {
      for (const host of route.hosts ?? [null]) add(matcher, { method: read.method, path, host }, key, route)
    }
  }
  matcher.compile()
  const bare = new Map(compiled.map(({ read, route }) => [route, read.bare]))
  return {
    find(method, path, hosts) {
      const match = matcher.find(method as FindMyWayMethod, path, hosts) as Match | null
      const isEmpty = match !== null && bare.get(match.store)!.some(name => match.params[name] === '')
      return isEmpty ? null : match
    },
  }
}

interface Place {
  readonly method: string
  readonly path: string
  readonly host: string | null
}

function add(matcher: FindMyWay, { method, path, host }: Place, key: string, route: CompiledRoute): void {
  const constraints: FindMyWayOptions = host === null ? {} : { constraints: { host: hostRule(host) } }
  try {
    matcher.on(method as FindMyWayMethod, path, constraints, unused, route)
  } catch (error) {
    const isTwin = /already declared/.test((error as Error).message)
    const twins =
      'another route has the same path but for regular expressions, and find-my-way takes them for one'
    throw routeError(key, isTwin ? new Error(twins, { cause: error }) : error)
  }
}

/** As for sites and scopes, `*.example.com` is every host below example.com. */
function hostRule(host: string): string | RegExp {
  if (!host.startsWith('*.')) return host
  return new RegExp(`.${host.slice(1).replaceAll('.', '\\.')}$`)
}

// The root of a prefix is known with and without a slash, which is one and the same to such a matcher.
function distinct(paths: readonly PatternPath[], ignoresSlash: boolean): readonly PatternPath[] {
  if (!ignoresSlash) return paths
  return [...new Map(paths.map(path => [shapeOf(path, true), path])).values()]
}

// Two patterns that differ only in the names of their parameters are one.
function shapeOf({ notation }: PatternPath, ignoresSlash: boolean): string {
  const shape = notation.replaceAll('::', '\0').replace(/:\w+/g, ':')
  return ignoresSlash && shape.length > 1 && shape.endsWith('/') ? shape.slice(0, -1) : shape
}
