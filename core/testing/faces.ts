import type { PluginDefinition, PluginEntry, PluginServer, PluginSite } from '../plugin.ts'

type Server = PluginServer
type Site = PluginSite
/** One generation's servers and sites, as the plugin was given them. */
interface Given {
  hasEnded: boolean
}

/** Hooks whose taps are given the server first. */
const givesServer = new Set(['start', 'retire', 'drain', 'stop'])
/** What a plugin must not call any more when its generation has ended. */
const calls = ['report', 'serve', 'dispatch', 'keep', 'get', 'set'] as const

/**
 * Stands between a plugin and the servers and sites that it is given, and notes who calls them when their generation has
 * ended: whoever does so has taken one along over a reload.
 */
export class Faces {
  /** A sentence for each call that came late. */
  readonly late = new Set<string>()
  readonly #generations: Given[] = []
  readonly #servers = new WeakMap<Server, Server>()

  /** The plugin, with faces. A new generation begins with its first setup. */
  readonly around = (entry: PluginEntry): PluginEntry => {
    const given: Given = { hasEnded: false }
    this.#generations.push(given)
    const { definition } = entry
    const { server, site } = definition
    const changed: PluginDefinition<never> = {
      ...definition,
      ...(server && {
        server: (real: Server, settings: never) => server(this.#serverFor(real, given), settings),
      }),
      ...(site && { site: (real: Site, settings: never) => site(this.#siteFor(real, given), settings) }),
    }
    return { ...entry, definition: changed }
  }

  /** The generation of that place, counted from 0, has ended. */
  end(place: number): void {
    this.#generations[place]!.hasEnded = true
  }

  #serverFor(real: Server, given: Given): Server {
    const known = this.#servers.get(real)
    if (known !== undefined) return known
    const face: Server = Object.freeze({
      ...real,
      ...this.#watched(real, given),
      log: this.#log(real, given),
      hooks: this.#hooks(real),
    })
    this.#servers.set(real, face)
    return face
  }

  #siteFor(real: Site, given: Given): Site {
    return Object.freeze({
      ...real,
      ...this.#watched(real, given),
      server: this.#serverFor(real.server, given),
    })
  }

  #watched(real: object, given: Given): object {
    const own = calls.filter(name => name in real)
    return Object.fromEntries(own.map(name => [name, this.#watch(Reflect.get(real, name), name, given)]))
  }

  #log({ log }: Server, given: Given): Server['log'] {
    const levels = Object.entries(log).map(([level, write]) => [
      level,
      this.#watch(write, `log.${level}`, given),
    ])
    return Object.fromEntries(levels)
  }

  #watch(call: (...args: unknown[]) => unknown, name: string, given: Given) {
    return (...args: unknown[]) => {
      if (given.hasEnded) this.late.add(`it calls ${name}() of a generation that a reload has ended`)
      return call(...args)
    }
  }

  #hooks({ hooks }: Server): Server['hooks'] {
    const entries = Object.entries(hooks).map(([name, hook]) => [
      name,
      givesServer.has(name) ? this.#withFace(hook as Record<string, Tapping>) : hook,
    ])
    return Object.fromEntries(entries)
  }

  #withFace(hook: Record<string, Tapping>): Record<string, Tapping> {
    const ways = Object.entries(hook).map(([way, tap]): [string, Tapping] => [
      way,
      (options, fn) =>
        tap(options, (real: Server, ...rest: unknown[]) => fn(this.#servers.get(real)!, ...rest)),
    ])
    return Object.fromEntries(ways)
  }
}

type Tapping = (options: unknown, fn: (server: Server, ...rest: unknown[]) => unknown) => void
