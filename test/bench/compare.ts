import { load } from './load.ts'
import { cpuMicroseconds } from './measure.ts'
import { type ServerProcess, startServer } from './process.ts'

/** One kind of request, asked of all servers. */
export interface Case {
  readonly name: string
  readonly path: string
  readonly pipelined: number
  /** In one round: enough for the clock, which counts in steps of 10 ms. */
  readonly requests: number
}

/** CPU time a request, in microseconds, one value a round. */
export interface Rounds {
  readonly name: string
  readonly bytes: number
  readonly rawhttp: readonly number[]
  readonly floor: readonly number[]
  readonly nodeHttp: readonly number[]
}

/** Before the first round: enough that the compiler has done its work. */
const warmUp = 20_000

/**
 * Asks rawhttp, the floor and node:http in turn, round by round, so that a slow moment of the machine meets all of
 * them. The other two answer as many bytes as rawhttp did.
 */
export async function compare(one: Case, rounds: number): Promise<Rounds> {
  await using servers = new AsyncDisposableStack()
  const rawhttp = servers.use(await startServer('core/cli.ts', ['start', '--port', '0']))
  const first = Math.min(warmUp, one.requests)
  const { total, body } = await load(rawhttp.url + one.path, first, one.pipelined)
  const floor = servers.use(await startServer('test/bench/servers/floor.ts', ['--bytes', String(total)]))
  const nodeHttp = servers.use(
    await startServer('test/bench/servers/node-http.ts', ['--bytes', String(body)]),
  )
  for (const server of [floor, nodeHttp]) await load(server.url, first, one.pipelined)
  const took = { rawhttp: [] as number[], floor: [] as number[], nodeHttp: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    took.floor.push(await costOf(floor, one))
    took.rawhttp.push(await costOf(rawhttp, one))
    took.nodeHttp.push(await costOf(nodeHttp, one))
  }
  return { name: one.name, bytes: total, ...took }
}

async function costOf({ pid, url }: ServerProcess, { path, pipelined, requests }: Case): Promise<number> {
  const before = cpuMicroseconds(pid)
  await load(url + path, requests, pipelined)
  return (cpuMicroseconds(pid) - before) / requests
}
