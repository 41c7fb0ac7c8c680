import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { ExplainedError } from '../../../../core/cli/failure.ts'
import { Crew } from '../../../../core/cli/workers/crew.ts'
import type { WorkerProcess } from '../../../../core/cli/workers/worker-process.ts'

/** A worker that does what the test says. */
class TestWorker {
  readonly number: number
  readonly name: string
  age = 0
  readonly stops: string[] = []
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<string>()
  readonly ready = this.#ready.promise
  readonly ended = this.#ended.promise

  constructor(number: number, count: number) {
    this.number = number
    this.name = `worker ${number} (${count})`
  }

  stop(how: string): void {
    this.stops.push(how)
  }

  kill(): void {
    this.stops.push('killed')
  }

  async serve(): Promise<void> {
    this.#ready.resolve()
    await turn()
  }

  async fail(code: number): Promise<void> {
    this.#ready.reject(new ExplainedError({ code, text: 'why\n' }))
    await turn()
  }

  /** It ends, having served so many seconds. */
  async end(seconds: number): Promise<void> {
    this.age = seconds * 1_000
    this.#ended.resolve('ended with code 1')
    await turn()
  }
}

/** Timers are the test's, so nothing but promises goes on. */
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i++) await null
}

/** A crew of so many workers, those that it has started since, and what it has said. */
function crewOf(count: number) {
  const spawned: TestWorker[] = []
  const said: string[] = []
  const ends: string[] = []
  const came: string[] = []
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(text => said.push(String(text)) > 0)
  onTestFinished(() => write.mockRestore())
  const without: string[] = []
  const spawn = (number: number) => {
    const text = without.pop()
    if (text !== undefined) throw new ExplainedError({ code: 1, text })
    const worker = new TestWorker(number, spawned.length + 1)
    spawned.push(worker)
    return worker as unknown as WorkerProcess
  }
  const crew = new Crew({
    spawn,
    onCame: ({ name }) => came.push(name),
    onHopeless: why => ends.push(why),
  })
  crew.replace(Array.from({ length: count }, (_, at) => spawn(at + 1)))
  const names = () => crew.serving.map(({ name }) => name)
  return { crew, spawned, without, said, ends, came, names }
}

beforeEach(() => {
  vi.useFakeTimers()
  return () => void vi.useRealTimers()
})

/** Milliseconds from the end of a worker to the start of the next one. */
function pauseUntil(isSo: () => boolean): number {
  let time = 0
  for (; !isSo(); time += 100) vi.advanceTimersByTime(100)
  return time
}

describe('another worker takes the place of one that ends', () => {
  it.each([
    {
      lives: 'dies at once each time',
      seconds: 0,
      pauses: [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000],
    },
    {
      lives: 'serves for less than a minute each time',
      seconds: 59.9,
      pauses: [100, 200, 400, 800, 1_600, 3_200],
    },
    { lives: 'serves for a minute each time', seconds: 60, pauses: [100, 100, 100, 100, 100, 100, 100, 100] },
  ])('after $pauses ms, where it $lives', async ({ seconds, pauses }) => {
    // The second one serves all the time: nobody gives up.
    const { spawned, ends, came, said } = crewOf(2)
    const [first] = spawned
    const taken: number[] = []
    for (let worker = first!; taken.length < pauses.length; worker = spawned.at(-1)!) {
      const count = spawned.length
      await worker.end(seconds)
      taken.push(pauseUntil(() => spawned.length > count))
      await spawned.at(-1)!.serve()
    }
    expect([taken, ends]).toEqual([pauses, []])
    expect(came).toHaveLength(pauses.length)
    expect(said[0]).toBe('rawhttp: worker 1 (1) ended with code 1; another one starts in 0.1 s\n')
  })

  it('as if it were the first time, when one of those before has served for a minute', async () => {
    const { spawned } = crewOf(2)
    for (const seconds of [0, 0, 0, 60]) {
      await spawned
        .filter(({ number }) => number === 1)
        .at(-1)!
        .end(seconds)
      vi.advanceTimersByTime(400)
      await spawned.at(-1)!.serve()
    }
    expect(spawned).toHaveLength(6)
    await spawned.at(-1)!.end(1)
    expect(pauseUntil(() => spawned.length === 7)).toBe(200)
  })

  it('up to six times within less than a minute each, where no other serves', async () => {
    const { spawned, ends } = crewOf(1)
    for (let round = 0; round < 6; round++) {
      expect(ends).toEqual([])
      await spawned.at(-1)!.end(30)
      vi.advanceTimersByTime(10_000)
      await spawned.at(-1)!.serve()
    }
    expect(ends).toEqual(['worker 1 (6) ended with code 1, 6 failures in a row, and no other serves'])
  })

  it('also where one that starts has not come to serve, but not for a mistake in the config', async () => {
    const { spawned, names, crew, said } = crewOf(2)
    await spawned[0]!.end(0)
    vi.advanceTimersByTime(100)
    await spawned[2]!.fail(1)
    vi.advanceTimersByTime(200)
    expect(spawned).toHaveLength(4)
    await spawned[3]!.fail(78)
    vi.advanceTimersByTime(1e6)
    expect([spawned.length, names()]).toEqual([4, ['worker 2 (2)']])
    expect(said.at(-1)).toBe(
      'rawhttp: worker 1 (4) did not come to serve; another one starts with the next reload\n',
    )
    crew.startWaiting()
    await spawned[4]!.serve()
    expect(names()).toEqual(['worker 2 (2)', 'worker 1 (5)'])
  })

  it('also where the system has no room for a process at first', async () => {
    const { spawned, without, said, names } = crewOf(2)
    without.push('no room\n', 'no room\n')
    await spawned[0]!.end(0)
    vi.advanceTimersByTime(100)
    expect(said.slice(1)).toEqual([
      'no room\n',
      'rawhttp: worker 1 did not come to serve; another one starts in 0.2 s\n',
    ])
    vi.advanceTimersByTime(200)
    expect(pauseUntil(() => spawned.length === 3)).toBe(400)
    await spawned[2]!.serve()
    expect(names()).toEqual(['worker 2 (2)', 'worker 1 (3)'])
  })

  it('unless fresh ones have filled it by the time that it starts or serves', async () => {
    const { crew, spawned, names } = crewOf(2)
    await spawned[0]!.end(0)
    await spawned[1]!.end(0)
    vi.advanceTimersByTime(100)
    await spawned[2]!.serve()
    await spawned[2]!.end(0)
    const fresh = [new TestWorker(1, 8), new TestWorker(2, 9)] as unknown as WorkerProcess[]
    expect(crew.replace(fresh)).toEqual([])
    await spawned[3]!.serve()
    expect(spawned[3]!.stops).toEqual(['replaced'])
    vi.advanceTimersByTime(1e6)
    expect([spawned.length, names()]).toEqual([4, ['worker 1 (8)', 'worker 2 (9)']])
  })

  it('never behind a stop', async () => {
    const { crew, spawned, said } = crewOf(2)
    await spawned[0]!.end(0)
    crew.stop()
    await spawned[1]!.end(0)
    vi.advanceTimersByTime(1e6)
    expect([spawned.length, said.length]).toEqual([2, 1])
  })
})

describe('a worker that leaves', () => {
  it('at a signal is counted on no longer, and replaced unless the signal was for all', async () => {
    const { crew, spawned, names, said } = crewOf(2)
    const [first, second] = crew.serving
    crew.replaceLeaving(first!)
    expect([names(), spawned[0]!.stops, said]).toEqual([['worker 2 (2)'], ['usual'], []])
    await spawned[0]!.end(0)
    vi.advanceTimersByTime(100)
    expect(said).toEqual(['rawhttp: worker 1 (1) was told to end; another one starts in 0.1 s\n'])
    vi.advanceTimersByTime(100)
    expect(spawned.map(({ number }) => number)).toEqual([1, 2, 1])
    crew.replaceLeaving(second!)
    vi.advanceTimersByTime(99)
    crew.stop()
    vi.advanceTimersByTime(1e6)
    expect([spawned.length, said.length]).toEqual([3, 1])
  })

  it('because the others cannot have its config is replaced when a config has been loaded well', async () => {
    const { crew, spawned, names } = crewOf(2)
    crew.dismiss(crew.serving[1]!)
    await spawned[1]!.end(0)
    vi.advanceTimersByTime(1e6)
    expect([spawned.length, names(), spawned[1]!.stops]).toEqual([2, ['worker 1 (1)'], ['replaced']])
    crew.startWaiting()
    crew.startWaiting()
    expect(spawned.map(({ number }) => number)).toEqual([1, 2, 2])
  })

  it('when nobody counts on it any more is not replaced once more', async () => {
    const { crew, spawned } = crewOf(2)
    const [first] = crew.serving
    crew.replaceOne(first!, 'did something')
    crew.replaceOne(first!, 'did something')
    crew.replaceLeaving(first!)
    await spawned[0]!.end(0)
    vi.advanceTimersByTime(1e6)
    expect([spawned.length, spawned[0]!.stops]).toEqual([3, ['usual']])
  })
})
