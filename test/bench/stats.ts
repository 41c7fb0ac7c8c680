/** The middle of some numbers, and how far they go. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws RangeError when there is no value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) throw new RangeError('There is no median of no values.')
  const half = (sorted.length - 1) / 2
  return { median: (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2, min, max }
}

/** What each value is of the one beside it: rounds are compared with themselves, so slow ones do not mislead. */
export function ratiosOf(values: readonly number[], floor: readonly number[]): number[] {
  if (values.length !== floor.length) throw new RangeError('Both sides need the same number of rounds.')
  return values.map((value, round) => value / floor[round]!)
}
