/** One read: large enough that system calls cost little beside the copying, small enough to share memory fairly. */
export const READ_SIZE = 262_144

/** Up to this size a buffer is made for the piece: a large one would be held for little by a slow client. */
const SMALL = READ_SIZE / 4

/** Buffers that are kept while nobody needs them: 4 MB. */
const KEPT = 16

const free: Buffer[] = []

/** A buffer that nobody else uses, of `length` bytes. */
export function ownBuffer(length: number): Buffer {
  // Not from the shared pool of small buffers: a slow client would keep its slab alive.
  return Buffer.allocUnsafeSlow(length)
}

/** A copy in memory of its own: a part of a pool would keep all of the pool alive. */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = ownBuffer(bytes.length)
  copy.set(bytes)
  return copy
}

/** A chunk whose memory is somebody else's soon, and those of its pieces that are kept. */
export class LentChunk {
  readonly #chunk: Buffer
  #hasGiven = false
  #copy: Buffer | null = null

  constructor(chunk: Buffer) {
    this.#chunk = chunk
  }

  /** A piece of it in other memory. From the second one on the chunk is copied as a whole: it may have a piece a byte. */
  own(piece: Buffer): Buffer {
    if (!this.#hasGiven) {
      this.#hasGiven = true
      return ownCopy(piece)
    }
    this.#copy ??= ownCopy(this.#chunk)
    const start = piece.byteOffset - this.#chunk.byteOffset
    return this.#copy.subarray(start, start + piece.length)
  }
}

/**
 * A buffer of at least `length` bytes, up to {@link READ_SIZE}, that may have been used before. Whoever knows that its
 * bytes are needed no more gives it back; one that is not given back is garbage like any other.
 */
export function lentBuffer(length: number): Buffer {
  return length <= SMALL ? ownBuffer(length) : (free.pop() ?? ownBuffer(READ_SIZE))
}

/** Takes back what {@link lentBuffer} gave, or a part of it. Nothing of it may be read afterwards. */
export function giveBack(piece: Uint8Array): void {
  const { buffer } = piece
  if (buffer.byteLength === READ_SIZE && free.length < KEPT) free.push(Buffer.from(buffer))
}
