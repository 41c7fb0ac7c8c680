import { expect, test } from 'vitest'
import { ratiosOf, spreadOf } from './stats.ts'

test('the median is the middle value, or half way between the two in the middle', () => {
  expect(spreadOf([30, 1, 2])).toEqual({ median: 2, min: 1, max: 30 })
  expect(spreadOf([4, 10, 2, 3])).toEqual({ median: 3.5, min: 2, max: 10 })
  expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 })
})

test('the values stay in their order', () => {
  const values = [3, 1, 2]
  spreadOf(values)
  expect(values).toEqual([3, 1, 2])
})

test('no value has no median', () => {
  expect(() => spreadOf([])).toThrow(RangeError)
})

test('a ratio is taken round by round', () => {
  expect(ratiosOf([10, 30], [5, 10])).toEqual([2, 3])
  expect(() => ratiosOf([1], [])).toThrow('same number of rounds')
})
