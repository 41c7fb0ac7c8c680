import { ratiosOf, type Spread, spreadOf } from './stats.ts'

/** What rawhttp is to take at most, against another server of its row. */
export interface Target {
  /** The other's name. */
  readonly against: string
  /** Its figure times this ... */
  readonly factor: number
  /** ... and this on top, in the row's unit. Default: 0. */
  readonly plus?: number
}

/** What became of a target. */
export interface Verdict extends Target {
  readonly isMet: boolean
  /** The median ratio is judged; where the rounds lie on both sides of the factor it might be otherwise. */
  readonly isClear: boolean
  readonly ratio: Spread
}

/**
 * Compares round by round.
 *
 * @throws RangeError when the two have not the same number of rounds.
 */
export function judge(target: Target, ours: readonly number[], theirs: readonly number[]): Verdict {
  const { factor, plus = 0 } = target
  const ratio = spreadOf(
    ratiosOf(
      ours.map(figure => figure - plus),
      theirs,
    ),
  )
  const isClear = ratio.max <= factor || ratio.min > factor
  return { ...target, ratio, isMet: ratio.median <= factor, isClear }
}
