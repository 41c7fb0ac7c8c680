import { createHash } from 'node:crypto'

// What the server serves, and what clients therefore have to get, byte for byte.

const words = 'a server for Node written straight on TCP where the kernel owns the bytes'.split(' ')

/** Text that compresses well, and has no two equal lines. */
export const page: string = Array.from(
  { length: 400 },
  (_, line) => `<p id="${line}">${words.slice(line % words.length).join(' ')}</p>\n`,
).join('')

export const small = 'A small file.\n'

/** More than the kernel takes for one connection, of bytes that no coding makes shorter. */
export const big: Buffer = noise(2_000_000)

/** How many pieces `/stream` has, and what each is: a function whose text stands in the site's config. */
export const PIECES = 24
export function pieceOf(piece: number, page: string): string {
  return `piece ${piece} ${page.slice(0, 8_000)}\n`
}

/** How many events a stream of `/events` has, unless the server asks it to end. */
export const EVENTS = 40

/** The same bytes at every call. */
export function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, block) =>
    createHash('sha512').update(String(block)).digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
