import type { FreshModules } from '../config/fresh-modules.ts'
import type { Seat } from '../seat.ts'
import { buildServer, type Server } from '../server.ts'
import { writeError } from '../stderr.ts'
import type { Tracer } from '../trace/tracing.ts'
import { asConfigMistake, prepare } from './prepare.ts'
import type { Settings } from './settings.ts'

/** How a server is built from the command line. */
export interface BuildOptions {
  readonly modules: FreshModules
  readonly cwd: string
  /** Whether it says where a config would have gone. Default: true. */
  readonly speaks?: boolean | undefined
  readonly seat?: Seat | undefined
  /** Who wants traces beside the plugins. */
  readonly tracer?: Tracer | undefined
}

/** Loads the config and builds its server, which is not open yet. */
export async function build(
  settings: Settings,
  { modules, cwd, speaks = true, seat, tracer }: BuildOptions,
): Promise<Server> {
  const load = modules.begin()
  const { config, notices } = await prepare(settings, cwd, { importer: load })
  load.end(true)
  if (speaks) {
    for (const notice of notices) writeError(`rawhttp: ${notice}\n`)
    if (settings.verbose && config.file !== null)
      writeError(`rawhttp: config ${config.file}, mode ${settings.mode}\n`)
  }
  const { verbose } = settings
  return await buildServer(config, { verbose, seat, tracer }).catch(asConfigMistake)
}
