import type { ServerEvent } from 'rawhttp'

/** A source of events that come when the test says so, and that tells how it was treated. */
export class TestSource implements AsyncIterable<ServerEvent | string> {
  pulls = 0
  /** When its `finally` has run. */
  readonly ended: Promise<void>
  #markEnded!: () => void
  readonly #events: (ServerEvent | string | null)[] = []
  #wake: (() => void) | null = null
  #onPull: (() => void) | null = null

  constructor() {
    this.ended = new Promise(resolve => {
      this.#markEnded = resolve
    })
  }

  /** Gives an event; null ends the source. */
  give(event: ServerEvent | string | null): void {
    this.#events.push(event)
    this.#wake?.()
  }

  /** When so many events were asked for: all before that have gone on their way. */
  pulled(count: number): Promise<void> {
    return new Promise(resolve => {
      this.#onPull = () => {
        if (this.pulls >= count) resolve()
      }
      this.#onPull()
    })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerEvent | string> {
    yield* this.until()
  }

  /** The events until a signal aborts. Without one the source hears of no end while it waits. */
  async *until(signal?: AbortSignal): AsyncGenerator<ServerEvent | string> {
    const isOver = () => signal?.aborted === true
    signal?.addEventListener('abort', () => this.#wake?.())
    try {
      while (!isOver()) {
        this.pulls++
        this.#onPull?.()
        while (this.#events.length === 0 && !isOver()) await this.#change()
        const event = this.#events.shift() ?? null
        if (event === null) return
        yield event
      }
    } finally {
      this.#markEnded()
    }
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}
