import type { ResolvedConfig, ResolvedListen, ResolvedPlugin } from '../config/types.ts'
import { buildServer } from '../server.ts'
import { writeError } from '../stderr.ts'
import type { Args } from './args.ts'
import { prepare } from './prepare.ts'
import { scopeText } from './scope-text.ts'
import { settle } from './settings.ts'
import { sharedStages } from './shared-stages.ts'

/** `rawhttp check`: loads the config, runs the set-up of its plugins, and lists what it makes. Opens nothing. */
export async function check(args: Args): Promise<number> {
  const { config, notices } = await prepare(settle(args, process.env), process.cwd())
  for (const notice of notices) writeError(`rawhttp: ${notice}\n`)
  const { generation } = await buildServer(config)
  for (const warning of sharedStages(generation.taps())) writeError(`rawhttp: warning: ${warning}\n`)
  process.stdout.write(`${listing(config).join('\n')}\n`)
  return 0
}

/** The config as lines: file, listeners, then each site with its hosts and plugins. */
function listing(config: ResolvedConfig): string[] {
  return [
    `config  ${config.file ?? 'none'}`,
    ...config.listen.map(listen => `listen  ${placeOf(listen)}${listen.tls ? ' (tls)' : ''}`),
    ...config.sites.flatMap(site => [
      `site    ${site.name}: ${site.hosts.join(', ')}`,
      ...site.plugins.map(pluginLine),
    ]),
    'ok',
  ]
}

function placeOf({ host, port, path, fd }: ResolvedListen): string {
  if (fd !== null) return typeof fd === 'string' ? `socket '${fd}'` : `descriptor ${fd}`
  return path ?? `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function pluginLine({ name, scopes, from }: ResolvedPlugin): string {
  return `  ${name}${scopeText(scopes)}${from === null ? '' : `  from ${from}`}`
}
