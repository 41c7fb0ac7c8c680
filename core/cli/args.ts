import { parseArgs } from 'node:util'
import { didYouMean } from '../config/suggest.ts'
import {
  type Command,
  type CommandName,
  commands,
  type Flag,
  type FlagName,
  flags,
  isCommand,
} from './commands.ts'

/** A command line that is wrong in itself: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What a command was given. */
export interface Args {
  readonly command: CommandName | null
  /** The words that the command wants before a folder. */
  readonly words: readonly string[]
  readonly folder: string | undefined
  /** Values of the flags that were written; flags without a value are `''`. */
  readonly flags: ReadonlyMap<FlagName, string>
  /** Every value of each flag, in their order. */
  readonly every: ReadonlyMap<FlagName, readonly string[]>
}

interface Option {
  readonly rawName: string
  readonly name: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

/**
 * Reads a command line. The tables are ours, and so are the sentences: parseArgs only splits.
 *
 * @throws UsageError for an unknown command or flag, a missing value, or too many words.
 */
export function parse(argv: readonly string[]): Args {
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const words = tokens.filter(token => token.kind === 'positional').map(token => token.value)
  const given = tokens.filter(token => token.kind === 'option').map(token => flagOf(token as Option))
  const written = new Map(given)
  const every = new Map(
    [...written.keys()].map(name => [name, given.filter(([of]) => of === name).map(textOf)]),
  )
  const [command, ...rest] = words
  if (command === undefined)
    return { command: null, words: [], folder: undefined, flags: onlyGeneral(written), every }
  const known = checkedCommand(command)
  checkFlags(known, written)
  const wanted: Command = commands[known]
  const count = wanted.words?.length ?? 0
  if (!written.has('help') && !written.has('version')) checkWords(known, rest)
  return { command: known, words: rest.slice(0, count), folder: rest[count], flags: written, every }
}

const textOf = ([, value]: readonly [FlagName, string]): string => value

const options = Object.fromEntries(
  Object.entries(flags as Readonly<Record<string, Flag>>).map(([name, { short, value }]) => [
    name,
    { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short ? { short } : {}) },
  ]),
)

function flagOf({ rawName, name, value, inlineValue }: Option): [FlagName, string] {
  if (!Object.hasOwn(flags, name)) {
    const help = didYouMean(name, Object.keys(flags)) ?? 'rawhttp --help lists the flags'
    throw new UsageError(`unknown flag ${rawName}; ${help.replace(/'(.*)'/, "'--$1'")}`)
  }
  const flag: Flag = flags[name as FlagName]
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value, got '${value}'`)
    return [name as FlagName, '']
  }
  // `--port --verbose` is a forgotten value; `--port -1` is a wrong one, which is for the port to say.
  const isForgotten = value === undefined || value === '' || (!inlineValue && /^-\D/.test(value))
  if (isForgotten) throw new UsageError(`${rawName} needs a value: ${rawName} ${flag.value}`)
  return [name as FlagName, value]
}

/** Without a command only `--help` and `--version` mean something. */
function onlyGeneral(written: ReadonlyMap<FlagName, string>): ReadonlyMap<FlagName, string> {
  const other = [...written.keys()].find(name => name !== 'help' && name !== 'version')
  if (other === undefined || written.has('help') || written.has('version')) return written
  throw new UsageError(`--${other} needs a command: rawhttp start --${other} …`)
}

function checkedCommand(command: string): CommandName {
  if (isCommand(command)) return command
  const help = didYouMean(command, Object.keys(commands)) ?? 'rawhttp --help lists the commands'
  throw new UsageError(`unknown command '${command}'; ${help}`)
}

function checkWords(command: CommandName, words: readonly string[]): void {
  const { words: wanted = [], takesFolder }: Command = commands[command]
  const missing = wanted.find((_, place) => !words[place])
  if (missing !== undefined)
    throw new UsageError(`rawhttp ${command} needs ${wanted.join(' and ')}: no ${missing}`)
  const [folder, ...more] = words.slice(wanted.length)
  if (folder === '')
    throw new UsageError('expected a folder, got an empty word (a variable that is not set?)')
  if (folder !== undefined && !takesFolder)
    throw new UsageError(`rawhttp ${command} takes only flags, got '${folder}'`)
  if (more.length > 0) throw new UsageError(`expected one folder, got ${[folder, ...more].join(' ')}`)
}

function checkFlags(command: CommandName, written: ReadonlyMap<FlagName, string>): void {
  const known: readonly FlagName[] = [...commands[command].flags, 'help', 'version']
  const unknown = [...written.keys()].find(name => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(`rawhttp ${command} has no flag --${unknown}`)
}
