import { loadConfig } from '../config/load.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { ResolvedConfig } from '../config/types.ts'
import type { Settings } from './settings.ts'
import { checkFolder, zeroConfig } from './zero-config.ts'

/** A config that is ready to build a server from. */
export interface Prepared {
  readonly config: ResolvedConfig
  /** Lines for stderr: where a config would have gone. */
  readonly notices: readonly string[]
}

/** Finds the config, or makes one for the folder, and resolves it with what flags and environment change. */
export async function prepare(settings: Settings, cwd: string): Promise<Prepared> {
  const { folder, file, command, mode, env, port, host } = settings
  if (folder !== undefined) checkFolder(folder, cwd)
  const overrides = { port, host }
  const loaded = await loadConfig({ cwd, folder, file, command, mode, env })
  if (loaded !== null) {
    const source = { file: loaded.file, dir: loaded.dir, overrides }
    return { config: await resolveConfig(loaded.config, source), notices: [] }
  }
  const { config, dir, notices } = zeroConfig(folder, cwd)
  return { config: await resolveConfig(config, { file: null, dir, overrides }), notices }
}
