import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Child } from './child.ts'
import { BATCH, type CrowdCalls, type CrowdSettings, type HabitName, startCrowd } from './crowd.ts'
import { type HonestCalls, type Latencies, startHonest } from './honest.ts'
import { type Seen, SILENT } from './ledger.ts'
import { kernelRoom } from './memory.ts'
import { Findings, type Report, rounded, within } from './report.ts'
import { type ServerCalls, startTarget } from './server.ts'

/** A kind of slow clients. */
export type SlowKind = 'head' | 'body' | 'reader'

export interface SlowSize {
  /** Slow connections. */
  readonly count: number
  /** Honest requests before the attack, and as many behind it. */
  readonly alone: number
  /** How long an honest client may take, in milliseconds, when its p99 alone was this. */
  readonly allowed: (alone: number) => number
}

/** `npm run hostile`: figures of a machine that does nothing else. */
export const fullSlow: SlowSize = { count: 5_000, alone: 1_000, allowed: () => 50 }

/**
 * In CI other tests run at the same time, and a p99 of a millisecond is mostly luck: below 10 ms it counts as 10.
 */
export const smallSlow: SlowSize = { count: 500, alone: 500, allowed: alone => 5 * Math.max(alone, 10) }

/** Time-outs of the server, in milliseconds, all of them shorter than the attack would like. */
const limits = { headTimeout: 3_000, bodyTimeout: 2_000, writeTimeout: 3_000 }

/** What ends a connection, and when: the last two are the body's grace and when it is looked at. */
const deadlines: Readonly<Record<string, number>> = {
  'H1-HEAD-TIMEOUT': limits.headTimeout,
  [SILENT]: limits.headTimeout,
  'limits.bodyTimeout': limits.bodyTimeout,
  'limits.bodyMinRate': 5_000,
  'limits.writeTimeout': limits.writeTimeout,
}

/** How the clients of a kind behave, half of them each, and what must end them. */
const kinds: Readonly<Record<SlowKind, readonly (readonly [HabitName, string])[]>> = {
  head: [
    ['sends nothing', SILENT],
    ['trickles a head', 'H1-HEAD-TIMEOUT'],
  ],
  body: [
    ['stops in the body', 'limits.bodyTimeout'],
    ['trickles a body', 'limits.bodyMinRate'],
  ],
  reader: [['never reads', 'limits.writeTimeout']],
}

interface Cast {
  readonly server: Child<ServerCalls>
  readonly crowd: Child<CrowdCalls>
  readonly honest: Child<HonestCalls>
  readonly socket: string
}

/** Slow clients of one kind, with an honest one beside them. */
export async function slowClients(kind: SlowKind, size: SlowSize): Promise<Report> {
  const findings = new Findings(
    `${size.count} slow clients: ${kinds[kind].map(([habit]) => habit).join(', ')}`,
  )
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-hostile-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const socket = join(folder, 'socket')
  const server = stack.use(await startTarget({ limits, socket }))
  const [crowd, honest] = [stack.use(await startCrowd()), stack.use(await startHonest())]
  await attack({ server, crowd, honest, socket }, kind, size, findings)
  return findings
}

async function attack(cast: Cast, kind: SlowKind, size: SlowSize, findings: Findings): Promise<void> {
  const { server, crowd, honest, socket } = cast
  const port = await server.call.port()
  await latencies(honest, port, size.alone)
  const before = await latencies(honest, port, size.alone)
  await honest.call.start(port)
  const opened = await openAll(cast, groupsOf(kind, size.count, port, socket))
  const seen = await within(GIVE_UP, server.call.untilClosed(total(opened)), () => server.call.seen())
  const during = await honest.call.stop(size.alone)
  const after = await latencies(honest, port, size.alone)
  const stalls = (await server.call.longestStall()) + (await crowd.call.longestStall())
  findings.note(`connections opened: ${total(opened)}`)
  compare(findings, before, during, after, size)
  judgeEnds(findings, opened, seen, stalls)
}

/** Many times the longest deadline: only a connection that nothing ends is given up. */
const GIVE_UP = 25_000

async function latencies(honest: Child<HonestCalls>, port: number, count: number): Promise<Latencies> {
  await honest.call.start(port)
  return honest.call.stop(count)
}

type Group = CrowdSettings & { readonly reason: string }
type Opened = Map<string, number>

const total = (opened: Opened): number => [...opened.values()].reduce((sum, count) => sum + count, 0)

/** Who never reads fills the kernel's buffers, which all of the machine shares: the rest uses a Unix socket. */
function groupsOf(kind: SlowKind, count: number, port: number, socket: string): Group[] {
  return kinds[kind].flatMap(([habit, reason]) => {
    const share = Math.ceil(count / kinds[kind].length)
    const overTcp = habit === 'never reads' ? Math.min(share, kernelRoom()) : share
    const group = (target: number | string, part: number) => ({ habit, reason, target, count: part })
    return [group(port, overTcp), group(socket, share - overTcp)].filter(({ count: some }) => some > 0)
  })
}

async function openAll({ server, crowd }: Cast, groups: readonly Group[]): Promise<Opened> {
  const opened: Opened = new Map()
  for (const group of groups) {
    for (let left = group.count; left > 0; left -= BATCH) {
      const count = await crowd.call.open({ ...group, count: Math.min(left, BATCH) })
      opened.set(group.reason, (opened.get(group.reason) ?? 0) + count)
      await server.call.untilOpened(total(opened))
    }
  }
  return opened
}

function compare(
  findings: Findings,
  before: Latencies,
  during: Latencies,
  after: Latencies,
  { allowed }: SlowSize,
): void {
  // The machine may have other work at one of the two moments; the attack is compared with the worse one.
  const alone = Math.max(before.p99, after.p99)
  for (const [when, { p50, p99, max, count }] of Object.entries({ before, during, after })) {
    findings.note(
      `honest ${when}: p50 ${rounded(p50)} ms, p99 ${rounded(p99)} ms, max ${rounded(max)} ms of ${count}`,
    )
  }
  findings.atMost('honest p99 under attack', during.p99, allowed(alone), 'ms')
  const failed = before.failed + during.failed + after.failed
  findings.must(failed === 0, `${failed} honest requests failed`)
}

/** One look of the coarse timer, and one of what looks once a second. */
const COARSE = 1_500

function judgeEnds(findings: Findings, opened: Opened, seen: Seen, stalls: number): void {
  findings.must(seen.open === 0, `${seen.open} slow connections are still open`)
  for (const [reason, { count, soonest, latest }] of Object.entries(seen.closed)) {
    findings.note(`closed by ${reason}: ${count}, after ${rounded(soonest)} to ${rounded(latest)} ms`)
    const wanted = opened.get(reason) ?? 0
    opened.delete(reason)
    findings.must(count === wanted, `${reason} closed ${count} connections, it should close ${wanted}`)
    const deadline = deadlines[reason] ?? 0
    findings.must(soonest >= deadline - 20, `${reason}: closed after ${rounded(soonest)} ms, too soon`)
    const late = deadline + COARSE + 2 * stalls
    findings.must(
      latest <= late,
      `${reason}: closed after ${rounded(latest)} ms, too late (${rounded(late)})`,
    )
  }
  for (const [reason, count] of opened) findings.must(false, `${reason} closed none of ${count} connections`)
  findings.note(`longest stalls of server and crowd together: ${rounded(stalls)} ms`)
  for (const error of seen.errors) findings.must(false, `reported: ${error}`)
}
