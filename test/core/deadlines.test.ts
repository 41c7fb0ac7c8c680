import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Deadlines, type Timed } from '../../core/deadlines.ts'

class Alarm implements Timed {
  deadline: number
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
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
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
