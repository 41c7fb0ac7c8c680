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
  const server = await buildServer(config)
  const addresses = await server.listen()
  const stopped = untilStopped(server)
  for (const { url } of addresses) process.stderr.write(`rawhttp listening on ${url}\n`)
  return await stopped
}

function say(line: string): void {
  process.stderr.write(`rawhttp: ${line}\n`)
}
