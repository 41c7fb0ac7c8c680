import type { RequestTrace } from 'rawhttp'

/** A trace as it is kept. */
export interface Kept {
  /** When its request came, in milliseconds since 1970. */
  readonly at: number
  readonly json: string
}

/** The last traces, as JSON: bounded in number and in bytes. */
export class Ring {
  #kept: Kept[] = []
  #bytes = 0
  #count = 0
  #memory = 0
  #mask: ReadonlySet<string> = new Set()

  /** Sets the bounds; what is over them goes. So does all that shows a field which is to be masked from now on. */
  limit(count: number, memory: number, mask: ReadonlySet<string>): void {
    if ([...mask].some(name => !this.#mask.has(name))) this.#kept = []
    if (this.#kept.length === 0) this.#bytes = 0
    this.#mask = mask
    this.#count = count
    this.#memory = memory
    this.#shrink()
  }

  /** Keeps a trace, in the place of the oldest ones. One that is larger than all may be is not kept. */
  add(trace: RequestTrace): void {
    const json = JSON.stringify(trace)
    const bytes = Buffer.byteLength(json)
    if (bytes > this.#memory) return
    this.#kept.push({ at: trace.request.receivedAt, json })
    this.#bytes += bytes
    this.#shrink()
  }

  /** All of them, the newest first. */
  newest(): readonly Kept[] {
    return this.#kept.toReversed()
  }

  #shrink(): void {
    while (this.#kept.length > this.#count || this.#bytes > this.#memory)
      this.#bytes -= Buffer.byteLength(this.#kept.shift()!.json)
  }
}

/** Traces as one text. */
export const jsonOf = (kept: readonly Kept[]): string =>
  `{"traces":[${kept.map(({ json }) => json).join(',')}]}`
