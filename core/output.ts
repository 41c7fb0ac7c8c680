import type { Duplex } from 'node:stream'

/** Bodies up to this many bytes join the text of their head: copying them costs less than a second write. */
export const JOINED_BYTES = 16_384

/** Told when everything that was appended before it is out, or why it never will be. */
export interface Flushed {
  flushed(error: Error | null): void
}

/**
 * The write side of a stream: gathers what one turn writes into one text of latin1, and knows how much waits.
 */
export class Output {
  readonly #stream: Duplex
  readonly #onProgress: () => void
  #text = ''
  #held = 0
  #scheduled = false
  #waiting: Flushed[] = []
  #lastWrite: Flushed[] | null = null
  #writes = 0

  constructor(stream: Duplex, onProgress: () => void) {
    this.#stream = stream
    this.#onProgress = onProgress
  }

  /** Bytes that the transport has not taken yet. */
  get queued(): number {
    return this.#text.length + this.#stream.writableLength
  }

  /** Within hold and release everything goes out in one write. */
  hold(): void {
    this.#held++
  }

  release(): void {
    this.#held--
    if (this.#held === 0) this.flush()
  }

  /** Appends text whose characters are bytes. */
  text(latin1: string): void {
    this.#text += latin1
    this.#schedule()
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length <= JOINED_BYTES) {
      this.text(latin1Of(bytes))
      return
    }
    this.#stream.cork()
    this.#writeText()
    this.#write(bytes)
    this.#stream.uncork()
  }

  /** Calls back when all that was appended so far is out. */
  notify(waiter: Flushed): void {
    this.#waiting.push(waiter)
    this.#schedule()
  }

  flush(): void {
    if (this.#text !== '') this.#writeText()
    else if (this.#waiting.length > 0) this.#attach()
  }

  #schedule(): void {
    if (this.#held > 0 || this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => {
      this.#scheduled = false
      if (this.#held === 0) this.flush()
    })
  }

  #writeText(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#write(text)
  }

  #write(data: string | Uint8Array): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#lastWrite = waiting
    this.#writes++
    const written = (error?: Error | null) => {
      this.#writes--
      for (const waiter of waiting) waiter.flushed(error ?? null)
      this.#onProgress()
    }
    if (typeof data === 'string') this.#stream.write(data, 'latin1', written)
    else this.#stream.write(data, written)
  }

  // Nothing more to write: whoever waits, waits for the write that is under way.
  #attach(): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (this.#writes > 0 && this.#lastWrite !== null) this.#lastWrite.push(...waiting)
    else for (const waiter of waiting) waiter.flushed(null)
  }
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1', 0, buffer.length)
}
