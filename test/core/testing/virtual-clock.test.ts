import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as nodeTimeout } from 'node:timers'
import { setInterval as intervals, setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { rateLimit } from 'rawhttp/plugins/rate-limit'
import { testServer, virtualClock } from 'rawhttp/testing'
import { describe, expect, test } from 'vitest'

test('timers run at their time, in their order, and time is what they see', async () => {
  using clock = virtualClock({ now: 1_000_000 })
  const seen: string[] = []
  const note = (name: string) => () => void seen.push(`${name} ${Date.now()}`)
  setTimeout(note('late'), 500)
  setTimeout(note('soon'), 100)
  setTimeout(note('second of two'), 500)
  const beat = setInterval(note('beat'), 200)
  await clock.advance(500)
  clearInterval(beat)
  await clock.advance(500)
  expect(seen).toEqual([
    'soon 1000100',
    'beat 1000200',
    'beat 1000400',
    'late 1000500',
    'second of two 1000500',
  ])
  expect(clock.now).toBe(1_001_000)
  expect(clock.pending).toBe(0)
})

test('what a timer sets off has run before the next one comes', async () => {
  using clock = virtualClock()
  const seen: string[] = []
  setTimeout(async () => {
    await new Promise(resolve => setImmediate(resolve))
    setTimeout(() => void seen.push('set by the first'), 5)
  }, 10)
  setTimeout(() => void seen.push('the second'), 20)
  await clock.advance(30)
  expect(seen).toEqual(['set by the first', 'the second'])
})

test('a jump runs each timer once, however often it would have come', async () => {
  using clock = virtualClock()
  let beats = 0
  const beat = setInterval(() => beats++, 1_000)
  await clock.jump(3_600_000)
  expect(beats).toBe(1)
  await clock.advance(1_000)
  expect(beats).toBe(2)
  clearInterval(beat)
})

describe('the clock is the same however it is reached', () => {
  test('Date, performance and AbortSignal', async () => {
    using clock = virtualClock({ now: Date.UTC(2026, 0, 1) })
    const before = performance.now()
    const signal = AbortSignal.timeout(60_000)
    await clock.advance(59_999)
    expect(signal.aborted).toBe(false)
    await clock.advance(1)
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
    expect(new Date().toISOString()).toBe('2026-01-01T00:01:00.000Z')
    expect(new Date(0).getTime()).toBe(0)
    expect(new Date()).toBeInstanceOf(Date)
    expect(performance.now() - before).toBeCloseTo(60_000)
  })

  test('the functions of node:timers, their promises, and promisify', async () => {
    using clock = virtualClock()
    const seen: string[] = []
    nodeTimeout(() => void seen.push('node:timers'), 10)
    wait(20, 'value').then(value => seen.push(value))
    promisify(setTimeout)(30).then(() => seen.push('promisify'))
    const counts = async () => {
      for await (const count of intervals(40, 'interval')) return seen.push(count)
      return 0
    }
    const counted = counts()
    await clock.advance(40)
    await counted
    expect(seen).toEqual(['node:timers', 'value', 'promisify', 'interval'])
  })

  test('a wait ends with its signal', async () => {
    using clock = virtualClock()
    const controller = new AbortController()
    const waiting = wait(10, null, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError', cause: new Error('enough') })
    expect(clock.pending).toBe(0)
  })
})

test('a timer has the methods of Node, and the context that it was made in', async () => {
  using clock = virtualClock()
  const context = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const timer = context.run('mine', () => setTimeout(() => seen.push(context.getStore()), 10))
  expect([timer.hasRef(), timer.unref().hasRef(), timer.ref().hasRef()]).toEqual([true, false, true])
  await clock.advance(9)
  timer.refresh()
  await clock.advance(9)
  expect(seen).toEqual([])
  await clock.advance(1)
  expect(seen).toEqual(['mine'])
  clearTimeout(timer)
})

test('the real clock comes back, and there is only one at a time', () => {
  const before = { setTimeout, setInterval, clearTimeout, Date, now: performance.now, nodeTimeout, wait }
  {
    using _ = virtualClock()
    expect(nodeTimeout).not.toBe(before.nodeTimeout)
    expect(() => virtualClock()).toThrow('virtualClock: there is one already')
  }
  expect({ setTimeout, setInterval, clearTimeout, Date, now: performance.now, nodeTimeout, wait }).toEqual(
    before,
  )
  using again = virtualClock()
  expect(again.pending).toBe(0)
})

test('what a timer throws comes out where time passes', async () => {
  using clock = virtualClock()
  setTimeout(() => {
    throw new Error('late trouble')
  }, 10)
  await expect(clock.advance(10)).rejects.toThrow('late trouble')
})

test('a plugin with a window of an hour is tried in no time', async () => {
  using clock = virtualClock()
  await using served = await testServer([rateLimit({ limit: 1, window: '1h' })])
  const status = async () => (await served.inject('/')).status
  expect([await status(), await status()]).toEqual([404, 429])
  await clock.advance(3_600_000)
  expect(await status()).toBe(404)
})

test.each([Number.NaN, Infinity, -1, '1h' as never])('%s is no time that can pass', async time => {
  using clock = virtualClock()
  const before = clock.now
  for (const method of ['advance', 'jump'] as const)
    await expect(clock[method](time)).rejects.toThrow(`virtualClock: ${method}: expected milliseconds, got `)
  expect(clock.now).toBe(before)
})
