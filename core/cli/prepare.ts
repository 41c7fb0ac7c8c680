import { ConfigError } from '../config/errors.ts'
import type { Importer } from '../config/importer.ts'
import { checkAllTaken } from '../config/listen.ts'
import { loadConfig } from '../config/load.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { ConfigSource, ResolvedConfig } from '../config/types.ts'
import { asError } from '../errors.ts'
import type { Settings } from './settings.ts'
import { checkFolder, zeroConfig } from './zero-config.ts'

/** A config that is ready to build a server from. */
export interface Prepared {
  readonly config: ResolvedConfig
  /** Lines for stderr: where a config would have gone. */
  readonly notices: readonly string[]
}

interface PrepareOptions {
  readonly importer?: Importer | undefined
  /** The config file that serves so far; null where there is none. */
  readonly before?: string | null | undefined
}

/** Finds the config, or makes one for the folder, and resolves it with what flags and environment change. */
export async function prepare(
  settings: Settings,
  cwd: string,
  { importer, before = null }: PrepareOptions = {},
): Promise<Prepared> {
  const { folder, file, command, mode, env, port, host } = settings
  if (folder !== undefined) checkFolder(folder, cwd)
  const overrides = { port, host }
  const loaded = await loadConfig({ cwd, folder, file, command, mode, env, importer })
  if (loaded !== null) {
    const source = { file: loaded.file, dir: loaded.dir, overrides, importer }
    return { config: await resolve(loaded.config, source), notices: [] }
  }
  // A folder is served to everybody only by who asks for it, not by who moves a config away.
  if (before !== null)
    throw new ConfigError({ file: before, expected: 'a config file', received: 'none any more' })
  const { config, dir, notices } = zeroConfig(folder, cwd)
  return { config: await resolve(config, { file: null, dir, overrides, importer }), notices }
}

async function resolve(config: unknown, source: ConfigSource): Promise<ResolvedConfig> {
  const resolved = await resolveConfig(config, source)
  checkAllTaken(resolved)
  return resolved
}

/** What a plugin's setup throws is a mistake in the config, as `check` finds it: exit code 78, not 1. */
export function asConfigMistake(error: unknown): never {
  throw Object.assign(asError(error), { exitCode: 78 })
}
