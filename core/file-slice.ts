import { close, fstat, open, read, type Stats } from 'node:fs'

/** One read: large enough that system calls cost little beside the copying, small enough to share memory fairly. */
const READ_SIZE = 262_144

/** What the file was when the answer was made: if it is no longer that, the answer is cut rather than wrong. */
export interface FileIdentity {
  readonly size: number
  readonly mtimeMs: number
}

/**
 * A part of a file as a body. Nothing is opened until the first read; each iteration opens the file anew and closes
 * it in every path.
 */
export class FileSlice {
  readonly path: string
  readonly identity: FileIdentity
  /** First byte, counted from 0. */
  readonly start: number
  /** The byte after the last one. */
  readonly end: number

  /** @throws RangeError for a part that the file does not have. */
  constructor(path: string, identity: FileIdentity, start = 0, end = identity.size) {
    const isPart = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end
    if (!isPart || end > identity.size) {
      throw new RangeError(
        `FileSlice: expected a part of ${identity.size} bytes, got bytes ${start} to ${end} of ${path}`,
      )
    }
    this.path = path
    this.identity = identity
    this.start = start
    this.end = end
  }

  get length(): number {
    return this.end - this.start
  }

  /**
   * A part of this part, by offsets within it.
   *
   * @throws RangeError for offsets outside it.
   */
  slice(start: number, end = this.length): FileSlice {
    if (start < 0 || end > this.length)
      throw new RangeError(`FileSlice: bytes ${start} to ${end} are not within ${this.length} bytes`)
    return new FileSlice(this.path, this.identity, this.start + start, this.start + end)
  }

  /**
   * The bytes, in pieces of up to 256 kB.
   *
   * @throws Error when the file is gone, was changed since the answer was made, or ends early.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    const descriptor = await openFile(this.path)
    try {
      const now = await stats(descriptor)
      if (now.size !== this.identity.size || now.mtimeMs !== this.identity.mtimeMs) {
        throw new Error(`${this.path} changed while it was being served`)
      }
      for (let position = this.start; position < this.end; ) {
        const piece = await readPiece(descriptor, position, Math.min(READ_SIZE, this.end - position))
        if (piece.length === 0)
          throw new Error(`${this.path} ends at ${position}, expected ${this.end} bytes`)
        position += piece.length
        yield piece
      }
    } finally {
      // Nothing was written, so that an error here costs nothing; without a callback it would end the process.
      close(descriptor, () => undefined)
    }
  }
}

const openFile = (path: string): Promise<number> =>
  new Promise((resolve, reject) =>
    open(path, 'r', (error, descriptor) => (error ? reject(error) : resolve(descriptor))),
  )

const stats = (descriptor: number): Promise<Stats> =>
  new Promise((resolve, reject) =>
    fstat(descriptor, (error, found) => (error ? reject(error) : resolve(found))),
  )

const readPiece = (descriptor: number, position: number, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    // Not from the shared pool: a slow client would keep its slab alive.
    const buffer = Buffer.allocUnsafeSlow(length)
    read(descriptor, buffer, 0, length, position, (error, bytes) =>
      error ? reject(error) : resolve(bytes === length ? buffer : buffer.subarray(0, bytes)),
    )
  })
