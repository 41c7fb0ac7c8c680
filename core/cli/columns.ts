import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Styles text for stdout: a pipe, a file and who has set NO_COLOR get it plain. */
export const styled = (style: Style, text: string): string =>
  text === '' ? '' : styleText(style, text, { stream: process.stdout })

/** Rows of cells in columns as wide as their widest cell, two spaces apart. `styles` has a style for each column. */
export function inColumns(rows: readonly (readonly string[])[], styles: readonly (Style | null)[]): string[] {
  const widths = styles.map((_, column) => Math.max(0, ...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => {
    const last = row.findLastIndex(cell => cell !== '')
    return row
      .slice(0, last + 1)
      .map((cell, column) => {
        const style = styles[column] ?? null
        const gap = column === last ? '' : ' '.repeat(widths[column]! - cell.length + 2)
        return `${style === null ? cell : styled(style, cell)}${gap}`
      })
      .join('')
  })
}
