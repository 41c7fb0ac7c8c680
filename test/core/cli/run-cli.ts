import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { whenOver } from '../../support/when-over.ts'
import { repository } from '../config/workspace.ts'

const cli = join(repository, 'core/cli.ts')

/** What a finished command left. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A command that runs, ended with the test at the latest. */
export interface Running {
  readonly child: ChildProcess
  /** Resolves with the first line of stderr that matches; rejects when the command ends before. */
  line(pattern: RegExp): Promise<string>
  readonly finished: Promise<Finished>
}

const { PATH } = process.env

/** Starts `rawhttp` from the sources with an environment of its own. */
export const launch = (args: readonly string[], options: RunOptions = {}): Running =>
  launchProgram([...rawhttp, ...args], options)

/** The command that `rawhttp` is in a checkout. */
export const rawhttp: readonly string[] = [process.execPath, '--conditions=rawhttp-source', cli]

/** Starts any program so. */
export function launchProgram(
  [command = '', ...args]: readonly string[],
  { cwd, env = {} }: RunOptions = {},
): Running {
  const child = spawn(command, args, {
    cwd,
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  whenOver(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    output.stderr += text
  })
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = output.stderr.split('\n').find(one => pattern.test(one))
      if (found !== undefined) return found
      const end = await Promise.race([once(child.stderr, 'data').then(() => null), finished])
      if (end !== null && !pattern.test(end.stderr)) throw new Error(`ended with ${end.code}: ${end.stderr}`)
    }
  }
  return { child, line, finished }
}

/** Runs a command to its end. */
export const run = (args: readonly string[], options?: RunOptions): Promise<Finished> =>
  launch(args, options).finished

/** Waits for the ready line and gives its address. */
export async function ready(running: Running): Promise<string> {
  const line = await running.line(/^rawhttp listening on /)
  return line.slice('rawhttp listening on '.length)
}
