import { closeSync, openSync, writeSync } from 'node:fs'

/** A request that had no whole answer, and what is known of its connection. */
export interface Lost {
  readonly kind: string
  readonly what: string
  readonly localPort: number | null
  /** The worker that had answered on the connection before. */
  readonly worker: number | null
  /** When the connection was begun, and when it was over. */
  readonly since: number
  readonly until: number
}

/** What clients have seen, in numbers and sentences. */
export interface Seen {
  readonly begun: number
  readonly answers: number
  readonly left: number
  readonly again: number
  readonly lost: readonly Lost[]
  readonly wrong: readonly string[]
}

/** Sentences that are kept: the first ones tell what is wrong. */
const KEPT = 20

/** Counts requests. Each has a name of its own, under which it stands in the server's log. */
export class Tally {
  /** The number of the load that all workers have: what is asked from now on must not be answered by an older one. */
  floor = 0
  readonly #file: number
  readonly #lost: Lost[] = []
  readonly #wrong: string[] = []
  #begun = 0
  #answers = 0
  #left = 0
  #again = 0
  #lines = ''

  /** @param file Gets a line for each answer: the request's name and the worker. */
  constructor(file: string) {
    this.#file = openSync(file, 'w')
  }

  begin(): { readonly id: string; readonly floor: number } {
    return { id: String(++this.#begun), floor: this.floor }
  }

  answered(id: string, worker: number): void {
    this.#answers++
    this.#lines += `${id} ${worker}\n`
    if (this.#lines.length > 65_536) this.flush()
  }

  /** The client has gone before an answer. */
  leave(): void {
    this.#left++
  }

  /** The server had announced the end of the connection before it came to this one. */
  again(): void {
    this.#again++
  }

  wrong(sentence: string): void {
    if (this.#wrong.length < KEPT) this.#wrong.push(sentence)
  }

  lose(lost: Omit<Lost, 'until'>): void {
    this.#lost.push({ ...lost, until: Date.now() })
  }

  flush(): void {
    writeSync(this.#file, this.#lines)
    this.#lines = ''
  }

  close(): void {
    this.flush()
    closeSync(this.#file)
  }

  seen(): Seen {
    return {
      begun: this.#begun,
      answers: this.#answers,
      left: this.#left,
      again: this.#again,
      lost: this.#lost,
      wrong: this.#wrong,
    }
  }
}
