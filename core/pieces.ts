import { ownBuffer } from './read-buffers.ts'

/** Up to this size a piece is copied beside others: a buffer object of its own costs more than a hundred bytes. */
const SMALL = 4_096
/** What the first small pieces are copied into, and how far that grows before another is begun. */
const FIRST_BLOCK = 256
const LARGEST_BLOCK = 65_536
/** Places of pieces that were taken, before those behind them move up. */
const TAKEN = 64

/**
 * Bytes in the order in which they came. Small pieces are joined as they come, so that what waits costs about its
 * bytes, however a client cuts them; large ones are kept as they are. Nothing that was given out is written to.
 */
export class Pieces {
  #pieces: Uint8Array[] = []
  /** Where the first piece stands that was not taken. */
  #first = 0
  /** The memory of the last piece, with room behind it; null when the last piece is somebody else's. */
  #block: Buffer | null = null
  #bytes = 0

  /** Bytes of all pieces. */
  get bytes(): number {
    return this.#bytes
  }

  /** Pieces as they are held. */
  get count(): number {
    return this.#pieces.length - this.#first
  }

  /** Adds bytes at the end. No bytes are no piece. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#bytes += piece.length
    const last = this.count === 0 ? undefined : this.#pieces.at(-1)
    if (last !== undefined && this.#joins(last, piece)) return
    this.#block = null
    this.#pieces.push(piece)
  }

  /** Takes the first piece; undefined when there is none. */
  shift(): Uint8Array | undefined {
    if (this.count === 0) return undefined
    const piece = this.#pieces[this.#first]!
    this.#first++
    this.#bytes -= piece.length
    if (this.count === 0) this.#clear()
    // Not with each piece: moving up is work in proportion to what is left.
    else if (this.#first >= TAKEN && this.#first * 2 >= this.#pieces.length) {
      this.#pieces.splice(0, this.#first)
      this.#first = 0
    }
    return piece
  }

  /** Takes all bytes as one buffer. A single piece is not copied. */
  join(): Buffer {
    const pieces = this.#first === 0 ? this.#pieces : this.#pieces.slice(this.#first)
    const [only] = pieces
    this.#clear()
    return pieces.length === 1 && Buffer.isBuffer(only) ? only : Buffer.concat(pieces)
  }

  /** Copies a small piece behind the last one, if that is small too or has room behind it. */
  #joins(last: Uint8Array, piece: Uint8Array): boolean {
    if (piece.length >= SMALL) return false
    const length = last.length + piece.length
    const block = this.#block === null ? blockFor(last, length) : grown(this.#block, last.length, length)
    if (block === null) return false
    block.set(piece, last.length)
    this.#block = block
    this.#pieces[this.#pieces.length - 1] = block.subarray(0, length)
    return true
  }

  #clear(): void {
    this.#pieces = []
    this.#first = 0
    this.#block = null
    this.#bytes = 0
  }
}

function blockFor(last: Uint8Array, length: number): Buffer | null {
  return last.length < SMALL ? withRoom(last, Math.max(FIRST_BLOCK, length * 2)) : null
}

function grown(block: Buffer, used: number, length: number): Buffer | null {
  if (length <= block.length) return block
  // Twice the size each time: no byte is copied more than twice on average.
  return length > LARGEST_BLOCK
    ? null
    : withRoom(block.subarray(0, used), Math.min(LARGEST_BLOCK, length * 2))
}

function withRoom(bytes: Uint8Array, size: number): Buffer {
  const block = ownBuffer(size)
  block.set(bytes)
  return block
}
