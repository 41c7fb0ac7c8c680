import { expect, test } from 'vitest'
import { type Entry, overFloor, type RowResult, ratioTo, verdictsOf } from './result.ts'

const entry = (name: string, figures: readonly number[], user?: number): Entry => ({
  name,
  samples: figures.map(figure => ({ figure, user })),
})

const row = (entries: readonly Entry[]): RowResult => ({
  id: 'static',
  title: '1 kB',
  unit: 'µs',
  missing: [],
  targets: [
    { against: 'floor (node:net)', factor: 1.2 },
    { against: 'nginx', factor: 1.1 },
  ],
  entries,
})

test('the ratio of a row is of the first server to another', () => {
  expect(ratioTo(entry('rawhttp', [10, 20]), entry('nginx', [20, 10]))).toEqual({
    median: 1.25,
    min: 0.5,
    max: 2,
  })
})

test('a target against a server that took no part has no verdict', () => {
  const verdicts = verdictsOf(row([entry('rawhttp', [10]), entry('floor (node:net)', [9])]))
  expect(verdicts.map(({ against }) => against)).toEqual(['floor (node:net)'])
})

test('user time over the floor is taken round by round', () => {
  const own = entry('rawhttp', [10, 10, 10], 4)
  expect(overFloor(row([own, entry('floor (node:net)', [9, 9, 9], 3)]), own)?.median).toBe(1)
})

test('a row without a floor, or without CPU time, has none of it', () => {
  const own = entry('rawhttp', [10], 4)
  expect(overFloor(row([own]), own)).toBeNull()
  expect(overFloor(row([own, entry('floor (node:net)', [9])]), own)).toBeNull()
})
