import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MB } from '../hostile/memory.ts'
import type { Findings } from '../hostile/report.ts'
import type { Probe } from './probe.ts'
import type { SoakServer } from './server.ts'
import { LOG_LINE } from './site.ts'
import type { Lost } from './tally.ts'

type Accepted = ReturnType<SoakServer['accepted']>

/** Milliseconds by which the clocks of two processes may differ, which count whole ones. */
const SLACK = 2

/**
 * Whether a request was lost with a killed worker: by what the connection was answered by before, else by who had
 * accepted it; one that nobody had accepted waited in the queue of the killed one if it was there when that ended.
 */
export function isOwn(lost: Lost, { killed }: Pick<SoakServer, 'killed'>, accepted: Accepted): boolean {
  const { worker, localPort, since, until } = lost
  const by = worker ?? accepterOf(localPort, accepted, since - SLACK, until + SLACK)
  if (by !== null) return killed.some(({ pid }) => pid === by)
  return killed.some(one => since <= one.until && one.from <= until)
}

function accepterOf(port: number | null, accepted: Accepted, since: number, until: number): number | null {
  const found = accepted.get(port ?? -1)?.find(([at]) => at >= since && at <= until)
  return found?.[1] ?? null
}

/** What the log has, against what clients have seen. */
export function judgeLog(
  dir: string,
  findings: Findings,
  { killed }: Pick<SoakServer, 'killed'>,
): LogFigures {
  const counts = new Map<string, number>()
  let lines = 0
  const text = readFileSync(join(dir, 'access.log'), 'utf8')
  findings.must(text.endsWith('\n'), 'the log ends within a line')
  for (const line of text.split('\n').slice(0, -1)) {
    // Probes of the soak itself, and messages without a head.
    if (/^(?:node|-) /.test(line)) continue
    lines++
    const id = LOG_LINE.exec(line)?.[1]
    findings.must(id !== undefined, `a torn line: ${line.slice(0, 100)}`)
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const doubles = [...counts.values()].filter(count => count > 1).length
  findings.must(doubles === 0, `${doubles} requests have several lines`)
  let withKilled = 0
  let missing = 0
  for (const answer of readFileSync(join(dir, 'answers'), 'utf8').split('\n').slice(0, -1)) {
    const [id = '', worker] = answer.split(' ')
    if (counts.has(id)) continue
    // A worker that is killed takes the lines of its last tenth of a second along.
    if (killed.some(({ pid }) => pid === Number(worker))) withKilled++
    else missing++
  }
  findings.must(missing === 0, `${missing} answered requests have no line`)
  return { lines, withKilled }
}

interface LogFigures {
  readonly lines: number
  /** Answered, without a line. */
  readonly withKilled: number
}

/** Memory that may be more at the end than after the warm-up, beside what imported modules take. */
const HEAP_SHARE = 0.1
const RSS_SHARE = 0.25

/**
 * Memory is flat when it is, at rest and collected, what it was at rest after the warm-up, but for the modules that
 * reloads have imported: V8 frees none. Nothing of it depends on how fast the machine is.
 */
export function judgeMemory(
  findings: Findings,
  before: readonly Probe[],
  after: readonly Probe[],
  imports: number,
): void {
  for (const [name, start, ends] of partsOf(before, after)) {
    const grown = name === 'primary' ? 0 : imports
    for (const end of ends) {
      findings.atMost(`heap of a ${name}`, end.heap / MB, (start.heap * (1 + HEAP_SHARE) + grown) / MB, 'MB')
      findings.atMost(`RSS of a ${name}`, end.rss / MB, (start.rss * (1 + RSS_SHARE) + grown) / MB, 'MB')
    }
  }
}

/** Nothing may be open that was not. */
export function judgeHandles(findings: Findings, before: readonly Probe[], after: readonly Probe[]): void {
  for (const [name, start, ends] of partsOf(before, after))
    for (const more of ends.flatMap(end => openedSince(start, end)))
      findings.must(false, `a ${name} has ${more}`)
}

/** What of a process is open that was not before, by its kind. */
export function openedSince(start: Probe, end: Probe): string[] {
  const had = handlesOf(start)
  return Object.entries(handlesOf(end))
    .filter(([kind, count]) => count > (had[kind] ?? 0))
    .map(([kind, count]) => `${count} ${kind}, and had ${had[kind] ?? 0}`)
}

/** Pipes are among the descriptors; whether one of them is active changes from one moment to the next. */
const handlesOf = ({ descriptors, resources }: Probe): Readonly<Record<string, number>> => ({
  descriptors,
  ...resources,
  PipeWrap: 0,
})

type Part = readonly [name: string, start: Probe, ends: readonly Probe[]]

/** The primary, and the workers, who may be others than at the start: the largest one of then counts. */
function partsOf(before: readonly Probe[], after: readonly Probe[]): readonly Part[] {
  const [primary, ...workers] = before
  const largest = workers.toSorted((one, other) => other.heap - one.heap)[0]!
  return [
    ['primary', primary!, after.slice(0, 1)],
    ['worker', largest, after.slice(1)],
  ]
}
