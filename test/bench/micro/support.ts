import {
  type Config,
  createServer,
  Handle,
  HttpRequest,
  HttpResponse,
  type Outcome,
  type Server,
  type Sink,
} from 'rawhttp'
import { onSite } from '../../support/in-memory.ts'

/** What a browser sends. */
export const browserFields = [
  ['host', 'www.example.com'],
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['accept-language', 'en-GB,en;q=0.7,de;q=0.3'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['referer', 'https://www.example.com/articles/'],
  ['cookie', 'session=3f8a2c5e9b7d1a60; theme=dark'],
  ['sec-fetch-mode', 'navigate'],
] as const

export const requestTo = (target: string): HttpRequest =>
  new HttpRequest({ method: 'GET', target, headers: browserFields })

/** Takes an answer, forgets it, and tells that it has gone. */
export class Void implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  bytes = 0
  inform(): void {}
  head(): void {}
  write(): boolean {
    return true
  }
  end(): void {
    this.onClose?.(null)
  }
  reset(): void {}
}

/** A plugin that answers everything with one constant. */
export const constant = (headers: Readonly<Record<string, string>> = {}) => {
  const answer = HttpResponse.text('x'.repeat(1_024), { headers })
  return onSite('constant', site =>
    site.hooks.handle.tap({ name: 'constant', stage: Handle.Route }, () => answer),
  )
}

/** A server that has started, and takes requests by dispatch. */
export async function ready(config: Config): Promise<Server> {
  const server = await createServer(config)
  await server.inject('/')
  return server
}

/** What the log is told of a request that was answered. */
export async function answered(target: string) {
  const seen: { request: HttpRequest; response: HttpResponse | null; outcome: Outcome }[] = []
  const look = onSite('look', site =>
    site.hooks.done.tap('look', (request, response, outcome) => {
      seen.push({ request, response, outcome })
    }),
  )
  const server = await createServer({ plugins: [look, constant()] })
  await server.inject({ url: target, headers: Object.fromEntries(browserFields) })
  return seen[0]!
}
