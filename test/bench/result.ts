import { ratiosOf, type Spread, spreadOf } from './stats.ts'
import { judge, type Target, type Verdict } from './targets.ts'

/** What one round has shown of one server. */
export interface Sample {
  /** The figure of the row, in its unit. */
  readonly figure: number
  /** The part of it that the server spent outside of the kernel, if the figure is CPU time. */
  readonly user?: number | undefined
  readonly perSecond?: number | undefined
  /** In milliseconds. */
  readonly p99?: number | undefined
}

/** All rounds of one server. */
export interface Entry {
  readonly name: string
  readonly samples: readonly Sample[]
  /** Requests of a round. */
  readonly requests?: number | undefined
  /** Of a response. */
  readonly bytes?: number | undefined
  /** The most memory that it had, in bytes. */
  readonly peak?: number | undefined
  /** A sentence that stands under the row. */
  readonly note?: string | undefined
}

/** What a row has shown: the first entry is rawhttp. */
export interface RowResult {
  readonly id: string
  readonly title: string
  /** Of each figure: `µs CPU a request`. */
  readonly unit: string
  readonly entries: readonly Entry[]
  /** Servers that could not take part, with the reason. */
  readonly missing: readonly { readonly name: string; readonly why: string }[]
  readonly targets: readonly Target[]
}

/** Takes the middle of the rounds, and where they lie. */
export const figuresOf = ({ samples }: Entry): number[] => samples.map(({ figure }) => figure)

/** How much of another server's figure rawhttp's is, round by round. */
export const ratioTo = (ours: Entry, theirs: Entry): Spread =>
  spreadOf(ratiosOf(figuresOf(ours), figuresOf(theirs)))

/** What became of a row's targets. One against a server that took no part has no verdict. */
export function verdictsOf({ entries, targets }: RowResult): Verdict[] {
  const [ours] = entries
  return targets.flatMap(target => {
    const theirs = entries.find(({ name }) => name === target.against)
    return theirs === undefined ? [] : [judge(target, figuresOf(ours!), figuresOf(theirs))]
  })
}

/** User time above that of the row's floor, round by round; null where there is none. */
export function overFloor({ entries }: RowResult, entry: Entry): Spread | null {
  const floor = entries.find(({ name }) => name.startsWith('floor'))
  const [theirs, own] = [floor, entry].map(each => each?.samples.map(({ user }) => user ?? Number.NaN))
  if (theirs === undefined || own === undefined || Number.isNaN(own[0]! - theirs[0]!)) return null
  return spreadOf(own.map((user, round) => user - theirs[round]!))
}
