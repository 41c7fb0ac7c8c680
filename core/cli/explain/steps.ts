import { printable } from '../../errors.ts'
import type { TapStep, TraceChange, TracedBody, TraceStep } from '../../trace/types.ts'
import { inColumns, styled } from '../columns.ts'

/** A step, and what stands below it. */
interface Branch {
  /** The columns of a tap; the sentence of the kernel. */
  readonly row: readonly string[] | string
  readonly below: readonly string[]
}

/** What stands together: the taps of one hook, or what the kernel did between two. */
interface Group {
  readonly name: string
  readonly branches: Branch[]
}

/** The steps as a tree: hook by hook, a line for each tap, and its changes below it. */
export function stepLines(steps: readonly TraceStep[]): string[] {
  const groups: Group[] = []
  for (const step of steps) {
    const name = step.by === 'kernel' ? 'kernel' : step.hook
    if (groups.at(-1)?.name !== name) groups.push({ name, branches: [] })
    groups.at(-1)!.branches.push({ row: rowOf(step), below: step.changes.map(changeText) })
  }
  const rows = inColumns(
    groups.flatMap(({ branches }) => branches.flatMap(({ row }) => (typeof row === 'string' ? [] : [row]))),
    ['bold', 'dim', null, null],
  )
  return groups.flatMap(({ name, branches }) => [
    styled('cyan', name),
    ...branches.flatMap((branch, place) =>
      branchLines(
        branch,
        typeof branch.row === 'string' ? branch.row : rows.shift()!,
        place === branches.length - 1,
      ),
    ),
  ])
}

function branchLines({ below }: Branch, line: string, isLast: boolean): string[] {
  const trunk = isLast ? '   ' : '│  '
  return [`${isLast ? '└─ ' : '├─ '}${line}`, ...below.map(text => `${trunk}   ${text}`)]
}

function rowOf(step: TraceStep): Branch['row'] {
  if (step.by === 'kernel') {
    const section = step.section === null ? '' : ` (${step.section})`
    const status = step.status === null ? '' : `${step.status}  `
    return `${status}${printable(step.note)}${section}`
  }
  const { plugin, tap, stageName, milliseconds } = step
  const label = tap === plugin || tap.startsWith(`${plugin}:`) ? tap : `${tap} of ${plugin}`
  const stage = /^-?\d/.test(stageName) ? (stageName === '0' ? '' : `stage ${stageName}`) : stageName
  return [
    label,
    stage,
    milliseconds === null ? '' : `${milliseconds.toFixed(2)} ms`.padStart(9),
    resultText(step),
  ]
}

function resultText({ result, status, note }: TapStep): string {
  switch (result) {
    case 'answered':
      return styled('green', `answered ${status}`)
    case 'threw':
      return styled(
        'red',
        `threw ${status === null ? 'an error' : `HttpError ${status}`}: ${printable(note ?? '')}`,
      )
    case 'changed':
      return styled('yellow', 'changed the response')
    case 'not-asked':
      return styled('dim', `not asked: ${note}`)
    case 'out-of-scope':
      return styled('dim', 'out of scope')
    case 'unfinished':
      return styled('red', 'did not come back')
    default:
      return 'passed'
  }
}

function changeText(change: TraceChange): string {
  if (change.what === 'request') return printable(change.note)
  if (change.what === 'status') return `status ${change.from} -> ${change.to}`
  if (change.what === 'body') return `body: ${bodyText(change.from)} -> ${bodyText(change.to)}`
  const { name, from, to, rule } = change
  const why =
    rule === null
      ? ''
      : styled('dim', `  the kernel: ${rule.text}${rule.section === null ? '' : ` (${rule.section})`}`)
  if (to === null) return `${name} removed${why}`
  return `${name}: ${from === null ? '' : `${printable(from)} -> `}${printable(to)}${why}`
}

/** A body in words. */
export function bodyText({ kind, bytes }: TracedBody, sent?: number): string {
  if (kind === 'none') return 'none'
  const size = bytes ?? sent
  const name = kind === 'made-when-sent' ? 'made when it is sent' : kind
  return size === undefined ? name : `${name}, ${size} bytes`
}
