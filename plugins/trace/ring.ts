/** The last traces, as JSON: bounded in number and in bytes. */
export class Ring {
  #texts: string[] = []
  #bytes = 0
  #count = 0
  #memory = 0
  #mask: ReadonlySet<string> = new Set()

  /** Sets the bounds; what is over them goes. So does all that shows a field which is to be masked from now on. */
  limit(count: number, memory: number, mask: ReadonlySet<string>): void {
    if ([...mask].some(name => !this.#mask.has(name))) this.#texts = []
    if (this.#texts.length === 0) this.#bytes = 0
    this.#mask = mask
    this.#count = count
    this.#memory = memory
    this.#shrink()
  }

  /** Keeps a trace, in the place of the oldest ones. One that is larger than all may be is not kept. */
  add(trace: unknown): void {
    const text = JSON.stringify(trace)
    const bytes = Buffer.byteLength(text)
    if (bytes > this.#memory) return
    this.#texts.push(text)
    this.#bytes += bytes
    this.#shrink()
  }

  /** All of them as one text, the newest first. */
  json(): string {
    return `{"traces":[${this.#texts.toReversed().join(',')}]}`
  }

  #shrink(): void {
    while (this.#texts.length > this.#count || this.#bytes > this.#memory)
      this.#bytes -= Buffer.byteLength(this.#texts.shift()!)
  }
}
