import { asError } from '../errors.ts'
import { writeError } from '../stderr.ts'
import type { Args } from './args.ts'
import { prepare } from './prepare.ts'
import { settle } from './settings.ts'
import { untilStopped } from './signals.ts'

/** `rawhttp start`: serves until a signal ends it, and gives the exit code. */
export async function start(args: Args): Promise<number> {
  const settings = settle(args, process.env)
  const { config, notices } = await prepare(settings, process.cwd())
  for (const notice of notices) say(notice)
  if (settings.verbose && config.file !== null) say(`config ${config.file}, mode ${settings.mode}`)
  const { buildServer } = await import('../server.ts')
  const server = await buildServer(config).catch(asConfigMistake)
  const addresses = await server.listen()
  const stopped = untilStopped(server)
  for (const { url } of addresses) writeError(`rawhttp listening on ${url}\n`)
  return await stopped
}

function say(line: string): void {
  writeError(`rawhttp: ${line}\n`)
}

/** What a plugin's setup throws is a mistake in the config, as `check` finds it: exit code 78, not 1. */
function asConfigMistake(error: unknown): never {
  throw Object.assign(asError(error), { exitCode: 78 })
}
