import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Child } from './child.ts'
import { BATCH, type CrowdCalls, startCrowd } from './crowd.ts'
import { type Both, type HonestCalls, startHonest } from './honest.ts'
import { startNodeHttp } from './node-http.ts'
import { Findings, type Report, rounded, within } from './report.ts'
import { type ServerCalls, startTarget } from './server.ts'
import { type Group, groupsOf, habitsOf, limits, type SlowKind } from './slow-kinds.ts'
import { judgeEnds, judgeHonest } from './slow-verdict.ts'

export interface SlowSize {
  /** Slow connections. */
  readonly count: number
  /** Honest requests before the attack, and as many behind it. */
  readonly alone: number
  /** How long an honest client may take, in milliseconds, when its p99 alone was this. */
  readonly allowed: (alone: number) => number
  /** How late a deadline may be kept, in milliseconds, stalls apart. */
  readonly late: number
}

/** `npm run hostile`: figures of a machine that does nothing else. Late: a look of the coarse timer and of the speed. */
export const fullSlow: SlowSize = { count: 5_000, alone: 1_000, allowed: () => 50, late: 1_500 }

/** In CI a machine may have other work: no clock decides there, but each connection has to end by its own deadline. */
export const smallSlow: SlowSize = {
  count: 500,
  alone: 300,
  allowed: alone => 5 * alone,
  late: Number.POSITIVE_INFINITY,
}

interface Cast {
  readonly server: Child<ServerCalls>
  readonly crowd: Child<CrowdCalls>
  readonly honest: Child<HonestCalls>
}

/** Slow clients of one kind, with an honest one beside them. */
export async function slowClients(kind: SlowKind, size: SlowSize): Promise<Report> {
  const findings = new Findings(`${size.count} slow clients: ${habitsOf(kind)}`)
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-hostile-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const socket = join(folder, 'socket')
  const server = stack.use(await startTarget({ limits, socket }))
  const bystander = stack.use(await startNodeHttp())
  const crowd = stack.use(await startCrowd())
  const port = await server.call.port()
  const honest = stack.use(await startHonest(port, await bystander.call.port()))
  await attack({ server, crowd, honest }, groupsOf(kind, size.count, port, socket), size, findings)
  return findings
}

async function attack(
  { server, crowd, honest }: Cast,
  groups: readonly Group[],
  { alone, allowed, late }: SlowSize,
  findings: Findings,
): Promise<void> {
  // The first of them make the compiler do its work.
  await latencies(honest, alone)
  const before = await latencies(honest, alone)
  await honest.call.start()
  const opened = await openAll(server, crowd, groups)
  const seen = await within(GIVE_UP, server.call.untilClosed(total(opened)), () => server.call.seen())
  const during = await honest.call.stop(alone)
  const after = await latencies(honest, alone)
  const stalls = (await server.call.longestStall()) + (await crowd.call.longestStall())
  findings.note(`connections opened: ${total(opened)}`)
  judgeHonest(findings, { before, during, after }, allowed)
  findings.note(`longest stalls of server and crowd together: ${rounded(stalls)} ms`)
  judgeEnds(findings, opened, seen, late + 2 * stalls)
}

/** Many times the longest deadline: only a connection that nothing ends is given up. */
const GIVE_UP = 25_000

async function latencies(honest: Child<HonestCalls>, count: number): Promise<Both> {
  await honest.call.start()
  return honest.call.stop(count)
}

/**
 * Each client that does not read has the kernel copy up to 4 MB into its buffers, some milliseconds of the server's
 * time whoever the server is: what is measured here is what such connections cost while they are held.
 */
const FEW = 8
/** Others come in so many parts: accepting them takes time as well, which is not what is measured. */
const PARTS = 10

/** Gives how many were opened of those that one deadline must end. */
async function openAll(
  server: Child<ServerCalls>,
  crowd: Child<CrowdCalls>,
  groups: readonly Group[],
): Promise<Map<string, number>> {
  const opened = new Map<string, number>()
  for (const group of groups) {
    const batch = group.habit === 'never reads' ? FEW : Math.min(BATCH, Math.ceil(group.count / PARTS))
    for (let left = group.count; left > 0; left -= batch) {
      const count = await crowd.call.open({ ...group, count: Math.min(left, batch) })
      opened.set(group.reason, (opened.get(group.reason) ?? 0) + count)
      await server.call.untilOpened(total(opened))
    }
  }
  return opened
}

const total = (opened: ReadonlyMap<string, number>): number =>
  [...opened.values()].reduce((sum, count) => sum + count, 0)
