import findMyWay from 'find-my-way'
import type { HttpRequest } from 'rawhttp'
import { fold, unfold } from './escapes.ts'
import { type ReadKey, readKey, readPrefix, routeError } from './key.ts'
import { readRoute } from './route.ts'
import type { Guard, RouteHandler } from './types.ts'

/** A route, read and checked. */
export interface CompiledRoute {
  /** With the prefix: `GET /api/users/:id`. */
  readonly key: string
  /** The path pattern as written: `/api/users/:id`. */
  readonly pattern: string
  readonly guards: readonly Guard[]
  readonly handler: RouteHandler<never>
  /** Parameters that must not be empty. */
  readonly bare: readonly string[]
  /** The table that the route stands in: its router runs the handler. */
  readonly table: RouteTable
}

/** A route that a request found. The parameters are decoded. */
export interface Match {
  readonly store: CompiledRoute
  readonly params: Readonly<Record<string, string | undefined>>
}

type Matcher = ReturnType<typeof findMyWay>
type MatcherMethod = Parameters<Matcher['find']>[0]

const SLASH = 0x2f

const none: Readonly<Record<string, string>> = Object.freeze({})
// Routes are called by this plugin, never by find-my-way.
const unused = () => undefined

// The kernel bounds a path by limits.targetBytes. find-my-way's own bound of 100 characters would hide routes.
const options = { maxParamLength: 2 ** 31 - 1, querystringParser: () => none }

/**
 * The routes of one router instance. Matching is find-my-way's: static parts before parameters, parameters before
 * wildcards, whatever the order in the table.
 */
export class RouteTable {
  /** Whether any route has guards. */
  readonly isGuarded: boolean
  /** Methods that some route has, in the order of the table. */
  readonly #methods: readonly string[]
  readonly #matcher: Matcher
  readonly #prefix: Matcher | null

  /**
   * @param prefix Null for none: such a router owns nothing.
   * @throws Error that names the prefix, or the key of the route that is wrong.
   */
  constructor(prefix: string | null, routes: Readonly<Record<string, unknown>>) {
    const base = prefix === null ? '' : readPrefix(prefix)
    const compiled = Object.keys(routes).map(key => this.#compile(readKey(base, key), key, routes[key]))
    this.isGuarded = compiled.some(({ route }) => route.guards.length > 0)
    this.#methods = [...new Set(compiled.map(({ read }) => read.method))]
    this.#matcher = matcherOf(compiled)
    this.#prefix = prefix === null ? null : prefixMatcher(base)
  }

  /** The route of a request, or null. A HEAD without a route of its own takes the GET's. */
  find(request: HttpRequest): Match | null {
    const { method, path } = request
    const match = this.#find(method, path)
    return match === null && method === 'HEAD' ? this.#find('GET', path) : match
  }

  /** The methods that a path has routes for. */
  methodsOf(path: string): string[] {
    const folded = fold(path)
    const found = this.#methods.filter(method => this.#lookUp(method, folded) !== null)
    return found.includes('GET') && !found.includes('HEAD') ? [...found, 'HEAD'] : found
  }

  /** Whether a path is the router's prefix or below it. */
  owns(path: string): boolean {
    return this.#prefix !== null && this.#prefix.find('GET', fold(path)) !== null
  }

  #find(method: string, path: string): Match | null {
    if (!path.includes('%')) return this.#lookUp(method, path)
    const match = this.#lookUp(method, fold(path)) as FoldedMatch | null
    if (match !== null)
      for (const name in match.params) match.params[name] = unfold(name, match.params[name]!)
    return match
  }

  #lookUp(method: string, folded: string): Match | null {
    // The `*` of OPTIONS is no path, and find-my-way does not look at the first character.
    if (folded.charCodeAt(0) !== SLASH) return null
    const match = this.#matcher.find(method as MatcherMethod, folded) as Match | null
    if (match !== null) for (const name of match.store.bare) if (match.params[name] === '') return null
    return match
  }

  #compile(read: ReadKey, key: string, value: unknown): Compiled {
    try {
      const { key: whole, text: pattern, bare } = read
      return { read, key, route: { key: whole, pattern, bare, ...readRoute(value), table: this } }
    } catch (error) {
      throw routeError(key, error)
    }
  }
}

interface FoldedMatch extends Match {
  readonly params: Record<string, string>
}

interface Compiled {
  readonly read: ReadKey
  /** As the table has it, for errors. */
  readonly key: string
  readonly route: CompiledRoute
}

function matcherOf(compiled: readonly Compiled[]): Matcher {
  const matcher = findMyWay(options)
  const shapes = new Map<string, string>()
  for (const { read, key, route } of compiled) {
    for (const path of read.paths) {
      const shape = `${read.method} ${shapeOf(path)}`
      const twin = shapes.get(shape)
      if (twin !== undefined) throw routeError(key, `has the same method and path as ${JSON.stringify(twin)}`)
      shapes.set(shape, key)
      add(matcher, read.method, path, key, route)
    }
  }
  return matcher.compile()
}

function add(matcher: Matcher, method: string, path: string, key: string, route: CompiledRoute): void {
  try {
    matcher.on(method as MatcherMethod, path, unused, route)
  } catch (error) {
    const isTwin = /already declared/.test((error as Error).message)
    const twins =
      'another route has the same path but for regular expressions, and find-my-way takes them for one'
    throw routeError(key, isTwin ? new Error(twins, { cause: error }) : error)
  }
}

function prefixMatcher(base: string): Matcher {
  const matcher = findMyWay(options)
  for (const path of base === ''
    ? ['/*']
    : [...readKey('', `GET ${base}`).paths, ...readKey('', `GET ${base}/*`).paths]) {
    matcher.on('GET', path, unused)
  }
  return matcher.compile()
}

// Two patterns that differ only in the names of their parameters are one.
const shapeOf = (path: string): string => path.replaceAll('::', '\0').replace(/:\w+/g, ':')
