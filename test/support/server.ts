import { type Config, definePlugin, Handle, type HttpRequest, type HttpResponse, type Plugins } from 'rawhttp'
import { testServer, type TestServer as Unbound } from 'rawhttp/testing'

/** A server of the test kit that listens on a free loopback port. */
export interface TestServer extends Unbound {
  readonly port: number
  readonly url: string
}

/** Starts a server with a config; the watching plugin comes first among the root plugins. */
export async function startServer(config: Config): Promise<TestServer> {
  const served = await testServer(config)
  const [address] = await served.server.listen()
  const url = address!.url
  return { ...served, url, port: Number(new URL(url).port) }
}

type Handler = (request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>

/** A plugin that answers with a function, at `Handle.Route`. */
export function answering(handler: Handler, name = 'test-answer'): Plugins[number] {
  return definePlugin({
    name,
    site(site) {
      site.hooks.handle.tapAsync({ name, stage: Handle.Route }, (request, callback) => {
        try {
          const answer = handler(request)
          if (answer instanceof Promise) answer.then(value => callback(null, value), callback)
          else callback(null, answer)
        } catch (error) {
          callback(error as Error)
        }
      })
    },
  })()
}
