import type { HttpRequest } from 'rawhttp'
import { fold, unfold } from './escapes.ts'
import { readKey, readPrefix, routeError } from './key.ts'
import { type Compiled, type Matcher, matcherOf, type PrefixMatcher, prefixMatcher } from './matcher.ts'
import { type RouteParts, readRoute } from './route.ts'

/** A route, read and checked. */
export interface CompiledRoute extends RouteParts {
  /** With the prefix: `GET /api/users/:id`. */
  readonly key: string
  /** The path pattern as written: `/api/users/:id`. */
  readonly pattern: string
  /** The parameters in order. */
  readonly names: readonly string[]
  /** The table that the route stands in: its router runs the handler. */
  readonly table: RouteTable
}

/** A route that a request found. The parameters are decoded. */
export interface Match {
  readonly store: CompiledRoute
  readonly params: Readonly<Record<string, string | undefined>>
}

/** How a table reads its paths. */
export interface TableOptions {
  /** Whether `/a` and `/a/` are one path. */
  readonly ignoresSlash: boolean
}

const SLASH = 0x2f

/**
 * The routes of one router instance. Static parts match before parameters, parameters before wildcards, whatever the
 * order in the table.
 */
export class RouteTable {
  readonly routes: readonly CompiledRoute[]
  /** Whether a route is to be prepared before it runs: guards, limits. */
  readonly isGuarded: boolean
  readonly #hasHosts: boolean
  /** Methods that some route has, in the order of the table. */
  readonly #methods: readonly string[]
  readonly #matcher: Matcher
  readonly #prefix: PrefixMatcher | null

  /**
   * @param prefix Null for none: such a router owns nothing.
   * @throws Error that names the prefix, or the key of the route that is wrong.
   */
  constructor(
    prefix: string | null,
    routes: Readonly<Record<string, unknown>>,
    { ignoresSlash }: TableOptions = { ignoresSlash: false },
  ) {
    const base = prefix === null ? '' : readPrefix(prefix)
    const compiled = Object.keys(routes).map(key => this.#compile(base, key, routes[key]))
    this.routes = compiled.map(({ route }) => route)
    this.isGuarded = this.routes.some(({ guards, limits }) => guards.length > 0 || limits !== null)
    this.#hasHosts = this.routes.some(({ hosts }) => hosts !== null)
    this.#methods = [...new Set(compiled.map(({ read }) => read.method))]
    this.#matcher = matcherOf(compiled, ignoresSlash)
    this.#prefix = prefix === null ? null : prefixMatcher(base)
  }

  /** The route of a request, or null. A HEAD without a route of its own takes the GET's. */
  find(request: HttpRequest, path = request.path): Match | null {
    const { method } = request
    const match = this.#find(method, path, request)
    return match === null && method === 'HEAD' ? this.#find('GET', path, request) : match
  }

  /** The methods that a request's path has routes for. */
  methodsOf(request: HttpRequest): string[] {
    const folded = fold(request.path)
    const found = this.#methods.filter(method => this.#lookUp(method, folded, request) !== null)
    return found.includes('GET') && !found.includes('HEAD') ? [...found, 'HEAD'] : found
  }

  /** Whether a path is the router's prefix or below it. */
  owns(path: string): boolean {
    return this.#prefix !== null && this.#prefix.find('GET', fold(path)) !== null
  }

  #find(method: string, path: string, request: HttpRequest): Match | null {
    if (!path.includes('%')) return this.#lookUp(method, path, request)
    const match = this.#lookUp(method, fold(path), request) as FoldedMatch | null
    if (match !== null)
      for (const name in match.params) match.params[name] = unfold(name, match.params[name]!)
    return match
  }

  #lookUp(method: string, folded: string, request: HttpRequest): Match | null {
    // The `*` of OPTIONS is no path, and matchers do not look at the first character.
    if (folded.charCodeAt(0) !== SLASH) return null
    const hosts = this.#hasHosts ? { host: request.hostname } : undefined
    return this.#matcher.find(method, folded, hosts)
  }

  #compile(base: string, key: string, value: unknown): Compiled {
    const read = readKey(base, key)
    try {
      const { key: whole, text: pattern, names } = read
      const { guards, schemas, limits, hosts, handler } = readRoute(value)
      // No spread: V8 would keep what comes by it apart from the rest.
      const route = { key: whole, pattern, names, handler, table: this, schemas, guards, limits, hosts }
      return { read, key, route }
    } catch (error) {
      throw routeError(key, error)
    }
  }
}

interface FoldedMatch extends Match {
  readonly params: Record<string, string>
}
