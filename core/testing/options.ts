import { didYouMean } from '../config/suggest.ts'
import type { Config } from '../config/types.ts'
import type { HeadersInit } from '../headers.ts'
import type { InjectOptions } from '../inject.ts'
import type { Plugins } from '../plugin.ts'
import { type CaseId, caseIds } from './case.ts'
import type { MemoryConnection } from './memory-connection.ts'
import type { Subject } from './subject.ts'

/** What a plugin is tried with. */
export interface ContractOptions {
  /**
   * Requests that make the plugin do its work, each a target or what `inject` takes; they come beside those of the kit,
   * which every plugin gets. Default: none.
   */
  readonly requests?: readonly (InjectOptions | string)[] | undefined
  /** Fields of every request: credentials, where the plugin asks for some. Default: none. */
  readonly headers?: HeadersInit | undefined
  /** Plugins behind the tried one, such as a handler whose answers it works on. Default: only the kit's own handlers. */
  readonly beside?: Plugins | undefined
  /**
   * Whose list of plugins it stands in: that of the `root`, so that it also meets messages that no site gets, or that of
   * a `site`, for one that has no place in the root. Default: `root`.
   */
  readonly place?: 'root' | 'site' | undefined
  /** The rest of the config: `listen`, `limits`, with the `root` as place also `sites`. Default: one site for every host. */
  readonly config?: Omit<Config, 'plugins'> | undefined
  /** The folder that relative paths count from. Default: the working directory. */
  readonly dir?: string | undefined
  /** How clients connect: who they are, and the layer that the plugin expects over the stream. */
  readonly connection?: MemoryConnection | undefined
  /**
   * The same plugin with other options. After a reload to them answers have to be those of a new server with them.
   * Default: this case does not look.
   */
  readonly other?: Subject | undefined
  /**
   * What differs between two answers to one request by design, and is not compared: names of fields, or `body`.
   * `date` never is. Default: nothing.
   */
  readonly varies?: readonly string[] | undefined
  /** Cases that are left out, each with the reason. */
  readonly except?: Readonly<Partial<Record<CaseId, string>>> | undefined
  /** Milliseconds that things may take which end by themselves: an answer, the closing of a file. Default: 3,000. */
  readonly patience?: number | undefined
}

/** @internal {@link ContractOptions} with the defaults. */
export interface Settings {
  readonly requests: readonly InjectOptions[]
  readonly headers: HeadersInit
  readonly beside: Plugins
  readonly place: 'root' | 'site'
  readonly config: Omit<Config, 'plugins'>
  readonly dir: string | undefined
  readonly connection: MemoryConnection
  readonly other: Subject | null
  readonly varies: ReadonlySet<string>
  readonly except: Readonly<Partial<Record<CaseId, string>>>
  readonly patience: number
}

/**
 * @internal
 * @throws TypeError for an option or a case that does not exist, and for sites beside one that has the plugin.
 */
export function settingsOf(options: ContractOptions): Settings {
  const { requests = [], varies = [], except = {} } = options
  for (const id of Object.keys(except)) checkName(id, caseIds, 'except: the contract has no case')
  if (options.place === 'site' && options.config?.sites !== undefined)
    throw new TypeError("place: 'site' makes a site of its own; leave config.sites out")
  const settings: Settings = {
    requests: requests.map(request => (typeof request === 'string' ? { url: request } : request)),
    headers: options.headers ?? {},
    beside: options.beside ?? [],
    place: options.place ?? 'root',
    config: options.config ?? {},
    dir: options.dir,
    connection: options.connection ?? {},
    other: options.other ?? null,
    varies: new Set(['date', ...varies.map(name => name.toLowerCase())]),
    except,
    patience: options.patience ?? 3_000,
  }
  for (const name of Object.keys(options))
    checkName(name, Object.keys(settings), 'contract: there is no option')
  return settings
}

function checkName(name: string, names: readonly string[], problem: string): void {
  if (names.includes(name)) return
  const hint = didYouMean(name, names) ?? `it has ${names.join(', ')}`
  throw new TypeError(`${problem} "${name}"; ${hint}`)
}
