import type { Spread } from './stats.ts'

/** Rows under each other: the first column to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(cell.length, all[column] ?? 0)),
    [],
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
  const [head = [], ...body] = rows.map(line)
  return [head, '-'.repeat(head.length), ...body].join('\n')
}

/** `9.61`, or with its spread `1.10 (1.08..1.15)`. */
export const number = (value: number): string => value.toFixed(2)
export const withSpread = ({ median, min, max }: Spread): string =>
  `${number(median)} (${number(min)}..${number(max)})`
