import type { ExchangeLimits, ListenerLimits } from '../limits.ts'
import type { Place } from '../place.ts'
import type { PluginDefinition, Plugins, ScopeOptions } from '../plugin.ts'
import type { ForwardedField, TrustedProxies } from '../trusted-proxies.ts'
import type { Importer } from './importer.ts'

/** Bytes: a number, or `'64kb'`. Units: b, kb, mb, gb (powers of 1024). */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`
/** Milliseconds: a number, or `'10s'`. Units: ms, s, m, h, d. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

type SizeName = 'headBytes' | 'targetBytes' | 'writeBuffer' | 'bodyBytes' | 'drainBytes'
type DurationName = Extract<keyof ListenerLimits | keyof ExchangeLimits, `${string}Timeout`>

type Written<Limits> = {
  readonly [Name in keyof Limits]?:
    | (Name extends SizeName ? Size : Name extends DurationName ? Duration : number)
    | undefined
}

/** Limits as a config writes them, of a server. */
export type ServerLimitsConfig = Written<ListenerLimits & ExchangeLimits>
/** Limits as a config writes them, of a listener. */
export type ListenerLimitsConfig = Written<ListenerLimits>
/** Limits as a config writes them, of a site. */
export type SiteLimitsConfig = Written<ExchangeLimits>

/**
 * Whose word counts about the client of a request: addresses, networks (`10.0.0.0/8`), `loopback`, `private`, or `unix`
 * for those who come by a Unix socket.
 */
export type TrustedProxiesConfig =
  | readonly string[]
  | {
      /** Who they are, as in the list. */
      readonly from: readonly string[]
      /**
       * The fields that they write. Name them if clients can send others through your proxies. Default: `forwarded` and
       * `x-forwarded-for`, `-proto`, `-host` and `-port`.
       */
      readonly fields?: readonly ForwardedField[] | undefined
    }

/** Where a server listens: a TCP port, a Unix socket, or a socket that it was started with. */
export interface ListenConfig {
  /** TCP port, 0 to 65535; 0 picks a free one. */
  readonly port?: number | undefined
  /** Address to bind. Default: loopback (`127.0.0.1`). */
  readonly host?: string | undefined
  /** A Unix socket instead of a port. */
  readonly path?: string | undefined
  /** Permissions of the Unix socket, for example `0o660`. */
  readonly mode?: number | undefined
  /**
   * A socket that the process was started with, by the name that systemd gives it (`FileDescriptorName=`; all of that
   * name), or by its descriptor, from 3 on.
   */
  readonly fd?: number | string | undefined
  /** Whether a plugin must terminate TLS here. Default: false. */
  readonly tls?: boolean | undefined
  /** What holds for this listener instead of the limits of the config. */
  readonly limits?: ListenerLimitsConfig | undefined
  /** Takes the place of the server's. */
  readonly trustedProxies?: TrustedProxiesConfig | undefined
}

/** One site: who it answers for, and what answers. */
export interface SiteConfig {
  /** Unique in the config. */
  readonly name: string
  /**
   * `example.com`, `*.example.com` for every host below it, however deep, or `*` for every host that no other site
   * takes. An exact host goes before a wildcard, a longer wildcard before a shorter one. Default: `['*']`.
   */
  readonly hosts?: readonly string[] | undefined
  /** Where the site's relative paths count from. Default: the config file's folder. */
  readonly dir?: string | URL | undefined
  /** Plugins of this site. One takes the place of the root plugin that has its name. */
  readonly plugins?: Plugins | undefined
  /** Names of root plugins that this site does without. */
  readonly without?: readonly string[] | undefined
  /** What holds for this site instead of the limits of the config. */
  readonly limits?: SiteLimitsConfig | undefined
}

/** What `rawhttp.config.ts` exports. */
export interface Config {
  /** Where the server listens. Default: the sockets that systemd has passed, else port 8080 on loopback. */
  readonly listen?: readonly ListenConfig[] | undefined
  /** What a client can make the server hold, wait for or do: of all listeners and sites that say nothing else. */
  readonly limits?: ServerLimitsConfig | undefined
  /** Proxies in front of the server, which are believed about client, scheme and host. Default: nobody. */
  readonly trustedProxies?: TrustedProxiesConfig | undefined
  /** Plugins of all sites, and of the messages that no site gets. */
  readonly plugins?: Plugins | undefined
  /**
   * Where a request goes whose host no site names, exactly or by a wildcard; a request without Host is one of them.
   * `'default'`: to the site with the host `'*'`, else to the first one, which then has that host too.
   * `'refuse'`: to none. It is answered with 421, and a site that takes `'*'` is an error.
   * Default: `'default'` if a site takes `'*'`, else `'refuse'`.
   */
  readonly unknownHost?: 'default' | 'refuse' | undefined
  /** Who answers for which hosts. Default: one site `default` for every host. */
  readonly sites?: readonly SiteConfig[] | undefined
  /** What a reload may do to those who are being served. */
  readonly reload?: ReloadConfig | undefined
  readonly stop?: StopConfig | undefined
}

/** What a reload may do to those who are being served. */
export interface ReloadConfig {
  /**
   * How long answers that never end (event streams, WebSockets) may keep the config alive that they began in; then
   * they are cut. Default: `'1h'`.
   */
  readonly oldStreams?: Duration | undefined
}

/** How the server ends. */
export interface StopConfig {
  /**
   * How long a stop may take until what is still open is cut: the time in which plugins announce it, and then that of
   * what is in flight. Default: `'10s'`.
   */
  readonly deadline?: Duration | undefined
}

/** What a config function is given. */
export interface ConfigContext {
  /** The command: `start`, `check` … */
  readonly command: string
  /** `--mode`, else NODE_ENV, else `production`. */
  readonly mode: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A config, or a function that makes one. */
export type ConfigExport = Config | ((context: ConfigContext) => Config | Promise<Config>)

/** A plugin instance of a list, its options validated. */
export interface ResolvedPlugin {
  /** The name in listings: `static`, `static#2`. */
  readonly name: string
  readonly definition: PluginDefinition<never>
  readonly settings: unknown
  /** What the config wrote for the plugin: `settings` were made of it. */
  readonly input: readonly unknown[]
  /** From the outermost scope to the innermost; empty outside any. */
  readonly scopes: readonly ScopeOptions[]
  /** The place in the config, for errors: `sites[0].plugins[2]`. */
  readonly at: string
  /** Where its factory was called; the config file for one that the config only names; null without a config file. */
  readonly place: Place | null
  /** The file that a plugin given by name came from; null for one given as a value. */
  readonly from: string | null
}

/** Where a config came from, and what the command line changes in it. */
export interface ConfigSource {
  /** The config file, or null for a config given in code. */
  readonly file: string | null
  /** The folder that relative paths count from. */
  readonly dir: string
  /** Changes of the first listener: `--port`, `--host`, PORT and HOST. */
  readonly overrides?: { readonly port?: number | undefined; readonly host?: string | undefined } | undefined
  /** How the plugins that it names are imported. Default: once, as Node does. */
  readonly importer?: Importer | undefined
}

/** A listener with every default filled in. */
export interface ResolvedListen {
  /** The place in `listen`, for errors: `listen[0]`. */
  readonly at: string
  readonly port: number
  readonly host: string
  readonly path: string | null
  readonly mode: number | null
  /** The descriptor of a socket that was passed; a name when none of that name was; null for other listeners. */
  readonly fd: number | string | null
  readonly tls: boolean
  readonly limits: ListenerLimits
  /** Null when nobody is. */
  readonly trustedProxies: TrustedProxies | null
}

/** A site with every default filled in. Its plugins are the root's that apply, then its own. */
export interface ResolvedSite {
  readonly name: string
  readonly hosts: readonly string[]
  readonly dir: string
  readonly plugins: readonly ResolvedPlugin[]
  readonly limits: Readonly<ExchangeLimits>
}

/** A whole config, checked: what a generation is built from. */
export interface ResolvedConfig {
  /** The config file, or null for a config given in code. */
  readonly file: string | null
  /** The folder that relative paths count from. */
  readonly dir: string
  readonly listen: readonly ResolvedListen[]
  readonly limits: Readonly<ExchangeLimits>
  /** The server's, which hold for listeners that say nothing else, and for requests without one. */
  readonly trustedProxies: TrustedProxies | null
  /** Root plugins: their `server()` runs, and their `site()` on the built-in site `-` too. */
  readonly plugins: readonly ResolvedPlugin[]
  readonly sites: readonly ResolvedSite[]
  /** `oldStreams` in milliseconds. */
  readonly reload: { readonly oldStreams: number }
  /** `deadline` in milliseconds. */
  readonly stop: { readonly deadline: number }
}
