import { type OwnedBody, ownCopy } from 'rawhttp'

/** What a reading needs of the store. */
export interface ReadingHost {
  /** Asks for memory; false when there is none, or the body is too large: then it is not stored. */
  take(bytes: number): boolean
  /** The whole body, once; null when it is not to be stored. The memory is given back before. */
  ended(whole: Buffer | null): void
}

/**
 * Reads a body to its end as fast as it comes, while its first client reads along at a pace of its own. So neither a
 * slow client nor one that leaves keeps a body from the store, and a body that is too large, or never ends, only costs
 * the store the attempt: it goes on to the client as it came.
 */
export class ReadAlong implements AsyncIterable<Uint8Array> {
  readonly #source: OwnedBody
  readonly #host: ReadingHost
  /** What was read and is not passed on; while it is read for the store, what was passed on too. */
  #pieces: Buffer[] = []
  /** How many of the pieces were passed on. */
  #passed = 0
  #passedBytes = 0
  #size = 0
  #isForStore = true
  #hasReader = true
  /** Whether it goes on for the store when the client has left. */
  #isSteadfast = true
  #isOver = false
  #failure: unknown = null
  /** Wakes the side that waits: the client for a piece, or the source for a client that wants one. */
  #wake: (() => void) | null = null

  constructor(source: OwnedBody, host: ReadingHost) {
    this.#source = source
    this.#host = host
    void this.#read()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        while (this.#passed === this.#pieces.length && !this.#isOver) await this.#change()
        if (this.#passed === this.#pieces.length) break
        yield this.#next()
      }
    } finally {
      this.destroy()
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** The client has left, or wants no body. The store reads on. */
  destroy(): void {
    this.#hasReader = false
    this.#notify()
    if (!this.#isSteadfast) this.#forgo()
    if (!this.#isForStore) this.#stop()
  }

  /** It takes long: from here on it goes on only while its client does. */
  leaveToClient(): void {
    this.#isSteadfast = false
    if (!this.#hasReader) this.destroy()
  }

  async #read(): Promise<void> {
    try {
      for await (const piece of this.#source) {
        if (this.#isOver) return
        this.#add(typeof piece === 'string' ? Buffer.from(piece) : piece)
        // From here on the client sets the pace.
        while (!this.#isForStore && this.#hasReader && this.#passed < this.#pieces.length)
          await this.#change()
        if (!this.#isForStore && !this.#hasReader) return this.#stop()
      }
      this.#end()
    } catch (error) {
      this.#failure = error
      this.#forgo()
      this.#finish()
    }
  }

  #add(piece: Uint8Array): void {
    this.#size += piece.length
    if (this.#isForStore && !this.#host.take(piece.length)) this.#forgo()
    // A copy: who makes the pieces may use one buffer for all.
    this.#pieces.push(this.#isForStore ? ownCopy(piece) : asBuffer(piece))
    this.#notify()
  }

  #next(): Buffer {
    const piece = this.#pieces[this.#passed]!
    this.#passedBytes += piece.length
    if (this.#isForStore) this.#passed++
    else this.#pieces.shift()
    this.#notify()
    return piece
  }

  #end(): void {
    const { length } = this.#source
    if (this.#isForStore && (length === null || length === this.#size)) {
      const whole = joined(this.#pieces, this.#size)
      this.#isForStore = false
      // What the client has not had yet is the same memory, not more of it.
      this.#pieces = this.#passedBytes < whole.length ? [whole.subarray(this.#passedBytes)] : []
      this.#passed = 0
      this.#host.ended(whole)
    } else this.#forgo()
    this.#finish()
  }

  /** It will not be stored: what was passed on is let go of. */
  #forgo(): void {
    if (!this.#isForStore) return
    this.#isForStore = false
    this.#pieces.splice(0, this.#passed)
    this.#passed = 0
    this.#host.ended(null)
    this.#notify()
  }

  #stop(): void {
    if (this.#isOver) return
    this.#pieces = []
    this.#passed = 0
    this.#source.destroy()
    this.#finish()
  }

  #finish(): void {
    this.#isOver = true
    this.#notify()
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      const before = this.#wake
      this.#wake = () => {
        before?.()
        resolve()
      }
    })
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}

function joined(pieces: readonly Buffer[], size: number): Buffer {
  if (pieces.length === 1) return pieces[0]!
  const whole = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

const asBuffer = (piece: Uint8Array): Buffer => Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
