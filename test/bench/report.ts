import {
  type Entry,
  figuresOf,
  overFloor,
  type RowResult,
  ratioTo,
  type Sample,
  verdictsOf,
} from './result.ts'
import { type Spread, spreadOf } from './stats.ts'
import { type Group, groupedTable, number, withSpread } from './table.ts'
import type { Target, Verdict } from './targets.ts'

const head = [
  'server',
  'figure',
  'rawhttp is x of it',
  'target',
  'user over floor',
  'requests/s',
  'p99 ms',
  'peak MB',
  'bytes',
]

/** All rows as one table, with what did not take part under it. */
export function report(results: readonly RowResult[]): string {
  return [groupedTable(head, results.map(groupOf)), ...results.flatMap(notesOf)].join('\n')
}

function groupOf(result: RowResult): Group {
  const verdicts = verdictsOf(result)
  const rows = result.entries.map((entry, place) => [
    `  ${entry.name}`,
    figure(spreadOf(figuresOf(entry))),
    place === 0 ? '' : share(ratioTo(result.entries[0]!, entry)),
    targetCell(verdicts.find(({ against }) => against === entry.name)),
    cellOf(overFloor(result, entry), number),
    cellOf(
      middleOf(entry, ({ perSecond }) => perSecond),
      value => value.toFixed(0),
    ),
    cellOf(
      middleOf(entry, ({ p99 }) => p99),
      number,
    ),
    entry.peak === undefined ? '' : (entry.peak / 1_000_000).toFixed(0),
    entry.bytes === undefined ? '' : String(entry.bytes),
  ])
  return { title: `${result.title}, ${result.unit}`, rows }
}

/** Large figures need no decimals. */
function figure(spread: Spread): string {
  if (spread.median < 1_000) return withSpread(spread)
  const [median, min, max] = [spread.median, spread.min, spread.max].map(value => value.toFixed(0))
  return `${median} (${min}..${max})`
}

/** Small shares need one more. */
function share(spread: Spread): string {
  if (spread.median >= 0.1) return withSpread(spread)
  const [median, min, max] = [spread.median, spread.min, spread.max].map(value => value.toFixed(3))
  return `${median} (${min}..${max})`
}

const cellOf = (spread: Spread | null, show: (value: number) => string): string =>
  spread === null ? '' : show(spread.median)

function middleOf({ samples }: Entry, pick: (sample: Sample) => number | undefined): Spread | null {
  const values = samples.map(pick).filter(value => value !== undefined)
  return values.length === 0 ? null : spreadOf(values)
}

/** `<= 1.20: met 1.11`. The ratio is told again where something is added to it. */
function targetCell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return ''
  return `${limitOf(verdict)}: ${wordOf(verdict)}`
}

/** `<= 1.50 + 120`. */
const limitOf = ({ factor, plus = 0 }: Target): string =>
  `<= ${number(factor)}${plus === 0 ? '' : ` + ${plus}`}`

/** A target within the spread of the rounds is no claim in either direction. */
function wordOf({ isMet, isClear, plus = 0, ratio }: Verdict): string {
  const word = isMet ? 'met' : 'missed'
  const figure = plus === 0 ? '' : `, ${number(ratio.median)}`
  return `${word}${figure}${isClear ? '' : ', within the spread'}`
}

function notesOf({ title, entries, missing, targets }: RowResult): string[] {
  const notes = entries.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]))
  const fewer = entries.filter(({ requests = 0 }) => requests < (entries[0]?.requests ?? 0))
  const shares = fewer.map(({ name, requests }) => `${name}: only ${requests} requests a round`)
  const left = missing.map(({ name, why }) => `${name}: left out. ${why}`)
  const absent = targets.filter(({ against }) => missing.some(({ name }) => name === against))
  const open = absent.map(target => `${target.against}: target ${limitOf(target)} not measured`)
  const lines = [...notes, ...shares, ...left, ...open]
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map(line => `  ${line}`)]
}
