import { statSync } from 'node:fs'
import {
  createRequire,
  type LoadHookSync,
  type ResolveFnOutput,
  type ResolveHookSync,
  registerHooks,
} from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { isOwnModule } from './first-party.ts'
import type { Importer } from './importer.ts'
import { ModuleGraph, realPath } from './module-graph.ts'
import { marked, markOf } from './module-mark.ts'

const commonJsCache = createRequire(import.meta.url).cache

/** One load of the config: imports go through it, and then it must be ended. */
export interface ModuleLoad extends Importer {
  /** Whether modules are imported anew; else no file has changed since the last good load. */
  readonly isFresh: boolean
  /** Changed ES modules that stay what they were: CommonJS requires them. */
  readonly stuck: readonly string[]
  /**
   * The first call counts. What belongs to a load that failed is not used again; the one before stays what it is.
   */
  end(isGood: boolean): void
}

/**
 * The modules of a config over its reloads. The first load is what it would be without this. In later ones the URL of
 * the config file is marked with a number, which hooks hand on to whatever it imports, so that Node takes each for a
 * module that it does not know yet. Packages and rawhttp itself stay what they are: `instanceof`, slots and stages go
 * by identity.
 */
export class FreshModules {
  #loads = 0
  /** The last load that was good. */
  #current: ModuleGraph | null = null
  /** The last load. */
  #latest = new ModuleGraph(0)
  /** URLs without a mark that belong to a load: modules of the first, and CommonJS, which has no place for a mark. */
  readonly #unmarked = new Map<string, number>()

  constructor() {
    registerHooks({ resolve: this.#resolve, load: this.#load })
  }

  /** How many loads after the first have imported modules anew. */
  get reloads(): number {
    return Math.max(0, this.#loads - 1)
  }

  /** Tells what the last good load was made of from what others were: empty before there is one. */
  get fingerprint(): string {
    return this.#current?.fingerprint ?? ''
  }

  /** Every path that the last load, or the last good one, looked at. */
  get paths(): readonly string[] {
    return [...new Set([...this.#latest.paths, ...(this.#current?.paths ?? [])])]
  }

  /** Paths that are not what they were at the last load, good or not. */
  changed(): readonly string[] {
    return this.#latest.changed()
  }

  /** Begins a load. Where every file is what it was at the last good one, nothing is imported again. */
  begin(): ModuleLoad {
    const changed = this.#current?.changed()
    if (this.#current !== null && changed?.length === 0) {
      this.#latest = this.#current
      return { ...this.#importer(this.#current), isFresh: false, stuck: [], end: () => undefined }
    }
    const graph = new ModuleGraph(this.#loads++)
    this.#latest = graph
    const { replaced, kept } = this.#takeCommonJs()
    for (const file of kept) graph.note(file)
    const stuck = kept.filter(file => changed?.includes(file))
    let hasEnded = false
    const end = (isGood: boolean) => {
      if (hasEnded) return
      hasEnded = true
      if (!isGood) return this.#giveBack(replaced, graph)
      graph.end()
      this.#current = graph
    }
    return { ...this.#importer(graph), isFresh: true, stuck, end }
  }

  #importer(graph: ModuleGraph): Importer {
    return {
      import: url => this.#import(url, graph),
      parent: url => marked(url, graph.number),
      noteFile: file => graph.note(file),
    }
  }

  #import(url: string, graph: ModuleGraph): Promise<unknown> {
    const path = fileURLToPath(url)
    const file = realPath(path)
    graph.noteWay(path, file)
    const real = file === null ? url : pathToFileURL(file).href
    return file !== null && isProjects(real) ? import(this.#urlIn(graph.number, real)) : import(real)
  }

  readonly #resolve: ResolveHookSync = (specifier, context, next) => {
    const { parentURL } = context
    const load = parentURL === undefined ? null : this.#loadOf(parentURL)
    if (load === null) return next(specifier, context)
    const path = pathOf(specifier, parentURL!)
    try {
      const resolved = throughLinks(next(specifier, context), path)
      if (!isProjects(resolved.url) || markOf(resolved.url) !== null) return resolved
      const file = fileURLToPath(resolved.url)
      if (path !== null) this.#graph(load)?.noteWay(path, file)
      return { ...resolved, url: this.#urlIn(load, resolved.url) }
    } catch (error) {
      if (path !== null) this.#graph(load)?.noteWay(path, realPath(path))
      throw error
    }
  }

  readonly #load: LoadHookSync = (url, context, next) => {
    const load = this.#loadOf(url)
    if (load === null) return next(url, context)
    const file = fileURLToPath(url)
    this.#graph(load)?.note(file)
    const loaded = next(url, context)
    if (loaded.format?.startsWith('commonjs')) this.#unmarked.set(pathToFileURL(file).href, load)
    return loaded
  }

  #urlIn(load: number, url: string): string {
    if (load > 0) return marked(url, load)
    this.#unmarked.set(url, 0)
    return url
  }

  /** The load that a module belongs to; null for one of a package, or of rawhttp. */
  #loadOf(url: string): number | null {
    return markOf(url) ?? this.#unmarked.get(url) ?? null
  }

  #graph(load: number): ModuleGraph | null {
    if (load === this.#latest.number) return this.#latest
    return load === this.#current?.number ? this.#current : null
  }

  /**
   * Takes the CommonJS modules of the config out of Node's cache, which goes by file, so that they are read again. An
   * ES module that was required is kept: Node would give an empty one.
   */
  #takeCommonJs(): {
    readonly replaced: ReadonlyMap<string, NodeJS.Module>
    readonly kept: readonly string[]
  } {
    const replaced = new Map<string, NodeJS.Module>()
    const kept: string[] = []
    for (const file of this.#current?.paths ?? []) {
      const module = commonJsCache[file]
      if (module === undefined) continue
      if (isEsModule(module)) {
        kept.push(file)
        continue
      }
      replaced.set(file, module)
      delete commonJsCache[file]
    }
    return { replaced, kept }
  }

  #giveBack(replaced: ReadonlyMap<string, NodeJS.Module>, failed: ModuleGraph): void {
    for (const file of failed.paths) if (!isEsModule(commonJsCache[file])) delete commonJsCache[file]
    for (const [file, module] of replaced) {
      commonJsCache[file] = module
      this.#unmarked.set(pathToFileURL(file).href, this.#current!.number)
    }
  }
}

/** Whether a module is the project's own. Links are followed by now: these are real paths. */
function isProjects(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/') && !isOwnModule(url)
}

const isEsModule = (module: NodeJS.Module | undefined): boolean =>
  module !== undefined && (types.isModuleNamespaceObject(module.exports) || /\.m[jt]s$/.test(module.filename))

/** Node remembers for ever where a link led when it came by it first. */
function throughLinks(resolved: ResolveFnOutput, path: string | null): ResolveFnOutput {
  const file = path === null ? null : realPath(path)
  if (file === null || !resolved.url.startsWith('file:') || !isFile(file)) return resolved
  const url = pathToFileURL(file)
  url.search = new URL(resolved.url).search
  return { ...resolved, url: url.href }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false

/** The path that a specifier means, before links are followed; null for one that names a package. */
function pathOf(specifier: string, parentURL: string): string | null {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return null
  const { protocol, href } = new URL(specifier, parentURL)
  return protocol === 'file:' ? fileURLToPath(href) : null
}
