import type { PathPattern } from './pattern.ts'
import { type PatternSegment, segmentsOf, type Take } from './pattern-segment.ts'

/** What a path was found under. */
export interface PatternMatch<T> {
  readonly value: T
  /**
   * What the parameters stand for, `*` for the wildcard, as it stands in the canonical path: escaped. One that is
   * missing is not there.
   */
  readonly params: ReadonlyMap<string, string>
}

interface Rule<T> {
  readonly value: T
  /** Its place among the patterns that were added. */
  readonly order: number
  readonly names: readonly string[]
}

/** All patterns that begin with the same segments. */
class Branch<T> {
  readonly statics = new Map<string, Branch<T>>()
  readonly dynamics = new Map<string, { readonly take: Take; readonly next: Branch<T> }>()
  readonly ends: Rule<T>[] = []
  readonly rests: { readonly prefix: string; readonly rule: Rule<T> }[] = []
}

/**
 * Values by path pattern, of which a path finds the one that was added first. Thousands cost about what one costs: the
 * patterns are a tree, and a path goes down it segment by segment.
 */
export class PatternTable<T> {
  readonly #root = new Branch<T>()
  readonly #byText = new Map<string, T[]>()
  #size = 0

  /** @throws Error with a sentence for a pattern that no table can take. */
  add({ text, variants, names }: PathPattern, value: T): this {
    const order = this.#size++
    this.#byText.set(text, [...(this.#byText.get(text) ?? []), value])
    for (const variant of variants) add(this.#root, segmentsOf(variant), { value, order, names })
    return this
  }

  /**
   * What has all paths of a pattern already, so that it would never be found if it was added now; null when there is
   * nothing, or when nobody can tell: of patterns with parameters only those that were added before are known.
   *
   * @param isWide Whether a value is for every request.
   */
  coverOf({ text, names, variants }: PathPattern, isWide: (value: T) => boolean): T | null {
    const twin = this.#byText.get(text)?.find(isWide)
    if (twin !== undefined || names.length > 0) return twin ?? null
    const path = variants[0]!.map(piece => (piece.kind === 'static' ? piece.text : '')).join('')
    return this.find(path, isWide)?.value ?? null
  }

  /**
   * The first pattern that a path fits, or null.
   *
   * @param path In canonical form; what is no path is found nowhere.
   * @param fits Whether a value is for this request at all; the next pattern has its turn if not. Default: all are.
   */
  find(path: string, fits: (value: T) => boolean = () => true): PatternMatch<T> | null {
    // The `*` of OPTIONS is no path.
    if (!path.startsWith('/')) return null
    const search = new Search(path.slice(1).split('/'), fits)
    search.visit(this.#root, 0)
    return search.result
  }
}

function add<T>(root: Branch<T>, segments: readonly PatternSegment[], rule: Rule<T>): void {
  let branch = root
  for (const segment of segments) {
    if (segment.kind === 'rest') {
      branch.rests.push({ prefix: segment.prefix, rule })
      return
    }
    branch = next(branch, segment)
  }
  branch.ends.push(rule)
}

function next<T>(branch: Branch<T>, segment: Exclude<PatternSegment, { kind: 'rest' }>): Branch<T> {
  const isStatic = segment.kind === 'static'
  const known = isStatic ? branch.statics.get(segment.text) : branch.dynamics.get(segment.key)?.next
  if (known !== undefined) return known
  const made = new Branch<T>()
  if (isStatic) branch.statics.set(segment.text, made)
  else branch.dynamics.set(segment.key, { take: segment.take, next: made })
  return made
}

/** One path on its way down the tree. It takes every turn that fits, since the first pattern may stand anywhere. */
class Search<T> {
  readonly #segments: readonly string[]
  readonly #fits: (value: T) => boolean
  /** What the parameters on the way here stand for. */
  readonly #taken: string[] = []
  #rule: Rule<T> | null = null
  #values: readonly string[] = []

  constructor(segments: readonly string[], fits: (value: T) => boolean) {
    this.#segments = segments
    this.#fits = fits
  }

  get result(): PatternMatch<T> | null {
    const rule = this.#rule
    if (rule === null) return null
    const params = new Map(this.#values.map((value, index) => [rule.names[index]!, value]))
    return { value: rule.value, params }
  }

  visit(branch: Branch<T>, at: number): void {
    if (at === this.#segments.length) {
      for (const rule of branch.ends) this.#consider(rule)
      return
    }
    if (branch.rests.length > 0) this.#visitRests(branch, this.#segments.slice(at).join('/'))
    const segment = this.#segments[at]!
    const next = branch.statics.get(segment)
    if (next !== undefined) this.visit(next, at + 1)
    for (const dynamic of branch.dynamics.values()) this.#visitDynamic(dynamic, segment, at)
  }

  #visitRests({ rests }: Branch<T>, left: string): void {
    for (const { prefix, rule } of rests)
      if (left.startsWith(prefix)) this.#consider(rule, left.slice(prefix.length))
  }

  #visitDynamic({ take, next }: { take: Take; next: Branch<T> }, segment: string, at: number): void {
    const values = take(segment)
    if (values === null) return
    this.#taken.push(...values)
    this.visit(next, at + 1)
    this.#taken.length -= values.length
  }

  #consider(rule: Rule<T>, ...rest: readonly string[]): void {
    if (this.#rule !== null && this.#rule.order <= rule.order) return
    if (!this.#fits(rule.value)) return
    this.#rule = rule
    this.#values = [...this.#taken, ...rest]
  }
}
