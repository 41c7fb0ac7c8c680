/** How the bytes of a client are cut: pieces of one size, or each of the size that the function says. */
export type Split = number | (() => number)

/**
 * Sizes of pieces that look random, and are the same for one seed: a failure can be tried again.
 *
 * @param seed Any number.
 * @param largest Bytes of the largest piece. Default: 16.
 *
 * @example
 * await served.connect({ split: randomSizes(7) })
 */
export function randomSizes(seed: number, largest = 16): () => number {
  let state = seed | 0
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return 1 + (((mixed ^ (mixed >>> 14)) >>> 0) % largest)
  }
}

/** The pieces of a chunk. */
export function* piecesOf(chunk: Buffer, split: Split): Generator<Buffer> {
  for (let at = 0; at < chunk.length; ) {
    const size = Math.max(1, typeof split === 'number' ? split : split())
    yield chunk.subarray(at, at + size)
    at += size
  }
}
