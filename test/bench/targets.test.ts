import { expect, test } from 'vitest'
import { judge } from './targets.ts'

const target = { against: 'floor', factor: 1.2 }

test('a target is met when the median ratio of the rounds is not above it', () => {
  expect(judge(target, [11, 12, 10], [10, 10, 10])).toMatchObject({ isMet: true, ratio: { median: 1.1 } })
  expect(judge(target, [13, 14, 15], [10, 10, 10])).toMatchObject({ isMet: false, isClear: true })
})

test('the rounds are compared with themselves, not the medians', () => {
  // A moment at which the machine was ten times slower is no difference.
  expect(judge(target, [11, 110, 11], [10, 100, 10])).toMatchObject({ isMet: true, isClear: true })
})

test('it is clear only if all rounds lie on one side', () => {
  expect(judge(target, [11, 11, 13], [10, 10, 10])).toMatchObject({ isMet: true, isClear: false })
  expect(judge(target, [12, 12, 12], [10, 10, 10])).toMatchObject({ isMet: true, isClear: true })
})

test('what may come on top is taken off before', () => {
  const start = { against: 'node', factor: 1.5, plus: 120 }
  expect(judge(start, [180], [40])).toMatchObject({ isMet: true, ratio: { median: 1.5 } })
  expect(judge(start, [181], [40])).toMatchObject({ isMet: false })
})
