import type { Gauges } from './wire.ts'

/** Bytes of JSON that wait for one page. A trace has some 10 kB, and at most 2,000 a second come, in ten frames. */
const MAX_WAITING = 4_194_304

/** What waits for one open page, until its next frame: bounded, however slow the page's browser is. */
export class Watcher {
  #waiting: string[] = []
  #bytes = 0
  #leftOut = 0

  /** Whether there is something to tell. */
  get hasNews(): boolean {
    return this.#waiting.length > 0 || this.#leftOut > 0
  }

  /** @param seen JSON of one request. */
  add(seen: string, bytes: number): void {
    if (this.#bytes + bytes > MAX_WAITING) return this.leaveOut()
    this.#waiting.push(seen)
    this.#bytes += bytes
  }

  /** A request has ended that is not shown. */
  leaveOut(): void {
    this.#leftOut++
  }

  /** All that waits, as the JSON of a frame. */
  frame(gauges: Gauges): string {
    const requests = this.#waiting.join(',')
    const text = `{"requests":[${requests}],"leftOut":${this.#leftOut},"gauges":${JSON.stringify(gauges)}}`
    this.#waiting = []
    this.#bytes = 0
    this.#leftOut = 0
    return text
  }
}
