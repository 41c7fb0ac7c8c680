import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Styles text for stdout: a pipe, a file and who has set NO_COLOR get it plain. */
export const styled = (style: Style, text: string): string =>
  text === '' ? '' : styleText(style, text, { stream: process.stdout })

/**
 * Rows of cells in columns as wide as their widest cell, two spaces apart. `styles` has a style for each column. A cell of
 * more than `most` characters widens no column: what stands behind it in its own row moves, and the other rows do not.
 */
export function inColumns(
  rows: readonly (readonly string[])[],
  styles: readonly (Style | null)[],
  most = Infinity,
): string[] {
  const lengths = (column: number) =>
    rows.map(row => row[column]?.length ?? 0).filter(length => length <= most)
  const widths = styles.map((_, column) => Math.max(0, ...lengths(column)))
  return rows.map(row => {
    const last = row.findLastIndex(cell => cell !== '')
    return row
      .slice(0, last + 1)
      .map((cell, column) => {
        const style = styles[column] ?? null
        const gap = column === last ? '' : ' '.repeat(Math.max(0, widths[column]! - cell.length) + 2)
        return `${style === null ? cell : styled(style, cell)}${gap}`
      })
      .join('')
  })
}
