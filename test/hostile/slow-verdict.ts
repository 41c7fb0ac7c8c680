import type { Both } from './honest.ts'
import type { Seen } from './ledger.ts'
import { type Findings, rounded } from './report.ts'
import { deadlines } from './slow-kinds.ts'

/** What an honest client saw before, during and after an attack. */
export interface Phases {
  readonly before: Both
  readonly during: Both
  readonly after: Both
}

/**
 * The honest client's p99 against what it has without an attack: alone, or at the same moment at another server.
 * So a machine that has other work to do is not taken for a slow server.
 */
export function judgeHonest(findings: Findings, phases: Phases, allowed: (alone: number) => number): void {
  const { before, during, after } = phases
  for (const [when, both] of Object.entries(phases)) {
    for (const [where, { p50, p99, max, count }] of Object.entries(both as Both)) {
      const figures = `p50 ${rounded(p50)} ms, p99 ${rounded(p99)} ms, max ${rounded(max)} ms of ${count}`
      findings.note(`honest ${when}, ${where}: ${figures}`)
    }
  }
  const alone = Math.max(before.target.p99, after.target.p99, during.bystander.p99)
  findings.atMost('honest p99 under attack', during.target.p99, allowed(alone), 'ms')
  const failed = before.target.failed + during.target.failed + after.target.failed
  findings.must(failed === 0, `${failed} honest requests failed`)
}

/** Connections by what must end them. */
export type Opened = ReadonlyMap<string, number>

/** Whether each slow connection was ended by its own deadline, and in time. */
export function judgeEnds(findings: Findings, opened: Opened, seen: Seen, tolerance: number): void {
  findings.must(seen.open === 0, `${seen.open} slow connections are still open`)
  for (const [reason, { count, soonest, latest }] of Object.entries(seen.closed)) {
    findings.note(`closed by ${reason}: ${count}, after ${rounded(soonest)} to ${rounded(latest)} ms`)
    const wanted = opened.get(reason) ?? 0
    findings.must(count === wanted, `${reason} closed ${count} connections, it should close ${wanted}`)
    const deadline = deadlines[reason] ?? 0
    findings.must(soonest >= deadline - 20, `${reason}: closed after ${rounded(soonest)} ms, too soon`)
    const late = deadline + tolerance
    findings.must(latest <= late, `${reason}: closed after ${rounded(latest)} ms, too late (${late})`)
  }
  for (const [reason, count] of opened) {
    findings.must(seen.closed[reason] !== undefined, `${reason} closed none of ${count} connections`)
  }
  for (const error of seen.errors) findings.must(false, `reported: ${error}`)
}
