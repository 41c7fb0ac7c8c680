import { expect } from 'vitest'
import type { Report } from './report.ts'
import { inRounds } from './rounds.ts'

/** A scenario must end well. */
export async function expectWell(play: () => Promise<Report>): Promise<void> {
  const { faults, excesses } = await inRounds(play)
  expect([...faults, ...excesses]).toEqual([])
}
