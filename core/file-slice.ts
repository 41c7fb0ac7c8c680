import { close, constants, fstat, open, read, type Stats } from 'node:fs'

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
    const file = await this.open()
    try {
      yield* file.read(this.start, this.end)
    } finally {
      file.close()
    }
  }

  /**
   * @internal The file, for several reads. Whoever opens it closes it.
   *
   * @throws Error when the file is gone, or was changed since the answer was made.
   */
  async open(): Promise<OpenFile> {
    const descriptor = await openFile(this.path)
    try {
      this.#check(await stats(descriptor))
      return new OpenFile(this.path, descriptor)
    } catch (error) {
      closeFile(descriptor)
      throw error
    }
  }

  #check(now: Stats): void {
    if (!now.isFile()) throw new Error(`${this.path} is no regular file any more`)
    if (now.size === this.identity.size && now.mtimeMs === this.identity.mtimeMs) return
    throw new Error(`${this.path} changed while it was being served`)
  }
}

/** @internal A file that was opened, and is what the answer's head says. */
export class OpenFile {
  readonly #path: string
  readonly #descriptor: number

  constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
  }

  /**
   * The bytes of `[start, end)`, in pieces of up to 256 kB.
   *
   * @throws Error when the file ends early.
   */
  async *read(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    for (let position = start; position < end; ) {
      const piece = await readPiece(this.#descriptor, position, Math.min(READ_SIZE, end - position))
      if (piece.length === 0) throw new Error(`${this.#path} ends at ${position}, expected ${end} bytes`)
      position += piece.length
      yield piece
    }
  }

  close(): void {
    closeFile(this.#descriptor)
  }
}

// A pipe or device that was put in the file's place would hold a thread until somebody writes to it: the system is
// told not to wait (Windows has neither).
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

const openFile = (path: string): Promise<number> =>
  new Promise((resolve, reject) =>
    open(path, FLAGS, (error, descriptor) => (error ? reject(error) : resolve(descriptor))),
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

// Nothing was written, so that an error here costs nothing; without a callback it would end the process.
const closeFile = (descriptor: number): void => close(descriptor, () => undefined)
