import type { StandardSchema } from '../plugin.ts'
import { ConfigError, configErrorOf, optionsError } from './errors.ts'
import { problemsOf } from './issues.ts'
import type { FoundPlugin } from './plugin-list.ts'
import { show } from './show.ts'

type Input = readonly unknown[]
type OptionsFunction = (...input: unknown[]) => unknown

/** Where a plugin stands, for errors. */
interface Place {
  /** The place in the list and the name: `plugins[2] (static)`. */
  readonly plugin: string
  readonly file: string | null
}

/** The settings that a plugin makes of what the config wrote: through its schema, or its function. */
export async function readSettings(plugin: FoundPlugin, file: string | null): Promise<unknown> {
  const { definition, options, input } = plugin.entry
  const place = { plugin: `${plugin.at} (${definition.name})`, file }
  if (options === undefined) return checkNoInput(input, place)
  // A schema may be a function too (arktype's are), so the property decides.
  if ('~standard' in options) return await validate(options, input, place)
  return await callOptions(options as OptionsFunction, input, place)
}

function checkNoInput(input: Input, { plugin, file }: Place): undefined {
  if (input.every(value => value === undefined)) return undefined
  const received = show(input[0])
  const path = `${plugin}: options`
  throw new ConfigError({ file, path, expected: 'none, this plugin has no options', received })
}

async function callOptions(options: OptionsFunction, input: Input, place: Place): Promise<unknown> {
  let isPromise = false
  const settings = await owned(place, () => {
    const made = options(...input)
    isPromise = made instanceof Promise
    return made
  })
  if (!isPromise) return settings
  throw new ConfigError({
    file: place.file,
    path: `${place.plugin}: options`,
    expected: 'settings',
    received: 'a promise',
    hint: "async work belongs to the plugin's server() or site()",
  })
}

async function validate(schema: StandardSchema, input: Input, place: Place): Promise<unknown> {
  const base = `${place.plugin}: options`
  const { file } = place
  const result = await owned(place, () => schema['~standard'].validate(input[0]))
  if (result.issues === undefined) return result.value
  const problems = problemsOf(schema, result.issues, { base, file })
  if (problems.length > 0) throw configErrorOf(problems)
  throw new ConfigError({ file, path: base, expected: 'what its schema takes', received: show(input[0]) })
}

/** Runs a plugin's own code, and makes what it throws an error of the config. */
async function owned<T>({ plugin, file }: Place, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw optionsError(error, plugin, file)
  }
}
