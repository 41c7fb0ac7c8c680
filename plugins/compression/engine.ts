import type { Transform } from 'node:stream'

type Done = (error?: Error | null) => void

/** A compressor of node:zlib: its `flush` is not a Transform's. */
type Compressor = Transform & { flush(kind: number, done: Done): void }

/**
 * A compressor that is fed one piece after the other, each on another thread. What comes of a piece is given before
 * the next one is taken, so that nothing piles up in between.
 */
export class Engine {
  readonly #compressor: Compressor
  readonly #flushKind: number
  #made: Buffer[] = []
  #fail: (error: Error) => void = () => undefined
  #isClosed = false

  /** @param flushKind How node:zlib calls a flush that lets the client decode all that came before it. */
  constructor(compressor: Compressor, flushKind: number) {
    this.#compressor = compressor
    this.#flushKind = flushKind
    compressor.on('data', (made: Buffer) => this.#made.push(made))
    compressor.on('error', error => this.#fail(error))
  }

  /** Compresses a piece; what comes of it may wait inside for more. */
  write(piece: Uint8Array): Promise<readonly Buffer[]> {
    return this.#run(done => this.#compressor.write(piece, done))
  }

  /** Brings out what waits inside. */
  flush(): Promise<readonly Buffer[]> {
    return this.#run(done => this.#compressor.flush(this.#flushKind, done))
  }

  /** Brings out the rest, and what marks the end. */
  end(): Promise<readonly Buffer[]> {
    return this.#run(done => this.#compressor.once('end', done).end())
  }

  /** Gives the memory back, whatever goes on; a step under way fails. */
  close(): void {
    this.#isClosed = true
    this.#compressor.destroy()
    this.#made = []
    this.#fail(new Error('the compressor was closed'))
  }

  #run(start: (done: Done) => void): Promise<readonly Buffer[]> {
    return new Promise((resolve, reject) => {
      this.#fail = reject
      if (this.#isClosed) return reject(new Error('the compressor was closed'))
      start(error => {
        if (error !== null && error !== undefined) return reject(error)
        const made = this.#made
        this.#made = []
        resolve(made)
      })
    })
  }
}
