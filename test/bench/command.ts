import { parseArgs } from 'node:util'
import { obstacle } from './measure.ts'

/** The numbers of a benchmark's flags, and whether its help is asked for instead. */
export function readFlags<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> & { readonly wantsHelp: boolean } {
  const names = Object.keys(defaults) as Name[]
  const flags = names.map(name => [name, { type: 'string', default: String(defaults[name]) }] as const)
  const { values } = parseArgs({
    options: { ...Object.fromEntries(flags), help: { type: 'boolean', default: false } },
  })
  const { help, ...given }: Readonly<Record<string, string | boolean | undefined>> = values
  const numbers = names.map(name => [name, Number(given[name])] as const)
  return { ...(Object.fromEntries(numbers) as Record<Name, number>), wantsHelp: help === true }
}

/** Runs a benchmark, unless its help is asked for, or something is missing here: that ends with 2. */
export async function runBenchmark(
  usage: string,
  wantsHelp: boolean,
  run: () => Promise<void>,
): Promise<void> {
  const problem = wantsHelp ? usage : obstacle()
  if (problem === null) return await run()
  process.stderr.write(`${problem}\n`)
  process.exitCode = wantsHelp ? 0 : 2
}
