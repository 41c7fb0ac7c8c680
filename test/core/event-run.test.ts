import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { HttpRequest, type ServerEvent } from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'
import { Deadlines } from '../../core/deadlines.ts'
import { EventRun, type EventsSource } from '../../core/event-run.ts'
import { eventText } from '../../core/event-text.ts'
import { Retirement } from '../../core/retirement.ts'
import { TestSource } from '../support/event-source.ts'
import { turns } from '../support/turns.ts'

const times = { heartbeat: 15_000, reconnectWithin: 0 }
const comment = { done: false, value: ':\n\n' }
const over = { done: true, value: undefined }
const piece = (event: ServerEvent | string) => ({
  done: false,
  value: eventText(typeof event === 'string' ? { data: event } : event),
})

/** A run whose clock the test winds, for a request that the test may ask to end. */
function running(source: EventsSource, options: Partial<typeof times> = {}) {
  const request = new HttpRequest({ method: 'GET', target: '/' })
  const retirement = new Retirement()
  request.retirement = retirement
  const deadlines = new Deadlines(40)
  const members = { add: vi.spyOn(deadlines, 'add'), delete: vi.spyOn(deadlines, 'delete') }
  const report = vi.fn()
  const run = new EventRun(source, { ...times, ...options }, { request, deadlines, report })
  const retire = () => retirement.begin(new Error('the server stops'))
  return { run, request, report, members, retire, ring: () => run.expire(run.deadline + 1) }
}

async function textsOf(run: EventRun): Promise<string[]> {
  const texts: string[] = []
  for await (const text of run) texts.push(text)
  return texts
}

describe('a pause', () => {
  test('is bridged by a comment once the time is over, and the event behind it is not lost', async () => {
    const source = new TestSource()
    const { run, ring } = running(source)
    const first = run.next()
    expect(run.deadline).toBeGreaterThan(performance.now() + 14_000)
    ring()
    expect(await first).toEqual(comment)
    const second = run.next()
    ring()
    expect(await second).toEqual(comment)
    source.give('a')
    expect(await run.next()).toEqual(piece('a'))
    expect(source.pulls).toBe(1)
  })

  test('begins anew with each event', async () => {
    const source = new TestSource()
    const { run } = running(source)
    source.give('a')
    await run.next()
    const before = performance.now()
    void run.next()
    expect(run.deadline).toBeGreaterThanOrEqual(before + 15_000)
  })

  test('of the reader is none: a client that takes its time finds no comments waiting', async () => {
    const source = new TestSource()
    const { run } = running(source)
    expect(run.deadline).toBe(Number.POSITIVE_INFINITY)
    source.give('a')
    await run.next()
    expect(run.deadline).toBe(Number.POSITIVE_INFINITY)
  })

  test('is not bridged while the client has not taken what was written', async () => {
    const source = new TestSource()
    const { run, request, ring } = running(source)
    const sink = { hasQueued: true }
    request.sink = sink as never
    const next = run.next()
    const due = run.deadline
    ring()
    expect(run.deadline).toBe(due + 1 + 15_000)
    sink.hasQueued = false
    ring()
    expect(await next).toEqual(comment)
  })

  test('may be as long as it likes with heartbeat 0', async () => {
    const { run, members } = running(new TestSource(), { heartbeat: 0 })
    void run.next()
    expect(run.deadline).toBe(Number.POSITIVE_INFINITY)
    expect(members.add).not.toHaveBeenCalled()
  })

  test('is not looked for any more when the stream is over, in whatever way', async () => {
    const ways: ((run: EventRun, source: TestSource) => void)[] = [
      (_run, source) => source.give(null),
      (_run, source) => source.give({ id: '\0' }),
      run => run.destroy(),
    ]
    for (const way of ways) {
      const source = new TestSource()
      const { run, members } = running(source)
      const next = run.next().catch(() => null)
      way(run, source)
      await next
      expect(members.delete).toHaveBeenCalledWith(run)
    }
  })
})

test('every event arrives once and in order, wherever comments come between', async () => {
  const event = fc.record({ id: fc.nat().map(String), data: fc.string() })
  const step = fc.oneof(event, fc.constant('ring' as const), fc.constant('turn' as const))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const source = new TestSource()
      const { run, ring } = running(source)
      const reading = textsOf(run)
      for (const each of steps) {
        if (each === 'turn') await turns(1)
        else if (each === 'ring') ring()
        else source.give(each)
      }
      source.give(null)
      const events = steps.filter(each => typeof each === 'object')
      expect((await reading).filter(text => text !== ':\n\n')).toEqual(events.map(each => eventText(each)))
    }),
    { numRuns: 200 },
  )
})

describe('a stream that the server asks to end', () => {
  test('ends at once, and tells its source', async () => {
    const source = new TestSource()
    let given: AbortSignal | undefined
    const { run, retire, report } = running(({ signal }) => {
      given = signal
      return source.until(signal)
    })
    const next = run.next()
    expect(given?.aborted).toBe(false)
    retire()
    expect(await next).toEqual(over)
    expect(given?.reason).toMatchObject({ message: 'the server stops' })
    await source.ended
    expect(await run.next()).toEqual(over)
    expect(report).not.toHaveBeenCalled()
  })

  test('ends at once also when its source hears of nothing', async () => {
    const source = new TestSource()
    const { run, retire } = running(source)
    const next = run.next()
    retire()
    expect(await next).toEqual(over)
    source.give('too late')
    await source.ended
    expect(await run.next()).toEqual(over)
  })

  test('hands over what has arrived before, then ends', async () => {
    const source = new TestSource()
    const { run, retire, ring } = running(source)
    const next = run.next()
    ring()
    await next
    source.give('a')
    await turns(2)
    retire()
    expect([await run.next(), await run.next()]).toEqual([piece('a'), over])
  })

  test('tells each client another moment to come back at, within the time', async () => {
    const moments = new Set<number>()
    for (let i = 0; i < 50; i++) {
      const { run, retire } = running(new TestSource(), { reconnectWithin: 1_000 })
      const next = run.next()
      retire()
      const { value } = await next
      const [, moment] = /^retry: (\d+)\n\n$/.exec(value!)!
      moments.add(Number(moment))
      expect(await run.next()).toEqual(over)
    }
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...moments)).toBeLessThanOrEqual(1_000)
    expect(moments.size).toBeGreaterThan(10)
  })

  test('leaves the moment alone that its source has told', async () => {
    const source = new TestSource()
    const { run, retire } = running(source, { reconnectWithin: 1_000 })
    source.give({ retry: 30_000 })
    await run.next()
    const next = run.next()
    retire()
    expect(await next).toEqual(over)
  })

  test('begins no source when it was asked before', async () => {
    const source = vi.fn(() => new TestSource())
    const { run, retire } = running(source, { reconnectWithin: 1_000 })
    retire()
    expect((await run.next()).value).toMatch(/^retry: /)
    expect(await run.next()).toEqual(over)
    expect(source).not.toHaveBeenCalled()
  })

  test('destroys a source that was open before it began', async () => {
    const source = new PassThrough({ objectMode: true })
    const { run, retire } = running(source)
    retire()
    expect(await run.next()).toEqual(over)
    expect(source.destroyed).toBe(true)
  })

  test('destroys the stream that its function has made, which hears of no signal', async () => {
    const source = new PassThrough({ objectMode: true })
    const { run, retire, report } = running(() => source)
    const next = run.next()
    retire()
    expect(await next).toEqual(over)
    expect(source.destroyed).toBe(true)
    await turns(2)
    expect(report).not.toHaveBeenCalled()
  })

  test.each([
    ['the reason itself', (reason: Error) => reason, 0],
    ["Node's AbortError", (reason: Error) => Object.assign(new Error('x', { cause: reason })), 0],
    ['any AbortError', () => new DOMException('x', 'AbortError'), 0],
    ['another error', () => new Error('the database is gone'), 1],
  ])('takes %s of its source for what it is', async (_, errorOf, reports) => {
    const { run, retire, report } = running(async function* ({ signal }) {
      yield 'a'
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      throw errorOf(signal.reason)
    })
    await run.next()
    const next = run.next()
    retire()
    expect(await next).toEqual(over)
    await turns(2)
    expect(report).toHaveBeenCalledTimes(reports)
    if (reports > 0) expect(report).toHaveBeenCalledWith(errorOf(new Error()))
  })
})

describe('a source', () => {
  test('that is returned fails in silence when its client has left', async () => {
    const { run, report } = running(async function* ({ signal }) {
      yield 'a'
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      throw new Error('no')
    })
    await run.next()
    const next = run.next()
    await run.return()
    expect(await next).toEqual(over)
    await turns(2)
    expect(report).not.toHaveBeenCalled()
  })

  test('ends when it gives what is no event', async () => {
    const source = new TestSource()
    const { run } = running(source)
    source.give({ id: 'a\nb' })
    await expect(run.next()).rejects.toThrow('events: id must be one line')
    await source.ended
    expect(await run.next()).toEqual(over)
  })
})
