import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { workspace } from '../core/config/workspace.ts'
import { MB } from '../hostile/memory.ts'
import { Findings } from '../hostile/report.ts'
import type { Probe } from './probe.ts'
import type { Lost } from './tally.ts'
import { isOwn, judgeHandles, judgeLog, judgeMemory } from './verdict.ts'

const server = { killed: [{ pid: 7, from: 100, until: 110 }] }
const lost = (more: Partial<Lost>): Lost => ({
  ...{ kind: 'a', what: 'b', localPort: 5, worker: null, since: 90, until: 105 },
  ...more,
})

describe('a lost request is that of a killed worker', () => {
  it('by who has answered on its connection', () => {
    expect(isOwn(lost({ worker: 7 }), server, new Map())).toBe(true)
    expect(isOwn(lost({ worker: 8 }), server, new Map())).toBe(false)
  })

  it('by who had accepted its connection at that time', () => {
    const by = (worker: number, at: number) => new Map([[5, [[at, worker] as const]]])
    expect(isOwn(lost({}), server, by(7, 92))).toBe(true)
    expect(isOwn(lost({}), server, by(8, 92))).toBe(false)
    // The port belonged to another connection then.
    expect(isOwn(lost({ since: 95 }), server, by(8, 50))).toBe(true)
  })

  it('when nobody had accepted it, by whether it was there when one was killed', () => {
    expect(isOwn(lost({}), server, new Map())).toBe(true)
    expect(isOwn(lost({ since: 111, until: 120 }), server, new Map())).toBe(false)
    expect(isOwn(lost({ since: 80, until: 99 }), server, new Map())).toBe(false)
  })
})

describe('the log', () => {
  const judged = (log: string, answers: string) => {
    const dir = workspace()
    writeFileSync(join(dir, 'access.log'), log)
    writeFileSync(join(dir, 'answers'), answers)
    const findings = new Findings('log')
    return { ...judgeLog(dir, findings, server), faults: findings.faults }
  }
  const line = (id: number, worker = 8) => `soak/${id} 200 ${worker} sent end\n`

  it('is well with a line for each answer, but for those that a killed worker took along', () => {
    const { faults, lines, withKilled } = judged(line(1) + line(2), '1 8\n2 8\n3 7\n')
    expect([faults, lines, withKilled]).toEqual([[], 2, 1])
  })

  it.each([
    ['a line is missing', line(1), '1 8\n2 8\n', '1 answered requests have no line'],
    ['a line is there twice', line(1) + line(1), '1 8\n', '1 requests have several lines'],
    ['a line is torn', `soak/1 20${line(2)}`, '', 'a torn line: soak/1 20soak/2 200 8 sent end'],
    ['the last one is cut', line(1).slice(0, -3), '', 'the log ends within a line'],
  ])('is at fault when %s', (_, log, answers, fault) => {
    expect(judged(log, answers).faults).toContain(fault)
  })
})

describe('memory', () => {
  const probe = (heap: number, rss: number, descriptors = 9): Probe => ({
    ...{ heap: heap * MB, rss: rss * MB, uncollected: 0, descriptors, resources: { Timeout: 1 } },
  })
  const before = [probe(10, 80), probe(30, 150), probe(20, 120)]

  it('is flat when it has grown by no more than its share and what was imported', () => {
    const findings = new Findings('memory')
    judgeMemory(findings, before, [probe(10.9, 99), probe(37, 190), probe(20, 100)], 4 * MB)
    expect(findings.excesses).toEqual([])
  })

  it('of the primary may not grow by imports', () => {
    const findings = new Findings('memory')
    judgeMemory(findings, before, [probe(12, 101), probe(30, 150), probe(38, 192)], 4 * MB)
    expect(findings.excesses).toHaveLength(4)
  })

  it('and what is open are judged apart', () => {
    const findings = new Findings('handles')
    judgeHandles(findings, before, [probe(1, 1), probe(1, 1), probe(1, 1, 10)])
    expect(findings.faults).toEqual(['a worker has 10 descriptors, and had 9'])
  })
})
