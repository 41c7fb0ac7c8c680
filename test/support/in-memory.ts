import {
  type Config,
  type Diagnostic,
  definePlugin,
  HttpRequest,
  type InjectedResponse,
  type InjectOptions,
  type PluginServer,
  type PluginSite,
  type Plugins,
  type RequestInit,
  type Server,
} from 'rawhttp'
import { type Ended, testServer } from 'rawhttp/testing'
import { onTestFinished } from 'vitest'

/** A server of the test kit without a socket, for the body of a test. */
export interface InMemory {
  readonly server: Server
  readonly reports: Diagnostic[]
  readonly done: Ended[]
  ask(options?: InjectOptions | string): Promise<InjectedResponse>
  /** Never on the default port, which tests of other files may want too. */
  reload(config: Config): Promise<void>
}

/** Serves a config, or only its plugins, until the test is over. The one that watches stands first. */
export async function serve(config: Config | Plugins): Promise<InMemory> {
  const { server, reports, ended: done, inject: ask, reload, ...served } = await testServer(config)
  onTestFinished(() => served[Symbol.asyncDispose]())
  return { server, reports, done, ask, reload }
}

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
