import { availableParallelism } from 'node:os'
import { ConfigError } from '../config/errors.ts'
import { quote } from '../config/show.ts'
import { type Args, UsageError } from './args.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What a command does after precedence is settled: flag, else environment, else undefined for the config to say. */
export interface Settings {
  readonly command: string
  readonly folder: string | undefined
  readonly file: string | undefined
  readonly mode: string
  readonly port: number | undefined
  readonly host: string | undefined
  /** How many processes serve; null for this one alone. */
  readonly workers: number | null
  /** Whether a reload puts fresh workers in the place of the old ones. */
  readonly rolling: boolean
  /** Path of the control socket. */
  readonly control: string | undefined
  readonly verbose: boolean
  readonly env: Env
}

/**
 * Settles flags and environment.
 *
 * @throws UsageError for a flag's bad value, ConfigError for a variable's.
 */
export function settle(args: Args, env: Env): Settings {
  const flag = (name: Parameters<typeof args.flags.get>[0]) => args.flags.get(name)
  if (args.folder !== undefined && flag('config') !== undefined) {
    throw new UsageError('expected a folder or --config FILE, got both')
  }
  return {
    command: String(args.command),
    folder: args.folder,
    // A folder on the command line is a flag's equal: the variable yields to it.
    file: flag('config') ?? (args.folder === undefined ? variable(env, 'RAWHTTP_CONFIG')?.value : undefined),
    mode:
      flag('mode') ??
      variable(env, 'RAWHTTP_MODE', 'NODE_ENV')?.value ??
      (args.flags.has('watch') ? 'development' : 'production'),
    port: portFlag(flag('port')) ?? portVariable(variable(env, 'RAWHTTP_PORT', 'PORT')),
    host: flag('host') ?? variable(env, 'RAWHTTP_HOST', 'HOST')?.value,
    workers: workersOf(args, env),
    rolling: args.flags.has('rolling'),
    control: flag('control') ?? variable(env, 'RAWHTTP_CONTROL')?.value,
    verbose: args.flags.has('verbose'),
    env,
  }
}

const MAX_WORKERS = 256
const expectedWorkers = `auto or a count from 1 to ${MAX_WORKERS}`

function readWorkers(text: string): number | null {
  if (text === 'auto') return availableParallelism()
  return /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_WORKERS ? Number(text) : null
}

/** Who watches develops: the variable, which belongs to the place, is not for that. */
function workersOf({ flags }: Args, env: Env): number | null {
  const text = flags.get('workers')
  if (text !== undefined && flags.has('watch'))
    throw new UsageError('expected --workers or --watch, got both')
  const found = flags.has('watch') ? undefined : variable(env, 'RAWHTTP_WORKERS')
  if (text === undefined && found === undefined) {
    if (flags.has('rolling')) throw new UsageError('--rolling is for workers: --workers N')
    return null
  }
  const workers = readWorkers(text ?? found!.value)
  if (workers !== null) return workers
  if (text !== undefined) throw new UsageError(`--workers: expected ${expectedWorkers}, got ${quote(text)}`)
  const path = `environment variable ${found!.name}`
  throw new ConfigError({ path, expected: expectedWorkers, received: quote(found!.value) })
}

interface Variable {
  readonly name: string
  readonly value: string
}

/** The first variable that is set; an empty one counts as unset. */
function variable(env: Env, ...names: readonly string[]): Variable | undefined {
  const name = names.find(candidate => env[candidate])
  return name === undefined ? undefined : { name, value: env[name]! }
}

const expectedPort = 'a port from 0 to 65535'
const readPort = (text: string) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null)

function portFlag(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = readPort(text)
  if (port === null) throw new UsageError(`--port: expected ${expectedPort}, got ${quote(text)}`)
  return port
}

function portVariable(found: Variable | undefined): number | undefined {
  if (found === undefined) return undefined
  const port = readPort(found.value)
  if (port !== null) return port
  const path = `environment variable ${found.name}`
  throw new ConfigError({ path, expected: expectedPort, received: quote(found.value) })
}
