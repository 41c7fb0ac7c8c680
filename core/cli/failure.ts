import { isConfigError, messageOf } from '../config/errors.ts'
import { unmarked } from '../config/module-mark.ts'
import { type Args, UsageError } from './args.ts'

const usage = 2
/** The exit code of a mistake in the config. */
export const configError = 78

/** What a command that failed prints, and its exit code. */
export interface Failure {
  readonly text: string
  readonly code: number
}

/** A failure that another process has explained already. */
export class ExplainedError extends Error {
  override readonly name = 'ExplainedError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.text)
    this.failure = failure
  }
}

/** One line with advice; the stack only with `--verbose`. */
export function explain(error: unknown, args: Args): Failure {
  if (error instanceof ExplainedError) return error.failure
  const lines = [error, ...alsoOf(error)].map(one => `rawhttp: ${unmarked(sentenceOf(one))}\n`)
  const stack = args.flags.has('verbose') && error instanceof Error ? `${withCauses(error)}\n` : ''
  return { text: lines.join('') + stack, code: codeOf(error, args) }
}

/** One of another copy of rawhttp may lack it. */
const alsoOf = (error: unknown): readonly unknown[] => (isConfigError(error) ? (error.also ?? []) : [])

function codeOf(error: unknown, args: Args): number {
  if (error instanceof UsageError) return usage
  // These only load a config: whatever they trip over is a mistake in it.
  if (isConfigError(error) || args.command === 'check' || args.command === 'plugins') return configError
  const { exitCode } = (error ?? {}) as { readonly exitCode?: unknown }
  return typeof exitCode === 'number' && exitCode > 0 ? exitCode : 1
}

/** What the system says of a listener that cannot be opened. */
interface ListenFailure {
  readonly code?: string
  readonly listener?: string
  /** Its place in the config: `listen[1]`. */
  readonly at?: string
  /** The listener of this very server that has the port, when a reload wants another address of it. */
  readonly heldBy?: string
}

function sentenceOf(error: unknown): string {
  const { code = '', listener, at = 'listen[0]', heldBy } = (error ?? {}) as ListenFailure
  if (heldBy !== undefined && code === 'EADDRINUSE')
    return `${listener} cannot be opened while this server has ${heldBy}: restart it to change the address of a port`
  const advice = listener === undefined ? undefined : listenAdvice[code]
  return advice === undefined ? messageOf(error) : advice(listener!, at)
}

const listenAdvice: Readonly<Record<string, (listener: string, at: string) => string>> = {
  EADDRINUSE: (listener, at) =>
    isSocket(listener)
      ? `${listener} is in use already: stop what listens there, or remove the file that it left behind`
      : `${listener} is in use already: stop what runs there, or choose another port ${by(at, 'port')} (0 picks a free one)`,
  EACCES: (listener, at) => `${listener} may not be opened by this user: ${accessAdvice(listener, at)}`,
  EADDRNOTAVAIL: (listener, at) =>
    `${listener} is not an address of this machine: choose another ${by(at, 'host')}`,
  ENOTFOUND: (listener, at) =>
    `${listener} is not a host that can be found: choose an address ${by(at, 'host')}`,
  EINVAL: listener =>
    `${listener} cannot be listened on: the path of a Unix socket has at most about 100 characters`,
}

/** How a listener is changed: the flags speak of the first one. */
const by = (at: string, option: 'port' | 'host'): string =>
  at === 'listen[0]' ? `with --${option}` : `in ${at}.${option}`

function accessAdvice(listener: string, at: string): string {
  // Node says EACCES for a missing folder too.
  if (isSocket(listener)) return 'check that the folder exists and who may write there'
  return portOf(listener) < 1024
    ? `ports below 1024 need more rights, choose another ${by(at, 'port')}`
    : `something on this machine keeps it back, choose another ${by(at, 'port')}`
}

const isSocket = (listener: string) => !/:\d+$/.test(listener)
const portOf = (listener: string) => Number(/:(\d+)$/.exec(listener)?.[1])

function withCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${withCauses(error.cause)}` : ''
  return `${unmarked(error.stack ?? error.message)}${cause}`
}
