import {
  createServer,
  type Diagnostic,
  definePlugin,
  type InjectedResponse,
  type Plugins,
  type Server,
} from 'rawhttp'
import { onTestFinished } from 'vitest'

/** A server with one site, stopped when the test ends, and what it reported. */
export interface Served {
  readonly server: Server
  readonly reports: readonly Diagnostic[]
  /** `GET /path`, or another method in front. */
  ask(line: string, headers?: Readonly<Record<string, string>>, body?: string): Promise<InjectedResponse>
}

/** Serves one site with these plugins. */
export async function serve(...plugins: Plugins): Promise<Served> {
  const reports: Diagnostic[] = []
  const listener = definePlugin({
    name: 'listener',
    server: server => server.hooks.report.tap('listener', diagnostic => void reports.push(diagnostic)),
  })
  const server = await createServer({ plugins: [listener], sites: [{ name: 'test', plugins }] })
  onTestFinished(() => server.stop())
  const ask = (line: string, headers?: Readonly<Record<string, string>>, body?: string) => {
    const [method, url] = line.split(' ') as [string, string]
    return server.inject({ method, url, headers, body })
  }
  return { server, reports, ask }
}
