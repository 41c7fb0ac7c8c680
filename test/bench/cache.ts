import { readFlags, runBenchmark } from './command.ts'
import { load } from './load.ts'
import { cpuMicroseconds } from './measure.ts'
import { type ServerProcess, startServer } from './process.ts'
import { ratiosOf, spreadOf } from './stats.ts'
import { number, table, withSpread } from './table.ts'

const usage = `node --conditions=rawhttp-source test/bench/cache.ts [--rounds N] [--requests N]

CPU time that a 50 kB asset costs from its second request on: from the cache, plain and compressed, against the same
asset as a constant in memory.`

const { rounds, requests, wantsHelp } = readFlags({ rounds: 5, requests: 40_000 })
const warmUp = 10_000

await runBenchmark(usage, wantsHelp, run)

interface Way {
  readonly name: string
  readonly server: ServerProcess
  readonly headers: readonly string[]
  readonly took: number[]
}

async function run(): Promise<void> {
  await using constant = await startServer('test/bench/servers/asset.ts', ['--from', 'constant'])
  await using plain = await startServer('test/bench/servers/asset.ts', ['--from', 'cache'])
  await using compressed = await startServer('test/bench/servers/asset.ts', ['--from', 'cache'])
  const ways: Way[] = [
    { name: 'constant, plain', server: constant, headers: [], took: [] },
    { name: 'cache, plain', server: plain, headers: [], took: [] },
    { name: 'cache, compressed', server: compressed, headers: ['accept-encoding: br'], took: [] },
  ]
  const bytes: number[] = []
  for (const { server, headers } of ways)
    bytes.push((await load(`${server.url}/asset.txt`, Math.min(warmUp, requests), 1, headers)).body)
  for (let round = 0; round < rounds; round++) for (const way of ways) way.took.push(await costOf(way))
  process.stdout.write(`${report(ways, bytes)}\n`)
}

async function costOf({ server: { pid, url }, headers }: Way): Promise<number> {
  const before = cpuMicroseconds(pid)
  await load(`${url}/asset.txt`, requests, 1, headers)
  return (cpuMicroseconds(pid) - before) / requests
}

function report(ways: readonly Way[], bytes: readonly number[]): string {
  const floor = ways[0]!.took
  const rows = ways.map(({ name, took }, place) => [
    name,
    String(bytes[place]),
    number(spreadOf(took).median),
    withSpread(spreadOf(ratiosOf(took, floor))),
  ])
  const note = `Medians of ${rounds} rounds of ${requests} requests, 64 connections; ratios round by round (min..max).`
  return `${table([['CPU time a request, µs', 'bytes', 'rawhttp', 'x constant'], ...rows])}\n\n${note}`
}
