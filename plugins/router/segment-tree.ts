import { TextTable } from 'rawhttp'
import type { Segments } from './segments.ts'

/** What a tree holds: its parameters have names, in the order of the path. */
interface Named {
  readonly names: readonly string[]
}

/** All patterns that begin with the same segments. */
class Branch<Route> {
  /** Parameters on the way here. */
  readonly depth: number
  /** By the text of the next segment; null when none has a text. */
  texts: TextTable<Branch<Route>> | null = null
  param: Branch<Route> | null = null
  /** All that is left is a wildcard's. */
  rest: Branch<Route> | null = null
  /** The route whose path ends here. */
  route: Route | null = null

  constructor(depth: number) {
    this.depth = depth
  }
}

// As find-my-way makes them: nothing is inherited, since a parameter may have any name.
const Params = function Params() {} as unknown as new () => Record<string, string>
Params.prototype = Object.create(null)

/**
 * Routes by method and path, of patterns whose parameters are whole segments. A path goes down segment by segment and
 * finds what find-my-way would find: texts before parameters, parameters before the wildcard, with one step back for
 * each turn that leads nowhere.
 *
 * All trees run the same code. find-my-way makes functions for each table, 17 kB a route with their source, which no
 * processor has in its caches when a thousand sites have a table each.
 */
export class SegmentTree<Route extends Named> {
  readonly #get = new Branch<Route>(0)
  /** By method, all but GET: most requests are spared the look into a Map. */
  readonly #others = new Map<string, Branch<Route>>()
  readonly #ignoresSlash: boolean

  /** @param ignoresSlash Whether `/a` and `/a/` are one path. */
  constructor(ignoresSlash: boolean) {
    this.#ignoresSlash = ignoresSlash
  }

  add(method: string, { parts, hasRest }: Segments, route: Route): void {
    let branch = this.#rootOf(method) ?? new Branch<Route>(0)
    if (method !== 'GET') this.#others.set(method, branch)
    const isSlashed = this.#ignoresSlash && !hasRest && parts.length > 1 && parts.at(-1) === ''
    for (const part of isSlashed ? parts.slice(0, -1) : parts)
      branch = part === null ? paramOf(branch) : textOf(branch, part)
    if (hasRest) {
      branch.rest ??= new Branch(branch.depth + 1)
      branch = branch.rest
    }
    branch.route = route
  }

  /** @param path Folded, with a slash in front. */
  find(
    method: string,
    path: string,
  ): { readonly store: Route; readonly params: Record<string, string> } | null {
    const root = this.#rootOf(method)
    if (root === undefined) return null
    const isSlashed = this.#ignoresSlash && path.length > 1 && path.endsWith('/')
    const end = search(root, isSlashed ? path.slice(0, -1) : path, 1)
    if (end === null) return null
    const store = end.route!
    const params = new Params()
    // An optional parameter that is missing is the last of the names.
    for (let i = 0; i < end.depth; i++) {
      const name = store.names[i]!
      // What may be empty is the wildcard alone.
      if (taken[i] === '' && name !== '*') return null
      params[name] = taken[i]!
    }
    return { store, params }
  }

  #rootOf(method: string): Branch<Route> | undefined {
    return method === 'GET' ? this.#get : this.#others.get(method)
  }
}

function textOf<Route>(branch: Branch<Route>, text: string): Branch<Route> {
  branch.texts ??= new TextTable()
  const next = branch.texts.get(text) ?? new Branch<Route>(branch.depth)
  branch.texts.set(text, next)
  return next
}

function paramOf<Route>(branch: Branch<Route>): Branch<Route> {
  branch.param ??= new Branch(branch.depth + 1)
  return branch.param
}

/** What the parameters stand for on the way of the search at work. One list for all: no search waits for anything. */
const taken: string[] = []

/**
 * Where the path ends, when there is a route.
 *
 * @param at Where the next segment begins.
 */
function search<Route>(branch: Branch<Route>, path: string, at: number): Branch<Route> | null {
  const slash = path.indexOf('/', at)
  const segment = slash === -1 ? path.slice(at) : path.slice(at, slash)
  const text = branch.texts?.get(segment)
  const found = text === undefined ? null : follow(text, path, slash)
  if (found !== null) return found
  if (branch.param !== null) {
    taken[branch.depth] = segment
    const ended = follow(branch.param, path, slash)
    if (ended !== null) return ended
  }
  if (branch.rest !== null) taken[branch.depth] = path.slice(at)
  return branch.rest
}

function follow<Route>(branch: Branch<Route>, path: string, slash: number): Branch<Route> | null {
  if (slash !== -1) return search(branch, path, slash + 1)
  return branch.route === null ? null : branch
}
