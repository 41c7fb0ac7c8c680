import findMyWay from 'find-my-way'
import { type ReadKey, readKey, routeError } from './key.ts'
import type { CompiledRoute } from './table.ts'

export type Matcher = ReturnType<typeof findMyWay>
export type MatcherMethod = Parameters<Matcher['find']>[0]
type MatcherOptions = Parameters<Matcher['on']>[2]

/** A route on its way into the matcher. */
export interface Compiled {
  readonly read: ReadKey
  /** As the table has it, for errors. */
  readonly key: string
  readonly route: CompiledRoute
}

const none: Readonly<Record<string, string>> = Object.freeze({})
// Routes are called by this plugin, never by find-my-way.
const unused = () => undefined

// The kernel bounds a path by limits.targetBytes. find-my-way's own bound of 100 characters would hide routes.
const options = { maxParamLength: 2 ** 31 - 1, querystringParser: () => none }

/**
 * All routes of a table, ready to be found.
 *
 * @throws Error for two routes that the same request could mean.
 */
export function matcherOf(compiled: readonly Compiled[], ignoresSlash: boolean): Matcher {
  const matcher = findMyWay({ ...options, ignoreTrailingSlash: ignoresSlash })
  const shapes = new Map<string, string>()
  for (const { read, key, route } of compiled) {
    for (const path of distinct(read.paths, ignoresSlash)) {
      for (const host of route.hosts ?? [null]) {
        const shape = `${read.method} ${shapeOf(path, ignoresSlash)} ${host ?? '*'}`
        const twin = shapes.get(shape)
        if (twin !== undefined)
          throw routeError(key, `has the same method and path as ${JSON.stringify(twin)}`)
        shapes.set(shape, key)
        add(matcher, { method: read.method, path, host }, key, route)
      }
    }
  }
  return matcher.compile()
}

/** What finds out whether a path is a prefix or below it. */
export function prefixMatcher(base: string): Matcher {
  const matcher = findMyWay(options)
  const below = base === '' ? ['/*'] : [`GET ${base}`, `GET ${base}/*`].flatMap(key => readKey('', key).paths)
  for (const path of below) matcher.on('GET', path, unused)
  return matcher.compile()
}

interface Place {
  readonly method: string
  readonly path: string
  readonly host: string | null
}

function add(matcher: Matcher, { method, path, host }: Place, key: string, route: CompiledRoute): void {
  const constraints: MatcherOptions = host === null ? {} : { constraints: { host: hostRule(host) } }
  try {
    matcher.on(method as MatcherMethod, path, constraints, unused, route)
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
function distinct(paths: readonly string[], ignoresSlash: boolean): readonly string[] {
  if (!ignoresSlash) return paths
  return [...new Map(paths.map(path => [shapeOf(path, true), path])).values()]
}

// Two patterns that differ only in the names of their parameters are one.
function shapeOf(path: string, ignoresSlash: boolean): string {
  const shape = path.replaceAll('::', '\0').replace(/:\w+/g, ':')
  return ignoresSlash && shape.length > 1 && shape.endsWith('/') ? shape.slice(0, -1) : shape
}
