import { type Args, parse, UsageError } from './cli/args.ts'
import type { CommandName } from './cli/commands.ts'
import { awaited } from './pending.ts'
import { writeError } from './stderr.ts'

/** Runs a command line and gives the exit code. What a command needs is imported only when it runs. */
async function main(argv: readonly string[]): Promise<number> {
  const args = parseOrExplain(argv)
  if (args === null) return 2
  if (args.flags.has('version')) {
    const { version } = await import('./cli/version.ts')
    return print(`rawhttp ${version()}\n`)
  }
  if (args.command === null || args.flags.has('help')) {
    const { helpText } = await import('./cli/help.ts')
    return print(helpText(args.command))
  }
  return await runCommand(args)
}

function parseOrExplain(argv: readonly string[]): Args | null {
  try {
    return parse(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    writeError(`rawhttp: ${error.message}\n`)
    return null
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

const runners: Readonly<Record<CommandName, () => Promise<(args: Args) => Promise<number>>>> = {
  init: async () => (await import('./cli/init.ts')).init,
  start: async () => (await import('./cli/start.ts')).start,
  check: async () => (await import('./cli/check.ts')).check,
  explain: async () => (await import('./cli/explain/index.ts')).explain,
  plugins: async () => (await import('./cli/plugins.ts')).plugins,
  reload: async () => (await import('./cli/reload.ts')).reload,
}

async function runCommand(args: Args): Promise<number> {
  const { useCompileCache } = await import('./cli/compile-cache.ts')
  const trouble = useCompileCache(process.env)
  if (trouble !== null && args.flags.has('verbose')) writeError(`rawhttp: no compile cache: ${trouble}\n`)
  try {
    const run = await runners[args.command!]()
    return await run(args)
  } catch (error) {
    const { explain } = await import('./cli/failure.ts')
    const { text, code } = explain(error, args)
    writeError(text)
    return code
  }
}

// Reached while `main` is under way: nothing is left that could settle what it waits for.
process.once('beforeExit', () => {
  const what = awaited().at(-1) ?? 'the command'
  writeError(`rawhttp: ${what} never ends: it waits for a promise that nothing can settle any more\n`)
  process.exit(78)
})
const code = await main(process.argv.slice(2))
// What a plugin left open (a timer, a watcher) must not keep a finished command alive.
process.exit(code)
