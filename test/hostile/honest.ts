import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { type Child, offer, settingsOf, startChild } from './child.ts'

/** How long honest requests took, in milliseconds. */
interface Latencies {
  readonly count: number
  readonly failed: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What one client saw in the same time at two servers. */
export interface Both {
  readonly target: Latencies
  /** A server that nobody attacks: what is slow there, the machine is to blame for. */
  readonly bystander: Latencies
}

/** What a scenario can ask the honest client's process. */
export type HonestCalls = ReturnType<typeof honest>

/** A client as there are many, in a process of its own: it must not notice who else is there. */
export const startHonest = (target: number, bystander: number): Promise<Child<HonestCalls>> =>
  startChild<HonestCalls>(new URL(import.meta.url), [target, bystander])

/** Milliseconds between two requests. The next one does not wait for an answer: a stall counts for all it meets. */
const SPACING = 4
/** Each so many requests a newcomer asks, with a connection of its own. */
const NEWCOMERS = 10

/** Asks one server, and notes how long it takes. */
class Asker {
  readonly #port: number
  // It leaves before a server that closes idle connections could meet its next request.
  readonly #agent = new Agent({ keepAlive: true, timeout: 1_000 })
  #times: number[] = []
  #failed = 0
  #asked = 0

  constructor(port: number) {
    this.#port = port
  }

  get answered(): number {
    return this.#times.length
  }

  get isWaiting(): boolean {
    return this.#times.length < this.#asked
  }

  forget(): void {
    this.#times = []
    this.#failed = 0
    this.#asked = 0
  }

  async ask(): Promise<void> {
    const start = performance.now()
    const agent = ++this.#asked % NEWCOMERS === 0 ? new Agent() : this.#agent
    const isGood = await answered(this.#port, agent).catch(() => false)
    this.#times.push(performance.now() - start)
    if (!isGood) this.#failed++
  }

  latencies(): Latencies {
    const sorted = this.#times.toSorted((a, b) => a - b)
    const { length: count } = sorted
    const at = (share: number): number => sorted[Math.min(count - 1, Math.floor(count * share))]!
    return { count, failed: this.#failed, p50: at(0.5), p99: at(0.99), max: at(1) }
  }
}

async function answered(port: number, agent: Agent): Promise<boolean> {
  const request = get({ port, host: '127.0.0.1', agent, timeout: 30_000 })
  request.on('timeout', () => request.destroy(new Error('no answer')))
  const [response] = await once(request, 'response')
  await once(response.resume(), 'end')
  return response.statusCode === 200
}

function honest(ports: readonly number[]) {
  const [target, bystander] = ports.map(port => new Asker(port)) as [Asker, Asker]
  const both = [target, bystander]
  let timer: NodeJS.Timeout | undefined
  const turn = (): Promise<unknown> => new Promise(resolve => setTimeout(resolve, SPACING))
  return {
    /** Begins to ask, and forgets what was before. */
    start(): void {
      for (const asker of both) asker.forget()
      timer = setInterval(() => {
        for (const asker of both) void asker.ask()
      }, SPACING)
    },
    /** Stops when so many requests were answered, and all that were asked. */
    async stop(count: number): Promise<Both> {
      while (target.answered < count) await turn()
      clearInterval(timer)
      while (both.some(asker => asker.isWaiting)) await turn()
      return { target: target.latencies(), bystander: bystander.latencies() }
    },
  }
}

if (process.argv[1] === import.meta.filename) offer(honest(settingsOf<number[]>()))
