import {
  type Config,
  createServer,
  type Diagnostic,
  definePlugin,
  HttpRequest,
  type InjectedResponse,
  type InjectOptions,
  type Outcome,
  type PluginServer,
  type PluginSite,
  type Plugins,
  type RequestInit,
  type Server,
} from 'rawhttp'
import { onTestFinished } from 'vitest'

/** One `done` as a test sees it. */
interface Done {
  readonly request: HttpRequest
  readonly outcome: Outcome
}

/** A server without a socket, for the body of a test: what it reported and how its exchanges ended is remembered. */
export interface InMemory {
  readonly server: Server
  readonly reports: Diagnostic[]
  readonly done: Done[]
  ask(options?: InjectOptions | string): Promise<InjectedResponse>
  /** Never on the default port, which tests of other files may want too. */
  reload(config: Config): Promise<void>
}

/** Serves a config, or only its plugins, until the test is over. The one that watches stands first. */
export async function serve(config: Config | Plugins): Promise<InMemory> {
  const written: Config = isPlugins(config) ? { plugins: config } : config
  const reports: Diagnostic[] = []
  const done: Done[] = []
  const watch = definePlugin({
    name: 'watch',
    server: server => server.hooks.report.tap('watch', diagnostic => void reports.push(diagnostic)),
    site: site =>
      site.hooks.done.tap('watch', (request, _response, outcome) => void done.push({ request, outcome })),
  })
  const server = await createServer({ ...written, plugins: [watch(), ...(written.plugins ?? [])] })
  onTestFinished(() => server.stop({ deadline: 0 }))
  return {
    server,
    reports,
    done,
    ask: options => server.inject(options),
    reload: next => server.reload({ listen: [{ port: 0 }], ...next }),
  }
}

const isPlugins = (value: Config | Plugins): value is Plugins => Array.isArray(value)

/** A plugin that is only its `site()`. */
export function onSite(name: string, site: (site: PluginSite) => void | Promise<void>): Plugins[number] {
  return definePlugin({ name, site })()
}

/** A plugin that is only its `server()`. */
export function onServer(
  name: string,
  server: (server: PluginServer) => void | Promise<void>,
): Plugins[number] {
  return definePlugin({ name, server })()
}

/** A request that nobody has dispatched, with path and query of its target. */
export function requestOf(init: Partial<RequestInit> = {}): HttpRequest {
  const request = new HttpRequest({ method: 'GET', target: '/', ...init })
  request.locate(request.target)
  return request
}
