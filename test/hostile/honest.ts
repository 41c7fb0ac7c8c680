import { Agent, get } from 'node:http'
import { type Child, offer, startChild } from './child.ts'

/** How long honest requests took, in milliseconds. */
export interface Latencies {
  readonly count: number
  readonly failed: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a scenario can ask the honest client's process. */
export type HonestCalls = ReturnType<typeof honest>

/** A client as there are many, in a process of its own: it must not notice who else is there. */
export const startHonest = (): Promise<Child<HonestCalls>> =>
  startChild<HonestCalls>(new URL(import.meta.url))

/** Milliseconds between two requests. The next one does not wait for an answer: a stall counts for all it meets. */
const SPACING = 4
/** Each so many requests a newcomer asks, with a connection of its own. */
const NEWCOMERS = 10

function honest() {
  const agent = new Agent({ keepAlive: true })
  let timer: NodeJS.Timeout | undefined
  let times: number[] = []
  let failed = 0
  let asked = 0
  let enough = Promise.withResolvers<void>()
  let wanted = Number.POSITIVE_INFINITY

  const ask = (port: number): void => {
    const start = performance.now()
    const connection = ++asked % NEWCOMERS === 0 ? new Agent() : agent
    const request = get({ port, host: '127.0.0.1', agent: connection, timeout: 30_000 }, response => {
      if (response.statusCode !== 200) failed++
      response.resume().once('end', () => took(performance.now() - start))
    })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', () => {
      failed++
      took(performance.now() - start)
    })
  }

  const took = (time: number): void => {
    times.push(time)
    if (times.length >= wanted) enough.resolve()
  }

  return {
    /** Begins to ask, and forgets what was before. */
    start(port: number): void {
      times = []
      failed = 0
      timer = setInterval(ask, SPACING, port)
    },
    /** Stops when at least so many requests were answered. */
    async stop(count: number): Promise<Latencies> {
      wanted = count
      enough = Promise.withResolvers()
      if (times.length < count) await enough.promise
      clearInterval(timer)
      return latenciesOf(times, failed)
    },
  }
}

function latenciesOf(times: readonly number[], failed: number): Latencies {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return { count: sorted.length, failed, p50: at(0.5), p99: at(0.99), max: at(1) }
}

if (process.argv[1] === import.meta.filename) offer(honest())
