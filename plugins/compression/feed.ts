import type { Engine } from './engine.ts'

/** Bytes up to which small pieces are gathered: each run of the compressor is a trip to another thread. */
const GATHERED = 16_384

/** Bytes that the compressor is given at most: what comes of them waits in memory for the client. */
const FED = 65_536

/**
 * Milliseconds that a byte may wait for others to follow it. A source that pauses is flushed after that; one that
 * does not pause is flushed at most a hundred times a second, which costs next to nothing.
 */
const PATIENCE = 10

type Made = AsyncGenerator<Uint8Array, void, undefined>

/** Feeds a compressor in portions that are worth their trip, and knows for how long bytes have waited in it. */
export class Feed {
  readonly #engine: Engine
  readonly #isLive: boolean
  // A source may use its buffer again once it is asked for more: what is gathered is a copy.
  #gathered: Buffer | null = null
  #size = 0
  /** When the oldest byte came that has not left. */
  #since: number | null = null

  /** @param isLive Whether each piece leaves at once: the engine then flushes by itself. */
  constructor(engine: Engine, isLive: boolean) {
    this.#engine = engine
    this.#isLive = isLive
  }

  /** Milliseconds that the next piece may take before a flush is due; null when nothing waits for it. */
  get patience(): number | null {
    return this.#since === null ? null : this.#since + PATIENCE - performance.now()
  }

  async *add(piece: Uint8Array): Made {
    if (piece.length === 0) return
    if (this.#isLive) return yield* this.#write(piece)
    this.#since ??= performance.now()
    if (this.#size + piece.length > GATHERED) yield* this.#spill()
    if (piece.length > GATHERED) return yield* this.#write(piece)
    this.#gathered ??= Buffer.allocUnsafeSlow(GATHERED)
    this.#gathered.set(piece, this.#size)
    this.#size += piece.length
  }

  /** Brings out everything that waits. */
  async *flush(): Made {
    yield* this.#spill()
    yield* await this.#engine.flush()
    this.#since = null
  }

  async *end(): Made {
    yield* this.#spill()
    yield* await this.#engine.end()
  }

  async *#spill(): Made {
    if (this.#size === 0) return
    const gathered = this.#gathered!.subarray(0, this.#size)
    this.#size = 0
    yield* this.#write(gathered)
  }

  async *#write(piece: Uint8Array): Made {
    for (let at = 0; at < piece.length; at += FED) {
      const made = await this.#engine.write(piece.subarray(at, at + FED))
      if (made.length === 0) continue
      yield* made
      // What is left inside came with this portion; the time that the client took does not count.
      if (this.#since !== null) this.#since = performance.now()
    }
  }
}
