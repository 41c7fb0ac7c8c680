import { Agent, get, type IncomingMessage } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'

/** What clients have seen. */
export class Tally {
  answers = 0
  connections = 0
  readonly failures: string[] = []
  /** Loads that answered. */
  readonly numbers = new Set<string>()
}

/** A browser's part: one connection that is kept, and one request on it at a time. */
export class Client {
  readonly #agent: Agent
  readonly #url: string
  readonly #tally: Tally

  constructor(url: string, tally: Tally) {
    this.#url = url
    this.#tally = tally
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 })
  }

  /** Asks for a path; what comes must all be from one load of the config. */
  async ask(path: string, { pause = 0, until }: { pause?: number; until?: AbortSignal } = {}): Promise<void> {
    try {
      const answer = await this.#get(path)
      const number = String(answer.headers['x-number'])
      await read(answer, { number, pause, until })
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
      this.#tally.answers++
      this.#tally.numbers.add(number)
    } catch (error) {
      this.#tally.failures.push(`${path}: ${(error as Error).message}`)
    }
  }

  /** Asks again and again. */
  async browse(path: string, until: AbortSignal, pause = 0): Promise<void> {
    while (!until.aborted) {
      await this.ask(path, { pause })
      await after(Math.random() * 40)
    }
    this.#agent.destroy()
  }

  /** Follows a stream until it is enough, and comes back whenever the server ends it. */
  async follow(path: string, until: AbortSignal): Promise<void> {
    while (!until.aborted) await this.ask(path, { until })
    this.#agent.destroy()
  }

  #get(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = get(this.#url + path, { agent: this.#agent }, resolve)
      request.on('error', reject)
      request.on('socket', socket => {
        if (socket.connecting) this.#tally.connections++
      })
    })
  }
}

interface Reading {
  readonly number: string
  /** Milliseconds of rest after each chunk. */
  readonly pause: number
  /** Ends the answer from outside: it may have no end of its own. */
  readonly until: AbortSignal | undefined
}

async function read(answer: IncomingMessage, { number, pause, until }: Reading): Promise<void> {
  const words = new Set<string>()
  let rest = ''
  let isOver = false
  const leave = () => {
    isOver = true
    answer.destroy()
  }
  if (until?.aborted) leave()
  else until?.addEventListener('abort', leave, { once: true })
  try {
    for await (const chunk of answer.setEncoding('utf8')) {
      const text: string = rest + chunk
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      // The last word of an event stream, when to come back, is a number too.
      for (const word of text.slice(0, end).matchAll(/(?<!retry: )\b\d+/g)) words.add(word[0])
      if (pause > 0) await after(pause)
    }
  } catch (error) {
    if (!isOver) throw error
  }
  // A stream may be asked to end before its first event.
  if (until !== undefined && words.size === 0) return
  if (words.size !== 1 || !words.has(number))
    throw new Error(`said ${number} in its head, and ${[...words].join(', ')} in its body`)
}
