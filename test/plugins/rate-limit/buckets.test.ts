import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Buckets } from '../../../plugins/rate-limit/buckets.ts'
import { type Policy, policyOf } from '../../../plugins/rate-limit/policy.ts'

const SECOND = 1_000_000

const policy = (limit: number, window: number, burst = limit) => policyOf('p', { limit, window, burst })

/** Takes so many tokens at a time, and gives how many there were. */
function taken(buckets: Buckets, of: Policy, now: number, count: number, key = 'a', room = 1_000): number {
  let allowed = 0
  for (let i = 0; i < count; i++) if (buckets.take(key, of, now, room).isAllowed) allowed++
  return allowed
}

describe('a bucket', () => {
  test('gives as many tokens at once as it holds, and then one each interval', () => {
    const buckets = new Buckets()
    const ten = policy(10, 60)
    expect(taken(buckets, ten, 0, 20)).toBe(10)
    expect(taken(buckets, ten, 6 * SECOND - 1, 20)).toBe(0)
    expect(taken(buckets, ten, 6 * SECOND, 20)).toBe(1)
    expect(taken(buckets, ten, 18 * SECOND, 20)).toBe(2)
  })

  test('is full again after a window, and never fuller', () => {
    const buckets = new Buckets()
    expect(taken(buckets, policy(10, 60), 0, 20)).toBe(10)
    expect(taken(buckets, policy(10, 60), 600 * SECOND, 20)).toBe(10)
  })

  test('of another burst gives that many at once at the same rate', () => {
    const buckets = new Buckets()
    const two = policy(10, 60, 2)
    expect(taken(buckets, two, 0, 20)).toBe(2)
    expect(taken(buckets, two, 6 * SECOND, 20)).toBe(1)
    expect(taken(buckets, two, 600 * SECOND, 20)).toBe(2)
    const hundred = policy(1, 1, 100)
    expect(taken(buckets, hundred, 0, 200, 'b')).toBe(100)
  })

  test('does not make those wait longer who go on asking', () => {
    const buckets = new Buckets()
    taken(buckets, policy(1, 1), 0, 1_000)
    expect(taken(buckets, policy(1, 1), SECOND, 1)).toBe(1)
  })

  test('says what is left, and how long it takes until there is more', () => {
    const buckets = new Buckets()
    const three = policy(3, 60)
    const take = (now: number) => buckets.take('a', three, now, 1_000)
    expect(take(0)).toEqual({ isAllowed: true, remaining: 2, wait: 20 * SECOND })
    expect(take(0)).toEqual({ isAllowed: true, remaining: 1, wait: 40 * SECOND })
    expect(take(0)).toEqual({ isAllowed: true, remaining: 0, wait: 20 * SECOND })
    expect(take(0)).toEqual({ isAllowed: false, remaining: 0, wait: 20 * SECOND })
    expect(take(5 * SECOND)).toEqual({ isAllowed: false, remaining: 0, wait: 15 * SECOND })
    expect(take(20 * SECOND)).toEqual({ isAllowed: true, remaining: 0, wait: 20 * SECOND })
    expect(take(50 * SECOND)).toEqual({ isAllowed: true, remaining: 0, wait: 10 * SECOND })
  })

  test('that a reload has made smaller makes nobody wait for the old one', () => {
    const buckets = new Buckets()
    taken(buckets, policy(100, 1_000), 0, 100)
    expect(taken(buckets, policy(2, 10), 5 * SECOND, 5)).toBe(0)
    expect(buckets.take('a', policy(2, 10), 5 * SECOND, 1_000).wait).toBe(5 * SECOND)
  })

  test('gives what a bucket does that is filled by hand, whoever asks when', () => {
    // Many clients and few tokens: buckets fill, and go, while others are in use.
    const asks = fc.array(
      fc.record({ after: fc.nat({ max: SECOND }), key: fc.constantFrom(...'abcdefghijklmnopqrst') }),
      {
        minLength: 100,
        maxLength: 200,
      },
    )
    const sizes = fc.record({
      limit: fc.integer({ min: 1, max: 20 }),
      window: fc.integer({ min: 1, max: 20 }),
      burst: fc.integer({ min: 1, max: 30 }),
    })
    fc.assert(
      fc.property(sizes, asks, ({ limit, window, burst }, all) => {
        const of = policy(limit, window, burst)
        const buckets = new Buckets()
        const filled = new Map<string, { tokens: number; at: number }>()
        let now = 0
        for (const { after, key } of all) {
          now += after
          const { tokens, at } = filled.get(key) ?? { tokens: burst * of.interval, at: now }
          // In parts of a token, so that nothing is rounded.
          const held = Math.min(burst * of.interval, tokens + now - at)
          const isAllowed = held >= of.interval
          const left = isAllowed ? held - of.interval : held
          filled.set(key, { tokens: left, at: now })
          const verdict = buckets.take(key, of, now, 1_000)
          expect(verdict.isAllowed).toBe(isAllowed)
          expect(verdict.remaining).toBe(Math.floor(left / of.interval))
        }
      }),
    )
  })

  test('is right when the time that it names has passed, and not before', () => {
    const sizes = fc.record({
      limit: fc.integer({ min: 1, max: 999 }),
      window: fc.integer({ min: 1, max: 999 }),
    })
    fc.assert(
      fc.property(sizes, fc.nat({ max: 10 * SECOND }), ({ limit, window }, start) => {
        const buckets = new Buckets()
        const of = policy(limit, window)
        expect(taken(buckets, of, start, limit + 1)).toBe(limit)
        const { wait } = buckets.take('a', of, start, 1_000)
        expect(buckets.take('a', of, start + wait - 1, 1_000).isAllowed).toBe(false)
        expect(buckets.take('a', of, start + wait, 1_000).isAllowed).toBe(true)
      }),
    )
  })
})

describe('a table of buckets', () => {
  test('never holds more than it has room for, however many come', () => {
    const buckets = new Buckets()
    for (let i = 0; i < 100_000; i++) buckets.take(`k${i}`, policy(5, 60), i, 1_000)
    expect(buckets.size).toBe(1_000)
    expect(buckets.evicted).toBe(99_000)
  })

  test('forgets full buckets when others come, so that those who left take no room', () => {
    const buckets = new Buckets()
    for (let i = 0; i < 900; i++) buckets.take(`old${i}`, policy(5, 5), 0, 1_000)
    for (let i = 0; i < 2_000; i++) buckets.take(`new${i}`, policy(5, 5), 10 * SECOND, 5_000)
    expect(buckets.size).toBeLessThan(2_450)
    expect(buckets.evicted).toBe(0)
  })

  test('does not free who has used a limit up, though a million others come after', () => {
    const buckets = new Buckets()
    const of = policy(5, 3_600)
    const abusers = Array.from({ length: 20 }, (_, i) => `abuser${i}`)
    for (const key of abusers) {
      for (let i = 0; i < 40; i++) buckets.take(`before ${key} ${i}`, of, 0, 1_000)
      expect(taken(buckets, of, 0, 6, key)).toBe(5)
    }
    for (let i = 0; i < 1_000_000; i++) buckets.take(`flood${i}`, of, i, 1_000)
    for (const key of abusers) expect(taken(buckets, of, SECOND, 5, key), key).toBe(0)
  })

  test('shrinks to its room bit by bit when a reload has made that smaller', () => {
    const buckets = new Buckets()
    for (let i = 0; i < 1_000; i++) buckets.take(`k${i}`, policy(5, 60), 0, 1_000)
    buckets.take('one', policy(5, 60), 0, 100)
    expect(buckets.size).toBe(999)
    for (let i = 0; i < 2_000; i++) buckets.take(`n${i}`, policy(5, 60), 0, 100)
    expect(buckets.size).toBe(100)
  })
})
