import { expect, test } from 'vitest'
import { table, withSpread } from './table.ts'

test('names stand to the left, numbers to the right', () => {
  const rows = [
    ['name', 'µs'],
    ['a long name', '9.61'],
    ['b', '12.00'],
  ]
  expect(table(rows)).toBe(
    ['name            µs', '------------------', 'a long name   9.61', 'b            12.00'].join('\n'),
  )
})

test('a spread says the median and how far the rounds went', () => {
  expect(withSpread({ median: 1.1, min: 1.084, max: 1.2 })).toBe('1.10 (1.08..1.20)')
})
