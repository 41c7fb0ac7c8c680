import { join } from 'node:path'
import type { Contestant, Stage } from './contestants/contestant.ts'
import { linesWritten } from './log-lines.ts'
import { cpuTimeOf, peakOf } from './measure.ts'
import type { ServerProcess } from './process.ts'
import type { Entry, Sample } from './result.ts'
import { type Settings, stageOf, whoIsThere } from './rows.ts'
import { tempFolder } from './temp-folder.ts'

/** What a piece of work has shown, beside the CPU time that it took. */
export interface Done {
  readonly perSecond?: number
  readonly p99?: number
  readonly total?: number
  readonly body?: number
}

/** What all servers of a race have to do. */
export interface Work {
  /** Requests, or what else is counted, of a full round; a contestant's share may be less. */
  readonly count: number
  /** No count is less: the client needs one a connection. */
  readonly least: number
  /** What one of them counts for in the figure: a file of 10 MB is ten. Default: 1. */
  readonly weight?: number | undefined
  /** Called once for each server: looks whether it answers as it should, and gives what is repeated. */
  prepare(server: ServerProcess, contestant: Contestant): Promise<(count: number) => Promise<Done>>
}

interface Runner {
  readonly contestant: Contestant
  readonly server: ServerProcess
  readonly folder: string
  readonly run: (count: number) => Promise<Done>
  readonly requests: number
  readonly first: Done
  readonly samples: Sample[]
}

/**
 * Has all servers do the same in turn, round by round, so that a slow moment of the machine meets all of them. The
 * first one is rawhttp; constants are made as long as its answers.
 *
 * @throws Error when one of them fails to answer, or has logged fewer lines than it got requests.
 */
export async function race(
  contestants: readonly Contestant[],
  work: Work,
  settings: Settings,
): Promise<{ readonly entries: Entry[]; readonly missing: ReturnType<typeof whoIsThere>[1] }> {
  const [there, missing] = whoIsThere(contestants, settings)
  await using stack = new AsyncDisposableStack()
  const runners: Runner[] = []
  for (const contestant of there) {
    const { total = 0, body = 0 } = runners[0]?.first ?? {}
    runners.push(await enter(contestant, work, settings, { total, body }, stack))
  }
  for (let round = 0; round < settings.rounds; round++)
    for (const runner of runners) runner.samples.push(await sample(runner, work))
  for (const runner of runners) await expectLog(runner, settings.rounds)
  return { entries: runners.map(entryOf), missing }
}

async function enter(
  contestant: Contestant,
  work: Work,
  settings: Settings,
  answer: Stage['answer'],
  stack: AsyncDisposableStack,
): Promise<Runner> {
  const { path: folder } = stack.use(tempFolder('stage'))
  const server = stack.use(await contestant.start(stageOf(settings, folder, answer)))
  const run = await work.prepare(server, contestant)
  const requests = Math.max(Math.round(work.count * (contestant.share ?? 1)), work.least)
  const warmUp = Math.round(
    settings.warmUp * (contestant.share ?? 1) * Math.min(1, work.count / settings.requests),
  )
  const first = await run(Math.max(warmUp, work.least))
  return { contestant, server, folder, run, requests, first, samples: [] }
}

async function sample({ server: { pid }, run, requests }: Runner, { weight = 1 }: Work): Promise<Sample> {
  const before = cpuTimeOf(pid)
  const { perSecond, p99 } = await run(requests)
  const after = cpuTimeOf(pid)
  const each = requests * weight
  const user = (after.user - before.user) / each
  return { figure: user + (after.system - before.system) / each, user, perSecond, p99 }
}

/** A server that is said to log must have done so. */
async function expectLog(
  { contestant: { name, log }, folder, requests }: Runner,
  rounds: number,
): Promise<void> {
  if (log === undefined) return
  const lines = await linesWritten(join(folder, log), requests * rounds)
  if (lines < requests * rounds) {
    throw new Error(`${name} has logged ${lines} lines of ${requests * rounds} requests.`)
  }
}

const entryOf = ({ contestant: { name }, server: { pid }, requests, first, samples }: Runner): Entry => ({
  name,
  requests,
  samples,
  bytes: first.total,
  peak: peakOf(pid),
})
