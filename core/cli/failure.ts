import { isConfigError, messageOf } from '../config/errors.ts'
import { type Args, UsageError } from './args.ts'

const usage = 2
const configError = 78

/** What a command that failed prints, and its exit code. */
export interface Failure {
  readonly text: string
  readonly code: number
}

/** One line with advice; the stack only with `--verbose`. */
export function explain(error: unknown, args: Args): Failure {
  const lines = [error, ...alsoOf(error)].map(one => `rawhttp: ${sentenceOf(one)}\n`)
  const stack = args.flags.has('verbose') && error instanceof Error ? `${withCauses(error)}\n` : ''
  return { text: lines.join('') + stack, code: codeOf(error, args) }
}

/** One of another copy of rawhttp may lack it. */
const alsoOf = (error: unknown): readonly unknown[] => (isConfigError(error) ? (error.also ?? []) : [])

function codeOf(error: unknown, args: Args): number {
  if (error instanceof UsageError) return usage
  // `check` exists to find mistakes: whatever it trips over is one of the config.
  if (isConfigError(error) || args.command === 'check') return configError
  const { exitCode } = (error ?? {}) as { readonly exitCode?: unknown }
  return typeof exitCode === 'number' && exitCode > 0 ? exitCode : 1
}

function sentenceOf(error: unknown): string {
  const { code = '', listener } = (error ?? {}) as { readonly code?: string; readonly listener?: string }
  const advice = listener === undefined ? undefined : listenAdvice[code]
  return advice === undefined ? messageOf(error) : advice(listener!)
}

const listenAdvice: Readonly<Record<string, (listener: string) => string>> = {
  EADDRINUSE: listener =>
    `${listener} is in use already: stop what runs there, or choose another port with --port (0 picks a free one)`,
  EACCES: listener =>
    portOf(listener) < 1024
      ? `${listener} may not be opened by this user: ports below 1024 need more rights, choose another with --port`
      : `${listener} may not be opened by this user: check who may write there, or choose another place`,
  EADDRNOTAVAIL: listener => `${listener} is not an address of this machine: choose another with --host`,
  ENOTFOUND: listener => `${listener} is not a host that can be found: choose an address with --host`,
}

/** The port of `127.0.0.1:8080`; infinite for a Unix socket. */
function portOf(listener: string): number {
  const port = /:(\d+)$/.exec(listener)?.[1]
  return port === undefined ? Number.POSITIVE_INFINITY : Number(port)
}

function withCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${withCauses(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
