import { Connect, Deliver, Handle, Transform } from 'rawhttp'
import { expect, test } from 'vitest'

const names = (stages: Readonly<Record<string, number>>) =>
  Object.entries(stages)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name)

test('connections meet the address before filters, TLS and other protocols', () => {
  expect(names(Connect)).toEqual(['Address', 'Filter', 'Secure', 'Protocol'])
})

test('guards and route matching come before what takes over and what caches, and those before what answers', () => {
  expect(names(Handle)).toEqual([
    'Prepare',
    'Early',
    'Guard',
    'Match',
    'Upgrade',
    'Cache',
    'Route',
    'Static',
    'Fallback',
  ])
})

test('a representation is shaped, then coded, then stored', () => {
  expect(names(Transform)).toEqual(['Shape', 'Encode', 'Store'])
  expect(names(Deliver)).toEqual(['Headers', 'Last'])
})

test('there is room for ten taps between any two, and nobody moves them', () => {
  for (const stages of [Connect, Handle, Transform, Deliver]) {
    const numbers = Object.values(stages).sort((a, b) => a - b)
    for (const [at, stage] of numbers.entries())
      if (at > 0) expect(stage - numbers[at - 1]!).toBeGreaterThan(10)
    expect(stages).toSatisfy(Object.isFrozen)
  }
})
