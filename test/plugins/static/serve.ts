import { createServer, type InjectedResponse, type Plugins } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { onTestFinished } from 'vitest'
import { type Files, type TempSite, tempSite } from './temp-site.ts'

type Options = Omit<Parameters<typeof staticFiles>[0], 'root'>

export interface Served {
  readonly site: TempSite
  ask(method: string, url: string, headers?: Record<string, string>): Promise<InjectedResponse>
  get(url: string, headers?: Record<string, string>): Promise<InjectedResponse>
}

/** Serves files of the disk until the test is over. */
export async function serve(files: Files, options: Options = {}, plugins: Plugins = []): Promise<Served> {
  const site = await tempSite(files)
  const server = await createServer({ plugins: [staticFiles({ root: site.root, ...options }), plugins] })
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  const ask: Served['ask'] = (method, url, headers = {}) =>
    server.inject({ method, url, headers: { host: 'localhost', ...headers } })
  return { site, ask, get: (url, headers) => ask('GET', url, headers) }
}
