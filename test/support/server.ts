import {
  type Config,
  createServer,
  type Diagnostic,
  definePlugin,
  Handle,
  type HttpRequest,
  type HttpResponse,
  type Outcome,
  type Plugins,
  type Server,
} from 'rawhttp'

/** One `done` as a test sees it. */
interface Ended {
  readonly request: HttpRequest
  readonly response: HttpResponse | null
  readonly outcome: Outcome
}

/** A server on a free loopback port that remembers what it reported and how each exchange ended. */
export interface TestServer extends AsyncDisposable {
  readonly server: Server
  readonly port: number
  readonly url: string
  readonly reports: readonly Diagnostic[]
  readonly ended: readonly Ended[]
  /** When `done` has run `count` times. */
  untilEnded(count: number): Promise<readonly Ended[]>
  /** When a diagnostic with this code was reported. */
  untilReported(code: string): Promise<Diagnostic>
}

/** Starts a server with a config; the watching plugin comes first among the root plugins. */
export async function startServer(config: Config): Promise<TestServer> {
  const reports: Diagnostic[] = []
  const ended: Ended[] = []
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of waiting) look()
  }
  const until = <T>(find: () => T | undefined): Promise<T> =>
    new Promise(resolve => {
      const look = () => {
        const found = find()
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const watch = definePlugin({
    name: 'test-watch',
    server(server) {
      server.hooks.report.tap('watch', diagnostic => {
        reports.push(diagnostic)
        changed()
      })
    },
    site(site) {
      site.hooks.done.tap('watch', (request, response, outcome) => {
        ended.push({ request, response, outcome })
        changed()
      })
    },
  })
  const server = await createServer({
    listen: [{ port: 0 }],
    ...config,
    plugins: [watch(), ...(config.plugins ?? [])],
  })
  const [address] = await server.listen()
  const url = address!.url
  return {
    server,
    url,
    port: Number(new URL(url).port),
    reports,
    ended,
    untilEnded: count => until(() => (ended.length >= count ? ended : undefined)),
    untilReported: code => until(() => reports.find(report => report.code === code)),
    [Symbol.asyncDispose]: async () => {
      await server.stop({ deadline: 0 })
    },
  }
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
