import { expect, test } from 'vitest'
import { Entries } from '../../../plugins/cache/entries.ts'

const entry = (key: string, size = 1) => ({ key, size, isWanted: false, counted: 0 })

function of(...keys: string[]) {
  const entries = new Entries<ReturnType<typeof entry>>()
  for (const key of keys) entries.put(entry(key))
  const keysLeft = () => entries.all().map(({ key }) => key)
  return { entries, keysLeft }
}

test('without any question the oldest goes first', () => {
  const { entries, keysLeft } = of('a', 'b', 'c')
  entries.evict()
  expect(keysLeft()).toEqual(['b', 'c'])
})

test('who was asked for is spared once, and goes to the end of the line', () => {
  const { entries, keysLeft } = of('a', 'b', 'c')
  entries.ask('a')
  entries.evict()
  expect(keysLeft()).toEqual(['c', 'a'])
  entries.evict()
  entries.evict()
  expect(keysLeft()).toEqual([])
})

test('a look that is no question spares nobody', () => {
  const { entries, keysLeft } = of('a', 'b')
  entries.get('a')
  entries.evict()
  expect(keysLeft()).toEqual(['b'])
})

test('where all were asked for, one goes all the same, and no eviction goes through all of them', () => {
  const keys = Array.from({ length: 1_000 }, (_, i) => String(i))
  const { entries, keysLeft } = of(...keys)
  for (const key of keys) entries.ask(key)
  entries.evict()
  expect(keysLeft()).toHaveLength(999)
  // Those that come behind the spared ones are still marked.
  expect(entries.all().filter(({ isWanted }) => !isWanted)).toHaveLength(64)
})

test('the one that came last is spared where all others were asked for, and goes before them the next time', () => {
  const { entries, keysLeft } = of('a', 'b')
  entries.ask('a')
  entries.ask('b')
  entries.put(entry('c'))
  entries.evict()
  expect(keysLeft()).toEqual(['b', 'c'])
  entries.ask('b')
  entries.put(entry('d'))
  entries.evict()
  expect(keysLeft()).toEqual(['d', 'b'])
})

test('bytes are those of what is there, as they were when it was put', () => {
  const { entries } = of()
  const large = { ...entry('a'), size: 10 }
  entries.put(large)
  large.size = 30
  expect(entries.bytes).toBe(10)
  entries.put(large)
  expect(entries.bytes).toBe(30)
  entries.put(entry('b', 5))
  expect(entries.delete('a')).toBe(true)
  expect(entries.delete('a')).toBe(false)
  expect(entries.bytes).toBe(5)
  entries.clear()
  expect([entries.bytes, entries.size]).toEqual([0, 0])
})
