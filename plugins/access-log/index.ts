import {
  definePlugin,
  type HttpRequest,
  type HttpResponse,
  type Outcome,
  type PluginServer,
  type PluginSite,
  ROOT_SITE,
} from 'rawhttp'
import { statusOf } from './fields.ts'
import { lineWithin } from './formats.ts'
import { type OpenOutput, openOutput } from './outputs.ts'
import { type AccessLogSettings, settings } from './settings.ts'

export type { FieldName } from './fields.ts'
export type { FormatName } from './formats.ts'
export type { AccessLogOptions, Template } from './settings.ts'

/** One log of a config: the same for all the sites that write to it. */
interface Log {
  /** Absolute; null for standard output. */
  path: string | null
  /** From `start` to `stop`. */
  output: OpenOutput | null
  /** One tap for all the sites. */
  readonly write: DoneTap
}

type DoneTap = (request: HttpRequest, response: HttpResponse | null, outcome: Outcome) => void

/** The logs by the server as each plugin instance sees it. */
const logs = new WeakMap<PluginServer, Log>()

/**
 * Writes one line for every request, also for refused messages and those whose client left. Lines go out in batches
 * of 64 kB, at the latest after 100 ms; when the server stops all of them are written. SIGUSR2 opens the files again.
 *
 * @example
 * plugins: [accessLog({ format: 'json', file: './logs/access.log', sample: 0.1 })]
 * @throws Error at the start when the file cannot be opened.
 */
export const accessLog = definePlugin({
  name: 'access-log',
  repeatable: true,
  options: settings,
  server(server, settings) {
    const log: Log = { path: null, output: null, write: writerFor(settings, () => log.output!) }
    logs.set(server, log)
    server.hooks.start.tapPromise('access-log:open', async () => {
      const place = { path: log.path, isShared: !server.peers.isAlone }
      log.output = await openOutput(place, diagnostic => server.report(diagnostic))
    })
    server.hooks.stop.tapPromise('access-log:close', async () => {
      // A start that failed may have failed before this plugin's turn.
      await log.output?.close()
    })
  },
  site(site, settings) {
    const log = logs.get(site.server)!
    // A root plugin serves every site: its path counts from the config's folder, as that of the root site does.
    if (log.path === null || site.name === ROOT_SITE) log.path = pathFor(site, settings)
    site.hooks.done.tap('access-log', log.write)
  },
})

function pathFor(site: PluginSite, { file }: AccessLogSettings): string | null {
  return file === null ? null : site.resolve(file)
}

function writerFor({ formats, sampling }: AccessLogSettings, opened: () => OpenOutput): DoneTap {
  return (request, response, outcome) => {
    const sample = sampling(statusOf(request, response, outcome), outcome)
    if (sample === 1 || Math.random() < sample) {
      const output = opened()
      output.write(lineWithin(output.longest, formats, { request, response, outcome, sample }))
    }
  }
}
