import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Budget } from '../../../plugins/inspector/budget.ts'

/** Who asks at each of these moments, and gets one. */
function taken(perSecond: number, moments: readonly number[]): number {
  let now = 0
  const budget = new Budget(perSecond, () => now)
  return moments.filter(moment => {
    now = moment
    return budget.take()
  }).length
}

test('a burst gets as many as are for a second, and then none', () => {
  expect(taken(5, Array(20).fill(0))).toBe(5)
})

test('what is spent comes back with time, evenly', () => {
  expect(taken(10, [...Array(10).fill(0), 99, 100, 101, 199, 200, 201])).toBe(12)
})

test('what nobody takes does not gather', () => {
  expect(taken(5, Array(20).fill(60_000))).toBe(5)
})

test('however requests come, a span never gets more than its seconds and one', () => {
  const moments = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 400 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), moments, (perSecond, given) => {
      const ascending = given.toSorted((a, b) => a - b)
      expect(taken(perSecond, ascending)).toBeLessThanOrEqual(
        perSecond * (1 + (ascending.at(-1) ?? 0) / 1_000),
      )
    }),
  )
})
