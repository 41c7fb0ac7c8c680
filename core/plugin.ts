import type { Duplex } from 'node:stream'
import { type Diagnostic, describe } from './errors.ts'
import type { ServerHooks, SiteHooks } from './hooks.ts'
import type { Keep } from './keep.ts'
import type { ConnectionInfo } from './listener.ts'
import type { Log } from './log.ts'
import type { Peers } from './peers.ts'
import { caller, callerOutside, type Place } from './place.ts'
import type { HttpRequest } from './request.ts'
import type { Sink } from './sink.ts'
import type { SlotHolder } from './slots.ts'
import type { ServerStats } from './stats.ts'
import type { Tracer } from './trace/tracing.ts'
import type { RequestTrace } from './trace/types.ts'

/** The part of Standard Schema v1 (standardschema.dev) that the kernel uses: valibot, zod and arktype have it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One thing that is wrong with an input, and where. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The server as a plugin sees it: one generation's hooks, slots and kept values. */
export interface PluginServer extends SlotHolder {
  readonly hooks: ServerHooks
  /** Keeps a value over reloads, by the plugin's listed name and `name`. See {@link Keep}. */
  readonly keep: Keep
  /** A path of the config as an absolute one, counted from the config file's folder. */
  resolve(path: string | URL): string
  /**
   * Gives a claimed stream back to the kernel, which goes on with the `connection` taps after the claimer.
   *
   * @throws Error when `info` is not of a connection that this plugin claimed.
   */
  serve(stream: Duplex, info: ConnectionInfo): void
  /** Numbers of now, and counts since the server was made. */
  readonly stats: ServerStats
  /** The same plugin in the other workers of this server. See {@link Peers}. */
  readonly peers: Peers
  /**
   * Asks for traces: what each tap did to a request, who set each field of its answer, and what the kernel derived by which
   * rule. While nobody asks, hooks know nothing of traces. Where somebody does, each request is asked about once
   * (`tracer.wants`), and only one that is wanted takes the hooks that record.
   *
   * @returns The trace of a request so far, for taps that want to tell of it; null for one that is not traced.
   * @throws Error behind the setup.
   *
   * @example
   * server.trace({
   *   wants: request => request.path.startsWith('/slow/'),
   *   finished: trace => console.log(JSON.stringify(trace)),
   * })
   */
  trace(tracer: Tracer): (request: HttpRequest) => RequestTrace | null
  /** Messages for the operator that carry the plugin's name. */
  readonly log: Log
  /** Tells the operator of a fault that has no client to tell: the `report` taps, else stderr. */
  report(diagnostic: Diagnostic): void
}

/** A site as a plugin sees it. */
export interface PluginSite extends SlotHolder {
  readonly name: string
  readonly hosts: readonly string[]
  readonly server: PluginServer
  readonly hooks: SiteHooks
  readonly keep: Keep
  /** A path of the config as an absolute one, counted from the site's `dir`, else from the config file's folder. */
  resolve(path: string | URL): string
  /**
   * Sends a request of the plugin's own down this site's line, guards and log included: a page that is to be made
   * anew behind the back of the client that got the old one. Callable from `start` on; the answer goes to the sink.
   */
  dispatch(request: HttpRequest, sink: Sink): void
}

/** What {@link definePlugin} takes. */
export interface PluginDefinition<Settings> {
  /** Lower-case, unique in a list of plugins unless {@link repeatable}. */
  readonly name: string
  /** Whether it may stand in one list more than once: `static`, `static#2`. Default: false. */
  readonly repeatable?: boolean | undefined
  /** Runs once for each instance and generation. It taps and reads, and holds nothing open. */
  readonly server?: ((server: PluginServer, settings: Settings) => void | Promise<void>) | undefined
  /**
   * Runs once for every site that the instance serves. It taps and reads, and holds nothing open. With very many sites it
   * pays to tap all of them with one function: the kernel keeps it once. {@link sharedTaps} gives such functions to what
   * depends on the site.
   */
  readonly site?: ((site: PluginSite, settings: Settings) => void | Promise<void>) | undefined
}

type Options = StandardSchema | ((...input: never[]) => unknown)

type SettingsOf<O> =
  O extends StandardSchema<unknown, infer Output>
    ? Output
    : O extends (...input: never[]) => infer Output
      ? Output
      : undefined

type InputOf<O> =
  O extends StandardSchema<infer Input, unknown>
    ? undefined extends Input
      ? [options?: Input]
      : [options: Input]
    : O extends (...input: infer Input) => unknown
      ? Input
      : []

const brand = Symbol('rawhttp.plugin')

/** A plugin with its options: an entry of `plugins`. Made by the factory that {@link definePlugin} gives. */
export interface PluginEntry {
  readonly [brand]: 'plugin'
  readonly definition: PluginDefinition<never>
  readonly options: Options | undefined
  readonly input: readonly unknown[]
  /** Where the factory was called. */
  readonly place: Place | null
}

/** Plugins that run only for some requests: an entry of `plugins`. Made by {@link scope}. */
export interface ScopeEntry {
  readonly [brand]: 'scope'
  readonly to: ScopeOptions
  readonly plugins: Plugins
}

/** Calls with the plugin's options give an entry of `plugins`. */
export type PluginFactory<Input extends readonly unknown[] = []> = ((...input: Input) => PluginEntry) & {
  readonly plugin: string
}

/** What may stand in `plugins`: entries, bare factories that need no options, falsy values, nested lists. */
export type Plugins = readonly PluginItem[]
/** One entry of a `plugins` list. */
export type PluginItem =
  | PluginEntry
  | ScopeEntry
  | (() => PluginEntry)
  | Plugins
  | string
  | readonly [name: string, options: unknown]
  | false
  | null
  | undefined
  | 0
  | ''

/** Which requests a {@link scope} lets its plugins see. Parts that are left out do not narrow. */
export interface ScopeOptions {
  /**
   * Path patterns: `/admin/*` is `/admin`, `/admin/` and all below; without `*` the path itself. The path is that of the
   * moment: guards see what rewrites have made of it. A plugin that has prepared a request (a `handle` tap before
   * `Handle.Early`) also sees its answer, wherever it was led.
   */
  readonly path?: string | readonly string[] | undefined
  /** Methods, in capitals. `GET` includes HEAD. */
  readonly methods?: readonly string[] | undefined
  /** Hosts, exact or `*.example.com`. */
  readonly hosts?: readonly string[] | undefined
}

/**
 * Defines a plugin and gives its factory.
 *
 * `options` is a Standard Schema, or a function from what the user wrote to settings; it runs when the config
 * loads, so a mistake names the file, the plugin and the option.
 *
 * @example
 * export const hello = definePlugin({
 *   name: 'hello',
 *   site(site) {
 *     site.hooks.deliver.tap('hello', response => void response.set('x-hello', 'world'))
 *   },
 * })
 */
export function definePlugin<const O extends Options>(
  definition: { readonly options: O } & PluginDefinition<SettingsOf<O>>,
): PluginFactory<InputOf<O>>
/** Defines a plugin without options: its factory takes none, and may stand in `plugins` uncalled. */
export function definePlugin(
  definition: { readonly options?: undefined } & PluginDefinition<undefined>,
): PluginFactory
export function definePlugin(
  definition: { readonly options?: Options | undefined } & PluginDefinition<never>,
): PluginFactory<unknown[]> {
  checkDefinition(definition)
  const home = caller()?.file ?? null
  const factory = (...input: unknown[]): PluginEntry => {
    const { options } = definition
    return Object.freeze({
      [brand]: 'plugin' as const,
      definition,
      options,
      input,
      place: callerOutside(home),
    })
  }
  return Object.assign(factory, { plugin: definition.name })
}

const kinds: Readonly<Record<keyof PluginDefinition<never> | 'options', (value: unknown) => boolean>> = {
  name: value => typeof value === 'string' && /^[a-z][a-z0-9-]*$/.test(value),
  repeatable: value => typeof value === 'boolean',
  server: value => typeof value === 'function',
  site: value => typeof value === 'function',
  options: value =>
    typeof value === 'function' || (typeof value === 'object' && value !== null && '~standard' in value),
}

/** @throws TypeError for what would silently do nothing: a misspelt part, or one of the wrong kind. */
function checkDefinition(definition: object): void {
  const { name } = definition as { readonly name?: unknown }
  if (!kinds.name(name)) {
    throw new TypeError(`definePlugin: name must match /^[a-z][a-z0-9-]*$/, got ${describe(name)}`)
  }
  for (const [part, value] of Object.entries(definition)) {
    if (!Object.hasOwn(kinds, part)) {
      throw new TypeError(
        `definePlugin: ${name}: unknown "${part}"; a plugin has ${Object.keys(kinds).join(', ')}`,
      )
    }
    if (value !== undefined && !kinds[part as keyof typeof kinds](value))
      throw new TypeError(`definePlugin: ${name}: ${part} cannot be ${describe(value)}`)
  }
}

/**
 * Narrows plugins to some requests: each of their taps is wrapped with one test.
 *
 * @example
 * plugins: [scope({ path: '/admin/*' }, [basicAuth({ users })])]
 */
export function scope(to: ScopeOptions, plugins: Plugins): ScopeEntry {
  return Object.freeze({ [brand]: 'scope' as const, to, plugins })
}

/** Whether a value was made by a plugin's factory. */
export const isPluginEntry = (value: unknown): value is PluginEntry => kindOf(value) === 'plugin'
/** Whether a value was made by {@link scope}. */
export const isScopeEntry = (value: unknown): value is ScopeEntry => kindOf(value) === 'scope'
/** Whether a value is a factory made by {@link definePlugin}. */
export const isPluginFactory = (value: unknown): value is () => PluginEntry =>
  typeof value === 'function' && typeof (value as { plugin?: unknown }).plugin === 'string'

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { [brand]?: unknown })[brand] : undefined
}
