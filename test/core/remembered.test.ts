import { remembered } from 'rawhttp'
import { expect, test, vi } from 'vitest'

test('what was made of a text is made once', () => {
  const make = vi.fn((text: string) => text.toUpperCase())
  const of = remembered(make, 2)
  expect([of('a'), of('b'), of('a'), of('b')]).toEqual(['A', 'B', 'A', 'B'])
  expect(make).toHaveBeenCalledTimes(2)
})

test('no more texts are remembered than may be', () => {
  const make = vi.fn((text: string) => text)
  const of = remembered(make, 2)
  for (const text of ['a', 'b', 'c', 'c', 'a']) of(text)
  expect(make.mock.calls.flat()).toEqual(['a', 'b', 'c', 'a'])
})

test('a text of more than 256 characters is not remembered', () => {
  const make = vi.fn((text: string) => text.length)
  const of = remembered(make, 2)
  const [longest, longer] = ['x'.repeat(256), 'x'.repeat(257)]
  expect([of(longest), of(longest), of(longer), of(longer)]).toEqual([256, 256, 257, 257])
  expect(make).toHaveBeenCalledTimes(3)
})
