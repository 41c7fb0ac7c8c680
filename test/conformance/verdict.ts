import type { Outcome, Seen } from './judges.ts'

/** What two servers did at the first message that they do not treat alike: `accepts`, a refusal's code, or `nothing`. */
export interface Verdict {
  readonly ours: string
  readonly theirs: string
}

/** How two servers differ about the same bytes; null where they agree. The kind of refusal is no difference. */
export function verdict(ours: Outcome, theirs: Outcome): Verdict | null {
  let at = 0
  while (at < ours.requests.length && unlike(ours.requests[at], theirs.requests[at]) === '') at++
  const one = ours.requests[at]
  const other = theirs.requests[at]
  if (one !== undefined && other !== undefined)
    return { ours: 'accepts', theirs: `accepts with another ${unlike(one, other)}` }
  const pair = { ours: said(one, ours), theirs: said(other, theirs) }
  const isAlike = one === other && (ours.refusal === null) === (theirs.refusal === null)
  return isAlike ? null : pair
}

const said = (seen: Seen | undefined, { refusal }: Outcome): string =>
  seen === undefined ? (refusal ?? 'nothing') : 'accepts'

function unlike(one: Seen | undefined, other: Seen | undefined): string {
  if (one === undefined || other === undefined) return 'end'
  const names = ['method', 'target', 'body'] as const
  const parts = names.filter(name => String(one[name]) !== String(other[name]))
  return [...parts, ...unlikeFields(one.headers, other.headers)].join(', ')
}

/** Names of the fields of which not every line is the same. */
function unlikeFields(one: readonly string[], other: readonly string[]): string[] {
  if (String(one) === String(other)) return []
  const linesOf = (fields: readonly string[], name: string) =>
    String(fields.filter((_, index) => fields[index - (index % 2)] === name))
  const names = [...one, ...other].filter((_, index) => index % 2 === 0)
  const found = [...new Set(names)].filter(name => linesOf(one, name) !== linesOf(other, name))
  return found.length === 0 ? ['order of fields'] : found.map(name => `field ${name}`)
}
