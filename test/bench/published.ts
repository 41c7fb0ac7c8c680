import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { picture } from './picture.ts'
import { type RowResult, verdictsOf } from './result.ts'
import type { Verdict } from './targets.ts'

/** How the rounds of a row were made. */
export interface Method {
  /** The day, as `2026-11-23`. */
  readonly date: string
  readonly node: string
  readonly system: string
  readonly processor: string
  readonly rounds: number
  readonly requests: number
  readonly warmUp: number
}

/** A row with what became of its targets, and how it was measured. */
export interface PublishedRow extends RowResult {
  readonly verdicts: readonly Verdict[]
  readonly measured: Method
}

/** Adds to rows what is written about them. */
export const published = (results: readonly RowResult[], measured: Method): PublishedRow[] =>
  results.map(result => ({ ...result, verdicts: verdictsOf(result), measured }))

/** One sentence on how rows were measured: what they have in common, and from when to when. */
export function captionOf(rows: readonly PublishedRow[]): string {
  const days = rows.map(({ measured }) => measured.date).sort()
  const [first, last] = [days[0], days.at(-1)]
  const { node, system, processor } = rows[0]!.measured
  const least = (of: 'rounds' | 'requests') => Math.min(...rows.map(({ measured }) => measured[of]))
  const when = first === last ? first : `${first} to ${last}`
  return `Medians of ${least('rounds')} rounds of ${least('requests')} requests. Node ${node}, ${system}, ${processor}; ${when}.`
}

/**
 * Puts rows into a folder's benchmark.json, in the place of what it says of the same work, and draws benchmark.svg anew.
 *
 * @param order The ids of all rows, in the order in which they stand there; others are dropped.
 */
export function publish(folder: string, rows: readonly PublishedRow[], order: readonly string[]): void {
  const file = join(folder, 'benchmark.json')
  const before: readonly PublishedRow[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : []
  const byId = new Map([...before, ...rows].map(row => [row.id, row]))
  const all = order.map(id => byId.get(id)).filter(row => row !== undefined)
  writeRows(file, all)
  drawRows(join(folder, 'benchmark.svg'), all)
}

export const writeRows = (file: string, rows: readonly PublishedRow[]): void =>
  writeFileSync(file, `${JSON.stringify({ rows }, null, 2)}\n`)

export const drawRows = (file: string, rows: readonly PublishedRow[]): void =>
  writeFileSync(file, picture(rows, captionOf(rows)))
