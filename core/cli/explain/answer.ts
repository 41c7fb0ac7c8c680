import { promisify } from 'node:util'
import { FreshModules } from '../../config/fresh-modules.ts'
import type { Server } from '../../server.ts'
import { writeError } from '../../stderr.ts'
import { notAsked } from '../../trace/tap-run.ts'
import type { Tracer } from '../../trace/tracing.ts'
import type { RequestTrace, TraceStep } from '../../trace/types.ts'
import type { Args } from '../args.ts'
import { build } from '../build.ts'
import { settle } from '../settings.ts'
import { Asker } from './ask.ts'
import { questionOf } from './question.ts'

/** Milliseconds that the server has to end. */
const STOP_LIMIT = 1_000

/** Builds the server, starts it, runs the request, and sends the trace to the process that asked. */
export async function answer(args: Args): Promise<number> {
  const question = questionOf(args)
  let listener: (trace: RequestTrace) => void = () => undefined
  // Requests that plugins send by themselves are none of ours.
  const tracer: Tracer = {
    wants: ({ connection }) => connection?.listener === 'rawhttp explain',
    finished: trace => listener(trace),
  }
  const server = await build(settle(args, process.env), {
    modules: new FreshModules(),
    cwd: process.cwd(),
    tracer,
  })
  process.once('exit', endedEarly)
  try {
    await server.start()
    const asker = new Asker(server, given => {
      listener = given
    })
    let trace = await asker.ask(question)
    for (let time = 1; time < question.times; time++) trace = await asker.ask(question)
    await promisify(
      process.send!.bind(process) as (message: RequestTrace, sent: (error: Error | null) => void) => void,
    )({ ...trace, steps: [...connectionSteps(server), ...trace.steps] })
  } finally {
    process.off('exit', endedEarly)
    await server.stop({ deadline: STOP_LIMIT })
  }
  return 0
}

/** Code of the config that ends the process leaves nothing else to read. */
function endedEarly(code: number): void {
  writeError(`rawhttp: the process has ended before the request, with exit code ${code}\n`)
  process.exitCode = code === 0 ? 1 : code
}

/** There is no socket for these: whom they would turn away, or tell another address of, goes through all the same. */
function connectionSteps({ generation }: Server): TraceStep[] {
  const note = 'explain has no socket, and begins behind them all'
  return generation.hooks.connection.taps.map(tap => notAsked(tap, note))
}
