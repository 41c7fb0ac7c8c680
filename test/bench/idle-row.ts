import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import type { Child } from '../hostile/child.ts'
import { BATCH, type CrowdCalls, startCrowd } from '../hostile/crowd.ts'
import { steady } from '../hostile/memory.ts'
import type { Contestant } from './contestants/contestant.ts'
import { rawhttp } from './contestants/rawhttp.ts'
import { residentOf } from './measure.ts'
import type { ServerProcess } from './process.ts'
import type { Entry, Sample } from './result.ts'
import { type Row, type Settings, stageOf, whoIsThere } from './rows.ts'
import { spreadOf } from './stats.ts'
import type { Target } from './targets.ts'
import { tempFolder } from './temp-folder.ts'

const title = '10,000 idle keep-alive connections'
const connections = 10_000
/** What the first connections bring about is not the cost of one more. */
const first = 1_000
/** Constants are about as long as a page. */
const answer = { total: 1_300, body: 1_024 }

/**
 * A row for the memory that a connection holds after its first request. Servers on Node are judged when V8 has
 * collected; what it was before stands in a note.
 *
 * @param share The part of the connections to open: for tests.
 */
export function idleRow(peers: readonly Contestant[], targets: readonly Target[], share = 1): Row {
  return {
    id: 'idle',
    title,
    peers: peers.map(({ name }) => name),
    targets,
    async measure(settings) {
      const { tree, against } = settings
      const older = against === null ? [] : [rawhttp(against.tree, 'rawhttp', against.name)]
      const [there, missing] = whoIsThere([rawhttp(tree), ...older, ...peers], settings)
      const costs = there.map((): Cost[] => [])
      for (let round = 0; round < settings.rounds; round++)
        for (const [place, contestant] of there.entries())
          costs[place]!.push(await costOf(contestant, settings, connections * share))
      const entries = there.map(({ name }, place) => entryOf(name, costs[place]!))
      return { id: 'idle', title, targets, unit: 'bytes a connection', entries, missing }
    },
  }
}

/** Of one connection, in bytes. */
interface Cost {
  readonly collected: number
  readonly uncollected: number
}

function entryOf(name: string, costs: readonly Cost[]): Entry {
  const { median } = spreadOf(costs.map(({ uncollected }) => uncollected))
  const samples = costs.map(({ collected }): Sample => ({ figure: collected }))
  return { name, samples, note: `${median.toFixed(0)} bytes before garbage is collected` }
}

async function costOf(contestant: Contestant, settings: Settings, count: number): Promise<Cost> {
  using folder = tempFolder('stage')
  const done = join(folder.path, 'collected')
  const preload = new URL(`servers/collect.ts?done=${encodeURIComponent(done)}`, import.meta.url)
  const nodeOptions = ['--expose-gc', '--import', preload.href]
  await using server = await contestant.start({ ...stageOf(settings, folder.path, answer), nodeOptions })
  await using crowd = await startCrowd()
  await open(crowd, server, first, 0)
  const before = await memoryOf(contestant, server, done)
  await open(crowd, server, count, first)
  const after = await memoryOf(contestant, server, done)
  const each = (name: keyof Cost): number => (after[name] - before[name]) / count
  return { collected: each('collected'), uncollected: each('uncollected') }
}

/** @throws Error when this process may not have so many files open. */
async function open(
  crowd: Child<CrowdCalls>,
  { url }: ServerProcess,
  count: number,
  before: number,
): Promise<void> {
  const target = Number(new URL(url).port)
  for (let opened = 0; opened < count; ) {
    const more = Math.min(count - opened, BATCH)
    const done = await crowd.call.open({ habit: 'keeps alive', count: more, target })
    if (done < more) throw new Error(`This process may not open ${count} connections: see "ulimit -n".`)
    opened += done
    await crowd.call.untilAnswered(before + opened)
  }
}

async function memoryOf({ isNode }: Contestant, { pid }: ServerProcess, done: string): Promise<Cost> {
  await steady(pid)
  const uncollected = residentOf(pid)
  if (!isNode) return { uncollected, collected: uncollected }
  process.kill(pid, 'SIGWINCH')
  while (!existsSync(done)) await later(10)
  rmSync(done)
  return { uncollected, collected: residentOf(pid) }
}
