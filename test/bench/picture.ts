import { type Entry, figuresOf, type RowResult } from './result.ts'
import { spreadOf } from './stats.ts'

const width = 760
const label = 250
const barEnd = width - 70
const line = 20
const gap = 34

/**
 * The rows as bars, one under the other: shorter is better. It follows the colours that its reader's system has, and
 * needs no script and no font of its own.
 */
export function picture(results: readonly RowResult[], caption: string): string {
  let y = 0
  const groups = results.map(result => {
    const top = y
    y += gap + result.entries.length * line + 10
    return groupOf(result, top)
  })
  const height = y + 24
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>What a request costs: ${escaped(results.map(({ title }) => title).join('; '))}</title>`,
    `<style>${style}</style>`,
    ...groups,
    `<text class="note" x="0" y="${height - 6}">${escaped(caption)}</text>`,
    '</svg>\n',
  ].join('\n')
}

const style = [
  'text{font:13px system-ui,sans-serif;fill:#24292f}',
  '.title{font-weight:600}',
  '.note,.unit{fill:#57606a;font-size:12px}',
  '.bar{fill:#afb8c1}',
  '.own .bar{fill:#1f6feb}',
  '.own text{font-weight:600}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note,.unit{fill:#9198a1}.bar{fill:#484f58}}',
].join('')

function groupOf({ title, unit, entries }: RowResult, top: number): string {
  const middles = entries.map(entry => spreadOf(figuresOf(entry)).median)
  const longest = Math.max(...middles)
  const bars = entries.map((entry, place) =>
    barOf(entry, middles[place]!, longest, top + gap + place * line, place === 0),
  )
  const heading = `<text class="title" x="0" y="${top + 22}">${escaped(title)} <tspan class="unit">${escaped(unit)}</tspan></text>`
  return [heading, ...bars].join('\n')
}

function barOf({ name }: Entry, middle: number, longest: number, y: number, isOwn: boolean): string {
  const length = Math.max(1, ((barEnd - label) * middle) / longest).toFixed(1)
  const text = `<text x="${label - 8}" y="${y + 12}" text-anchor="end">${escaped(name)}</text>`
  const bar = `<rect class="bar" x="${label}" y="${y}" width="${length}" height="15" rx="2"/>`
  const figure = `<text x="${label + Number(length) + 6}" y="${y + 12}">${shown(middle)}</text>`
  return `<g${isOwn ? ' class="own"' : ''}>${text}${bar}${figure}</g>`
}

/** Three digits that count. */
const shown = (value: number): string => (value < 100 ? value.toPrecision(3) : value.toFixed(0))

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
