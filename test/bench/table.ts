import type { Spread } from './stats.ts'

/** Rows under each other: the first column to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  return groupedTable(head, [{ title: null, rows: body }])
}

/** Rows that belong together, under a line of their own. */
export interface Group {
  readonly title: string | null
  readonly rows: readonly (readonly string[])[]
}

/** One table of several groups, whose columns are as wide in all of them. */
export function groupedTable(head: readonly string[], groups: readonly Group[]): string {
  const widths = widthsOf([head, ...groups.flatMap(({ rows }) => rows)])
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
  const first = line(head)
  const body = groups.flatMap(({ title, rows }) => [
    ...(title === null ? [] : ['', title]),
    ...rows.map(line),
  ])
  return [first, '-'.repeat(first.length), ...body].join('\n')
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(cell.length, all[column] ?? 0)),
    [],
  )
}

/** `9.61`, or with its spread `1.10 (1.08..1.15)`. */
export const number = (value: number): string => value.toFixed(2)
export const withSpread = ({ median, min, max }: Spread): string =>
  `${number(median)} (${number(min)}..${number(max)})`
