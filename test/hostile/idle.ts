import type { Child } from './child.ts'
import { BATCH, type CrowdCalls, startCrowd } from './crowd.ts'
import type { Memory } from './memory.ts'
import { startNodeHttp } from './node-http.ts'
import { Findings, type Report, rounded } from './report.ts'
import { startTarget } from './server.ts'

/** What a server of either kind can be asked. */
interface Measured {
  port(): number
  memory(): Promise<Memory>
}

/** What one idle connection costs, in bytes. */
interface Cost extends Memory {
  readonly connections: number
}

/** Idle connections after one request each, on rawhttp and on node:http. */
export async function idleConnections(count: number, share: number): Promise<Report> {
  const findings = new Findings(`${count} idle keep-alive connections against node:http`)
  const ours = await costOf(await startTarget({ limits: { idleTimeout: '10m' }, watched: false }), count)
  const theirs = await costOf(await startNodeHttp(), count)
  for (const [name, cost] of Object.entries({ rawhttp: ours, 'node:http': theirs })) {
    const [heap, rss, uncollected] = [cost.heap, cost.rss, cost.uncollected].map(rounded)
    const figures = `${heap} bytes of heap, ${rss} of RSS, ${uncollected} before garbage is collected`
    findings.note(`${name}: ${figures}, for each of ${cost.connections}`)
  }
  // V8's room for garbage is the same for both, some 30 MB after so many requests, and does not grow with connections.
  // node:http keeps most of it outside of the heap, in its parsers: only the whole process tells.
  findings.atMost('share of RSS', ours.rss / theirs.rss, share, '')
  return findings
}

async function costOf(started: Child<Measured>, count: number): Promise<Cost> {
  await using server = started
  await using crowd = await startCrowd()
  const target = await server.call.port()
  // What the first connections bring about is not the cost of one more.
  const first = await openIdle(crowd, target, WARM, 0)
  const before = await server.call.memory()
  const connections = await openIdle(crowd, target, count, first)
  const after = await server.call.memory()
  const each = (name: keyof Memory): number => (after[name] - before[name]) / connections
  return { connections, rss: each('rss'), heap: each('heap'), uncollected: each('uncollected') }
}

const WARM = 1_000

/** Gives how many were opened, as descriptors allow. */
async function openIdle(
  crowd: Child<CrowdCalls>,
  target: number,
  count: number,
  before: number,
): Promise<number> {
  let opened = 0
  for (let left = count; left > 0; left -= BATCH) {
    opened += await crowd.call.open({ habit: 'keeps alive', count: Math.min(left, BATCH), target })
    await crowd.call.untilAnswered(before + opened)
  }
  return opened
}
