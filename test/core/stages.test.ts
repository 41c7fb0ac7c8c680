import { Connect, Deliver, Handle, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { stageText } from '../../core/stages.ts'

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

describe('a stage is told by the name that is nearest', () => {
  test.each([
    ['handle', -320, 'Handle.Guard - 20'],
    ['handle', Handle.Guard, 'Handle.Guard'],
    ['handle', Handle.Match - 5, 'Handle.Match - 5'],
    ['handle', 190, 'Handle.Fallback - 10'],
    ['handle', -1000, 'Handle.Prepare - 500'],
    ['handle', 0.1 + 0.2, 'Handle.Route + 0.3'],
    // As near to one as to the other.
    ['handle', -290, 'Handle.Guard + 10'],
    ['transform', 99, 'Transform.Encode - 1'],
    ['deliver', Deliver.Headers + 50, 'Deliver.Headers + 50'],
    ['connection', Connect.Filter, 'Connect.Filter'],
    ['done', -500, '-500'],
  ])('%s %d: %s', (hook, stage, text) => {
    expect(stageText(hook, stage)).toBe(text)
  })
})
