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

  test('is one moment while it is held, that of the first who asks', () => {
    holdWallTime()
    vi.setSystemTime(now + 5)
    expect(wallTime()).toBe(now + 5)
    vi.setSystemTime(now + 10)
    expect(wallTime()).toBe(now + 5)
    releaseWallTime()
    expect(wallTime()).toBe(now + 10)
  })

  test('is held until the last one lets go, and is never older than who lets go in between', () => {
    holdWallTime()
    expect(wallTime()).toBe(now)
    holdWallTime()
    releaseWallTime()
    vi.setSystemTime(now + 5)
    expect(wallTime()).toBe(now + 5)
    vi.setSystemTime(now + 10)
    expect(wallTime()).toBe(now + 5)
    releaseWallTime()
    expect(wallTime()).toBe(now + 10)
  })
})

describe('requests of one chunk', () => {
  test('have come at one time, and are answered at it', async () => {
    const received: number[] = []
    await using served = await testServer([
      answering(request => {
        received.push(request.receivedAt)
        vi.setSystemTime(Date.now() + 5_000)
        return HttpResponse.text('x')
      }),
    ])
    await using client = await served.connect()
    client.send(get().repeat(2))
    const answers = [await client.response(), await client.response()]
    expect(received).toEqual([now, now])
    const dates = answers.map(answer => Date.parse(answer.field('date')!))
    expect(dates).toEqual([now, now])
  })

  test('that are answered later have the Date of then', async () => {
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    await using served = await testServer([
      answering(async () => {
        begun.resolve()
        await gate.promise
        return HttpResponse.text('x')
      }),
    ])
    await using client = await served.connect()
    client.send(get())
    await begun.promise
    vi.setSystemTime(now + 60_000)
    gate.resolve()
    const answer = await client.response()
    expect(answer.field('date')).toBe('Sun, 06 Nov 1994 08:50:37 GMT')
  })

  test('do not hold the clock for those that come later, though a handler throws', async () => {
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
