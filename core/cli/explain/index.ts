import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeError } from '../../stderr.ts'
import type { RequestTrace } from '../../trace/types.ts'
import type { Args } from '../args.ts'
import { questionOf } from './question.ts'
import { textOf } from './text.ts'

/** Says to the process that it is the one that runs the request. */
const VARIABLE = 'RAWHTTP_EXPLAIN'

/**
 * `rawhttp explain`: runs a request through the config's sealed hooks, and tells what became of it.
 *
 * The server is in a process of its own, whose standard output is our stderr: what plugins print, the access log above
 * all, must not stand among what programs read.
 */
export async function explain(args: Args): Promise<number> {
  const { [VARIABLE]: isChild } = process.env
  delete process.env[VARIABLE]
  if (isChild !== undefined && process.send !== undefined) {
    const { answer } = await import('./answer.ts')
    return await answer(args)
  }
  // Mistakes of the command line are told by the one that was called.
  questionOf(args)
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['ignore', 2, 2, 'ipc'],
    env: { ...process.env, [VARIABLE]: '1' },
  })
  let trace: RequestTrace | null = null
  child.on('message', message => {
    trace = message as RequestTrace
  })
  const [code, signal] = await once(child, 'close')
  if (trace !== null)
    process.stdout.write(`${args.flags.has('json') ? JSON.stringify(trace, null, 2) : textOf(trace)}\n`)
  if (signal === null) return code
  writeError(`rawhttp: the process that ran the request was ended by ${signal}\n`)
  return 1
}
