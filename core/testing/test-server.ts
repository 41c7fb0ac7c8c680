import type { Config } from '../config/types.ts'
import type { Diagnostic } from '../errors.ts'
import type { Outcome } from '../hooks.ts'
import type { InjectedResponse, InjectOptions } from '../inject.ts'
import { definePlugin, type PluginItem, type Plugins } from '../plugin.ts'
import type { HttpRequest } from '../request.ts'
import type { HttpResponse } from '../response.ts'
import { createServer, type Server } from '../server.ts'
import { connectInMemory, type MemoryConnection } from './memory-connection.ts'
import type { RawClient } from './raw-client.ts'

/** One `done`, as a test sees it. */
export interface Ended {
  readonly request: HttpRequest
  readonly response: HttpResponse | null
  readonly outcome: Outcome
}

/** A server that remembers what it reported and how each exchange ended. It needs no port. */
export interface TestServer extends AsyncDisposable {
  readonly server: Server
  /** What `report` was told, in order. A test may empty it. */
  readonly reports: Diagnostic[]
  /** How the exchanges ended, in order. A test may empty it. */
  readonly ended: Ended[]
  /** Answers a request without a connection, see `server.inject`. */
  inject(options?: InjectOptions | string): Promise<InjectedResponse>
  /** A connection in memory: the kernel reads each write of the client as one piece. Runs `start` if nothing has. */
  connect(options?: MemoryConnection): Promise<RawClient>
  /** Puts another config in charge; on a free port where it names none. */
  reload(config: Config | Plugins): Promise<void>
  /** When `done` has run `count` times. */
  untilEnded(count: number): Promise<readonly Ended[]>
  /** When a diagnostic with this code was reported. */
  untilReported(code: string): Promise<Diagnostic>
  /** Cuts what is open, and runs `stop`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** How {@link testServer} makes its server. */
export interface TestServerOptions {
  /** The folder that relative paths count from. Default: the working directory. */
  readonly dir?: string | undefined
}

/**
 * Makes a server for a test, from a config or from plugins alone. Its own plugin, which watches, stands first. Nothing
 * listens: `inject` and `connect` do without, and `server.listen()` opens a free port of the loopback.
 *
 * @throws ConfigError for a mistake in the config, or what a plugin's setup throws.
 *
 * @example
 * await using served = await testServer([hello({ name: 'Ann' })])
 * const answer = await served.inject('/hello')
 */
export async function testServer(
  config: Config | Plugins,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const watch = new Watch()
  const written = (next: Config | Plugins): Config => {
    const { plugins = [], ...rest } = isPlugins(next) ? { plugins: next } : next
    return { listen: [{ port: 0 }], ...rest, plugins: [watch.plugin, ...plugins] }
  }
  const server = await createServer(written(config), options)
  return {
    server,
    reports: watch.reports,
    ended: watch.ended,
    inject: request => server.inject(request),
    connect: connection => connectInMemory(server, connection),
    reload: next => server.reload(written(next)),
    untilEnded: count => watch.until(() => (watch.ended.length >= count ? watch.ended : undefined)),
    untilReported: code => watch.until(() => watch.reports.find(report => report.code === code)),
    [Symbol.asyncDispose]: () => server.stop({ deadline: 0 }),
  }
}

const isPlugins = (value: Config | Plugins): value is Plugins => Array.isArray(value)

/** The name of the plugin that watches, which stands first in every test server. */
const WATCHER = 'test-watch'

/** Notes what a server reports and how its exchanges end. */
class Watch {
  readonly reports: Diagnostic[] = []
  readonly ended: Ended[] = []
  readonly plugin: PluginItem
  readonly #waiting = new Set<() => void>()

  constructor() {
    this.plugin = definePlugin({
      name: WATCHER,
      server: ({ hooks }) =>
        hooks.report.tap(WATCHER, diagnostic => this.#note(() => void this.reports.push(diagnostic))),
      site: ({ hooks }) =>
        hooks.done.tap(WATCHER, (request, response, outcome) =>
          this.#note(() => void this.ended.push({ request, response, outcome })),
        ),
    })()
  }

  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise(resolve => {
      const look = () => {
        const found = find()
        if (found === undefined) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }

  #note(note: () => void): void {
    note()
    for (const look of this.#waiting) look()
  }
}
