import { definePlugin, type PluginServer, slot } from 'rawhttp'
import { formats } from './formats.ts'
import { LogOutput } from './output.ts'
import { type AccessLogSettings, settings } from './settings.ts'

export type { FormatName } from './formats.ts'
export type { AccessLogOptions } from './settings.ts'

/** The outputs of a generation by where they go: what writes to one place shares one stream. */
const Outputs = slot('access-log.outputs', () => new Map<string, () => LogOutput>())

/**
 * Writes one line for every request, also for refused messages and those whose client left. Lines go out in batches
 * of 64 kB, at the latest after 100 ms; when the server stops all of them are written.
 *
 * @example
 * plugins: [accessLog({ format: 'json', file: './logs/access.log' })]
 * @throws Error at the start when the file cannot be opened.
 */
export const accessLog = definePlugin({
  name: 'access-log',
  options: settings,
  server(server, { file }) {
    const path = pathOf(server, file)
    const outputs = server.get(Outputs)
    // Several sites with a log of their own may name one file.
    if (!outputs.has(keyOf(path))) outputs.set(keyOf(path), tapServer(server, path))
  },
  site(site, { format: name, file }) {
    const output = site.server.get(Outputs).get(keyOf(pathOf(site.server, file)))!
    const format = formats[name]
    site.hooks.done.tap('access-log', (request, response, outcome) =>
      output().write(format(request, response, outcome)),
    )
  },
})

/** Opens the output with the generation and closes it with it; the stream itself is shared by generations. */
function tapServer(server: PluginServer, path: string | null): () => LogOutput {
  const output = server.keep(`output ${keyOf(path)}`, { create: () => new LogOutput(path) })
  let isOpen = false
  server.hooks.start.tapPromise('access-log:open', async () => {
    await output().open(diagnostic => server.report(diagnostic))
    isOpen = true
  })
  server.hooks.stop.tapPromise('access-log:close', async () => {
    // A start that failed may have failed before this plugin's turn.
    if (isOpen) await output().close()
    isOpen = false
  })
  return output
}

function pathOf(server: PluginServer, file: AccessLogSettings['file']): string | null {
  return file === null ? null : server.resolve(file)
}

function keyOf(path: string | null): string {
  return path ?? 'stdout'
}
