import { HttpResponse } from 'rawhttp'
import { testServer } from 'rawhttp/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { holdWallTime, releaseWallTime, wallTime } from '../../core/clock.ts'
import { get } from '../support/messages.ts'
import { answering } from '../support/server.ts'

const now = Date.UTC(1994, 10, 6, 8, 49, 37)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the wall clock', () => {
  test('is that of the process', () => {
    expect(wallTime()).toBe(now)
    vi.setSystemTime(now + 5)
    expect(wallTime()).toBe(now + 5)
  })

  test.each([1, 2])('is one moment while %i hold it, that of the first who asks', holders => {
    for (let i = 0; i < holders; i++) holdWallTime()
    vi.setSystemTime(now + 5)
    expect(wallTime()).toBe(now + 5)
    vi.setSystemTime(now + 10)
    expect(wallTime()).toBe(now + 5)
    for (let i = 0; i < holders; i++) releaseWallTime()
    expect(wallTime()).toBe(now + 10)
  })

  test('is never older than the moment at which one of them let go', () => {
    holdWallTime()
    expect(wallTime()).toBe(now)
    holdWallTime()
    releaseWallTime()
    vi.setSystemTime(now + 5)
    expect(wallTime()).toBe(now + 5)
    releaseWallTime()
  })
})

describe('a request', () => {
  test('is at the moment of its arrival in all that it runs at once, and the next of its chunk at another', async () => {
    const seen: number[][] = []
    await using served = await testServer([
      answering(request => {
        const before = wallTime()
        vi.setSystemTime(Date.now() + 5_000)
        seen.push([request.receivedAt, before, wallTime()])
        return HttpResponse.text('x')
      }),
    ])
    await using client = await served.connect()
    client.send(get().repeat(2))
    const answers = [await client.response(), await client.response()]
    expect(seen).toEqual([
      [now, now, now],
      [now + 5_000, now + 5_000, now + 5_000],
    ])
    // The Date is of the answer, not earlier than what a handler that takes its time says of it.
    const dates = answers.map(answer => Date.parse(answer.field('date')!))
    expect(dates).toEqual([now + 5_000, now + 10_000])
  })

  test('that is answered later has the Date of then, and the clock of then', async () => {
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    await using served = await testServer([
      answering(async () => {
        begun.resolve()
        await gate.promise
        return HttpResponse.text(String(wallTime()))
      }),
    ])
    await using client = await served.connect()
    client.send(get())
    await begun.promise
    vi.setSystemTime(now + 60_000)
    gate.resolve()
    const answer = await client.response()
    expect(answer.field('date')).toBe('Sun, 06 Nov 1994 08:50:37 GMT')
    expect(answer.body.toString()).toBe(String(now + 60_000))
  })

  test('does not hold the clock for what comes later, though a handler throws', async () => {
    await using served = await testServer([
      answering(() => {
        throw new Error('no')
      }),
    ])
    await using client = await served.connect()
    client.send(get())
    expect((await client.response()).status).toBe(500)
    vi.setSystemTime(now + 60_000)
    expect(wallTime()).toBe(now + 60_000)
  })
})
