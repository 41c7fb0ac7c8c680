import { Handle, HttpResponse, type InjectOptions, type Plugins } from 'rawhttp'
import { redirects } from 'rawhttp/plugins/redirects'
import { onSite, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

type Options = Parameters<typeof redirects>[0]

/** What a client is told: status and Location, or status and text. */
export type Told = readonly [status: number, text: string]

/** Serves redirects before an answer that shows the path. */
export async function redirecting(options: Options, hosts: readonly string[] = ['*'], more: Plugins = []) {
  const plugins = [redirects(options), more, answering(({ path }) => HttpResponse.text(`at ${path}`))]
  const { server, reports } = await serve({ sites: [{ name: 'test', hosts, plugins }] })
  const ask = (line: string, rest: InjectOptions = {}) => {
    const [method, url] = line.split(' ') as [string, string]
    return server.inject({ method, url, ...rest })
  }
  const told = async (line: string, rest?: InjectOptions): Promise<Told> => {
    const answer = await ask(line, rest)
    return [answer.status, answer.headers.get('location') ?? answer.text()]
  }
  return { ask, told, reports }
}

/** A guard that lets nobody in. */
export const locked = onSite('locked', site =>
  site.hooks.handle.tap({ name: 'locked', stage: Handle.Guard }, () => HttpResponse.error(401)),
)
