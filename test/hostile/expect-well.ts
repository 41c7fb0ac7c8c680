import { expect } from 'vitest'
import { type Report, textOf } from './report.ts'

/** A report without faults. Its figures stand in the output, well or not. */
export function expectWell(report: Report): void {
  process.stdout.write(`${textOf(report)}\n`)
  expect(report.faults).toEqual([])
}
