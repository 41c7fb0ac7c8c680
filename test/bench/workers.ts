import { readFlags, runBenchmark } from './command.ts'
import { load } from './load.ts'
import { childrenOf, cpuMicroseconds } from './measure.ts'
import { type ServerProcess, startServer } from './process.ts'
import { ratiosOf, spreadOf } from './stats.ts'
import { number, table, withSpread } from './table.ts'

const usage = `node --conditions=rawhttp-source test/bench/workers.ts [--rounds N] [--requests N]

How much more two workers can answer than one. What bounds them is the CPU time of the busier one, so the figure does
not depend on whether client and workers have cores of their own.

  --rounds N      how often each server is asked in turn (default 7)
  --requests N    in one round (default 60000)`

const { rounds, requests, wantsHelp } = readFlags({ rounds: 7, requests: 60_000 })
const warmUp = 20_000
/** Enough that the system spreads them evenly. */
const connections = 512

await runBenchmark(usage, wantsHelp, run)

interface Way {
  readonly name: string
  readonly server: ServerProcess
  /** CPU time of the busiest worker for each request of all, in microseconds, one value a round. */
  readonly took: number[]
}

async function run(): Promise<void> {
  const start = (...args: string[]) => startServer('core/cli.ts', ['start', '--port', '0', ...args], '0,1')
  await using one = await start('--workers', '1')
  await using two = await start('--workers', '2')
  await using rolling = await start('--workers', '2', '--rolling')
  const ways: Way[] = [
    { name: 'one worker', server: one, took: [] },
    { name: 'two, each with a socket', server: two, took: [] },
    { name: 'two, with one socket', server: rolling, took: [] },
  ]
  for (const { server } of ways) await ask(server, Math.min(warmUp, requests))
  for (let round = 0; round < rounds; round++) for (const way of ways) way.took.push(await costOf(way.server))
  process.stdout.write(`${report(ways)}\n`)
}

async function ask({ url }: ServerProcess, count: number): Promise<void> {
  await load(`${url}/`, count, 1, [], connections)
}

async function costOf(server: ServerProcess): Promise<number> {
  const workers = childrenOf(server.pid)
  const before = workers.map(cpuMicroseconds)
  await ask(server, requests)
  return Math.max(...workers.map((pid, at) => cpuMicroseconds(pid) - before[at]!)) / requests
}

function report(ways: readonly Way[]): string {
  const single = ways[0]!.took
  const rows = ways.map(({ name, took }) => [
    name,
    number(spreadOf(took).median),
    withSpread(spreadOf(ratiosOf(single, took))),
  ])
  const note = `Medians of ${rounds} rounds of ${requests} requests, ${connections} connections; ratios round by round (min..max).`
  return `${table([['CPU time of the busiest a request, µs', 'rawhttp', 'x one worker'], ...rows])}\n\n${note}`
}
