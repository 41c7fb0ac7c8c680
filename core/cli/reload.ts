import { writeError } from '../stderr.ts'
import type { Args } from './args.ts'
import { ask } from './control.ts'
import { pathToAsk } from './control-path.ts'
import { settle } from './settings.ts'

/** Milliseconds: a reload that waits for another one, each by fresh workers and at both its limits of a minute. */
const TIMEOUT = 300_000

/** `rawhttp reload`: has a server that runs reload its config, prints what it says, and exits as it says. */
export async function reload(args: Args): Promise<number> {
  const { code, text } = await ask(pathToAsk(settle(args, process.env)), 'reload', TIMEOUT)
  const shown = text.replaceAll(/[^\P{Cc}\n]/gu, '?')
  if (code === 0) process.stdout.write(shown)
  else writeError(shown)
  return code
}
