import { createRequire, type LoadHookSync, type ResolveHookSync, registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isOwnModule } from './first-party.ts'
import type { Importer } from './importer.ts'
import { ModuleGraph, realPath } from './module-graph.ts'
import { marked, markOf } from './module-mark.ts'

const commonJsCache = createRequire(import.meta.url).cache

/**
 * The modules of a config over its reloads. The first load is what it would be without this. In later ones the URL of
 * the config file is marked with a number, which hooks hand on to whatever it imports, so that Node takes each for a
 * module that it does not know yet. Packages and rawhttp itself stay what they are: `instanceof`, slots and stages go
 * by identity.
 */
export class FreshModules implements Importer {
  #loads = 0
  /** The last load that was good. */
  #current: ModuleGraph | null = null
  /** The last load. */
  #latest = new ModuleGraph(0)
  /** URLs without a mark that belong to a load: modules of the first, and CommonJS, which has no place for a mark. */
  readonly #unmarked = new Map<string, number>()
  /** ES modules that CommonJS requires: Node goes by their file, and gives the one that it has. */
  readonly #stuck = new Set<string>()
  /** CommonJS modules that the load under way replaces. */
  readonly #replaced = new Map<string, NodeJS.Module>()

  constructor() {
    registerHooks({ resolve: this.#resolve, load: this.#load })
  }

  /**
   * Begins a load. Where every file is what it was at the last good one, nothing is imported again.
   *
   * @returns Whether modules will be imported anew.
   */
  begin(): boolean {
    if (this.#current?.changed().length === 0) {
      this.#latest = this.#current
      return false
    }
    this.#latest = new ModuleGraph(this.#loads++)
    for (const file of this.#current?.paths ?? []) {
      const module = commonJsCache[file]
      if (module === undefined) continue
      this.#replaced.set(file, module)
      delete commonJsCache[file]
    }
    return true
  }

  /** Ends a load. What belonged to one that failed is not used again; the one before stays what it is. */
  end(isGood: boolean): void {
    if (isGood) this.#current = this.#latest
    else if (this.#latest !== this.#current) this.#restore()
    this.#replaced.clear()
  }

  /** How many loads have imported modules anew, the first not counted. */
  get reloads(): number {
    return this.#loads - 1
  }

  /** Every path that the last load, or the last good one, looked at. */
  get paths(): readonly string[] {
    return [...new Set([...this.#latest.paths, ...(this.#current?.paths ?? [])])]
  }

  /** Files that are not what they were at the last load, good or not. */
  changed(): readonly string[] {
    return this.#latest.changed()
  }

  /** Modules of the last load that are those of the first, whatever their files say by now. */
  get stuck(): readonly string[] {
    const { paths } = this.#latest
    return paths.filter(path => this.#stuck.has(path))
  }

  import(url: string): Promise<unknown> {
    const path = fileURLToPath(url)
    const file = realPath(path)
    this.#latest.noteWay(path, file)
    if (file === null) return import(url)
    const real = pathToFileURL(file).href
    if (!isFreshable(real)) return import(real)
    const { number } = this.#latest
    if (number > 0) return import(marked(real, number))
    this.#unmarked.set(real, 0)
    return import(real)
  }

  parent(url: string): string {
    return marked(url, this.#latest.number)
  }

  noteFile(file: string): void {
    this.#latest.note(file)
  }

  readonly #resolve: ResolveHookSync = (specifier, context, next) => {
    const { parentURL } = context
    const load = parentURL === undefined ? null : this.#loadOf(parentURL)
    if (load === null) return next(specifier, context)
    const way = wayOf(specifier, parentURL!)
    try {
      const resolved = next(specifier, context)
      if (!isFreshable(resolved.url) || markOf(resolved.url) !== null) return resolved
      if (way !== null) this.#graph(load)?.noteWay(way, fileURLToPath(resolved.url))
      if (load > 0) return { ...resolved, url: marked(resolved.url, load) }
      this.#unmarked.set(resolved.url, 0)
      return resolved
    } catch (error) {
      if (way !== null) this.#graph(load)?.noteWay(way, realPath(way))
      throw error
    }
  }

  readonly #load: LoadHookSync = (url, context, next) => {
    const load = this.#loadOf(url)
    if (load === null) return next(url, context)
    const file = fileURLToPath(url)
    this.#graph(load)?.note(file)
    const loaded = next(url, context)
    const isCommonJs = loaded.format?.startsWith('commonjs') ?? false
    if (isCommonJs) this.#unmarked.set(pathToFileURL(file).href, load)
    else if (loaded.format?.startsWith('module') && isRequired(context.conditions)) this.#stuck.add(file)
    return loaded
  }

  /** The load that a module belongs to; null for one of a package, or of rawhttp. */
  #loadOf(url: string): number | null {
    return markOf(url) ?? this.#unmarked.get(url) ?? null
  }

  #graph(load: number): ModuleGraph | null {
    if (load === this.#latest.number) return this.#latest
    return load === this.#current?.number ? this.#current : null
  }

  #restore(): void {
    for (const file of this.#latest.paths) delete commonJsCache[file]
    for (const [file, module] of this.#replaced) {
      commonJsCache[file] = module
      this.#unmarked.set(pathToFileURL(file).href, this.#current!.number)
    }
  }
}

const isRequired = (conditions: readonly string[] | undefined) => conditions?.includes('require') ?? false

/** Whether a module is the project's own. Node has resolved links: these are real paths. */
function isFreshable(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/') && !isOwnModule(url)
}

/** The path that a specifier means, before links are followed; null for one that names a package. */
function wayOf(specifier: string, parentURL: string): string | null {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return null
  const { protocol, href } = new URL(specifier, parentURL)
  return protocol === 'file:' ? fileURLToPath(href) : null
}
