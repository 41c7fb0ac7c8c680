import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Deadlines, type Timed } from '../../core/deadlines.ts'

class Alarm implements Timed {
  deadline: number
  before: Timed | null = null
  after: Timed | null = null
  readonly rang: number[] = []
  readonly #then: (alarm: Alarm) => void

  constructor(deadline: number, then: (alarm: Alarm) => void = () => undefined) {
    this.deadline = deadline
    this.#then = then
  }

  expire(now: number): void {
    this.rang.push(now)
    this.deadline = Number.POSITIVE_INFINITY
    this.#then(this)
  }
}

describe('deadlines', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('expire after their time, late by at most one period', () => {
    const deadlines = new Deadlines(400)
    const start = deadlines.now()
    const alarms = [0, 50, 100, 101, 250].map(after => new Alarm(start + after))
    for (const alarm of alarms) deadlines.add(alarm)
    vi.advanceTimersByTime(1_000)
    expect(alarms.map(({ rang }) => rang.map(at => at - start))).toEqual([[100], [100], [200], [200], [300]])
  })

  test('that are put off in time do not expire', () => {
    const deadlines = new Deadlines(400)
    const alarm = new Alarm(deadlines.now() + 150)
    deadlines.add(alarm)
    vi.advanceTimersByTime(100)
    alarm.deadline = deadlines.now() + 500
    vi.advanceTimersByTime(400)
    expect(alarm.rang).toEqual([])
    vi.advanceTimersByTime(300)
    expect(alarm.rang).toHaveLength(1)
  })

  test('may be taken away, and set anew, while others expire', () => {
    const deadlines = new Deadlines(40)
    const second = new Alarm(deadlines.now() + 5)
    const third = new Alarm(deadlines.now() + 5)
    const first = new Alarm(deadlines.now() + 5, alarm => {
      deadlines.delete(second)
      if (alarm.rang.length < 3) alarm.deadline = deadlines.now() + 5
    })
    for (const alarm of [first, second, third]) deadlines.add(alarm)
    vi.advanceTimersByTime(100)
    expect([first, second, third].map(({ rang }) => rang.length)).toEqual([3, 0, 1])
  })

  test('that pass together leave turns to others in between, and expire once each', () => {
    const deadlines = new Deadlines(400)
    const alarms = Array.from({ length: 1_000 }, () => new Alarm(deadlines.now()))
    for (const alarm of alarms) deadlines.add(alarm)
    const rung = () => alarms.filter(({ rang }) => rang.length > 0).length
    const counts = [0]
    while (rung() < alarms.length) {
      vi.advanceTimersToNextTimer()
      counts.push(rung())
    }
    expect(Math.max(...counts.slice(1).map((count, at) => count - counts[at]!))).toBeLessThan(50)
    vi.advanceTimersByTime(1_000)
    expect(alarms.every(({ rang }) => rang.length === 1)).toBe(true)
  })

  test('that are put off or taken away while they wait for their turn do not expire', () => {
    const deadlines = new Deadlines(400)
    const alarms = Array.from({ length: 100 }, () => new Alarm(deadlines.now()))
    for (const alarm of alarms) deadlines.add(alarm)
    vi.advanceTimersToNextTimer()
    const [away, later] = alarms.slice(-2) as [Alarm, Alarm]
    deadlines.delete(away)
    later.deadline = deadlines.now() + 150
    vi.advanceTimersByTime(50)
    expect(alarms.map(({ rang }) => rang.length)).toEqual([...Array(98).fill(1), 0, 0])
    vi.advanceTimersByTime(1_000)
    expect([away.rang.length, later.rang.length]).toEqual([0, 1])
  })

  test('that came after all others had gone in the middle of a look expire too', () => {
    const deadlines = new Deadlines(400)
    const alarms = Array.from({ length: 100 }, () => new Alarm(deadlines.now()))
    for (const alarm of alarms) deadlines.add(alarm)
    vi.advanceTimersToNextTimer()
    for (const alarm of alarms) deadlines.delete(alarm)
    const late = new Alarm(deadlines.now() + 150)
    deadlines.add(late)
    vi.advanceTimersByTime(1_000)
    expect(late.rang).toHaveLength(1)
  })

  test('are looked at more often from the moment a shorter time-out is in use', () => {
    const deadlines = new Deadlines(60_000)
    const start = deadlines.now()
    const alarm = new Alarm(start)
    deadlines.add(alarm)
    deadlines.shortest = 100
    vi.advanceTimersByTime(1_000)
    expect(alarm.rang.map(at => at - start)).toEqual([25])
    vi.advanceTimersByTime(1_000)
    deadlines.delete(alarm)
    expect(vi.getTimerCount()).toBe(0)
    deadlines.shortest = 50
    expect(vi.getTimerCount()).toBe(0)
  })

  test('cost no timer while there are none', () => {
    const deadlines = new Deadlines(1_000)
    expect(vi.getTimerCount()).toBe(0)
    const alarms = [new Alarm(Number.POSITIVE_INFINITY), new Alarm(Number.POSITIVE_INFINITY)]
    for (const alarm of alarms) deadlines.add(alarm)
    expect(vi.getTimerCount()).toBe(1)
    deadlines.delete(alarms[0]!)
    expect(vi.getTimerCount()).toBe(1)
    deadlines.delete(alarms[1]!)
    deadlines.delete(alarms[1]!)
    expect(vi.getTimerCount()).toBe(0)
    deadlines.add(alarms[0]!)
    expect(vi.getTimerCount()).toBe(1)
  })

  test.each([
    [1, 10],
    [100, 25],
    [60_000, 500],
  ])('with a shortest time-out of %i ms are looked at every %i ms', (shortest, period) => {
    const deadlines = new Deadlines(shortest)
    const start = deadlines.now()
    const alarm = new Alarm(start)
    deadlines.add(alarm)
    vi.advanceTimersByTime(1_000)
    expect(alarm.rang[0]! - start).toBe(period)
  })
})

test('a look that takes longer than a period is not overtaken by the next one', async () => {
  const deadlines = new Deadlines(1)
  const { promise, resolve } = Promise.withResolvers<void>()
  const alarms = Array.from({ length: 64 }, () => new Alarm(deadlines.now()))
  for (const alarm of alarms) deadlines.add(alarm)
  // The first of them would ring again in every look; each of the others takes its time.
  const first = alarms[0]!
  first.deadline = Number.NEGATIVE_INFINITY
  first.expire = now => void first.rang.push(now)
  const last = alarms.at(-1)!
  for (const alarm of alarms.slice(1)) {
    alarm.expire = now => {
      alarm.rang.push(now)
      alarm.deadline = Number.POSITIVE_INFINITY
      const until = performance.now() + 1
      while (performance.now() < until);
      if (alarm === last) resolve()
    }
  }
  await promise
  for (const alarm of alarms) deadlines.delete(alarm)
  expect(first.rang).toHaveLength(1)
})
