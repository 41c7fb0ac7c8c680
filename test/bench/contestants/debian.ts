import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findTool, missingTool } from '../../support/tools.ts'
import { freePort, startProcess } from '../process.ts'
import type { Contestant, Stage } from './contestant.ts'

/** What a config is made for. */
export interface Place extends Stage {
  readonly port: number
  readonly isSecure: boolean
}

/** A server of Debian: files and an access log, as its own defaults have it. */
export interface Kind {
  readonly tool: string
  /** The name of the config in the server's folder. */
  readonly file: string
  readonly command: (config: string) => readonly string[]
}

/** Makes a contestant of a server that is told its port by a config. */
export function configured(
  name: string,
  kind: Kind,
  write: (place: Place) => string,
  { isSecure = false, log = 'access.log', share }: Settings = {},
): Contestant {
  return {
    name,
    share,
    log: log ?? undefined,
    missing: () => (findTool(kind.tool) === undefined ? missingTool(kind.tool, kind.tool) : null),
    async start(stage) {
      const port = await freePort()
      const config = join(stage.folder, kind.file)
      writeFileSync(config, write({ ...stage, port, isSecure }))
      return startProcess({
        command: [findTool(kind.tool)!, ...kind.command(config)],
        url: `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`,
        cwd: stage.folder,
        // Where Caddy keeps what it makes.
        env: { XDG_CONFIG_HOME: stage.folder, XDG_DATA_HOME: stage.folder },
      })
    },
  }
}

export interface Settings {
  readonly isSecure?: boolean
  /** The access log in the stage's folder; null for none. */
  readonly log?: string | null
  readonly share?: number
}
