import { close, constants, fstat, open, read, type Stats } from 'node:fs'
import { lentBuffer, ownBuffer, READ_SIZE } from './read-buffers.ts'

/** What the file was when the answer was made: if it is no longer that, the answer is cut rather than wrong. */
export interface FileIdentity {
  readonly size: number
  readonly mtimeMs: number
  /** Told when the file proves to be another one: who made the answer had better look again. */
  readonly onChange?: (() => void) | undefined
}

/** The file is not what the answer's head says. As long as nothing of it was sent, the request may be tried again. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError'
  readonly code = 'FILE_CHANGED'
}

/**
 * A part of a file as a body. Nothing is opened until the first read; each iteration opens the file anew and closes
 * it in every path.
 */
export class FileSlice {
  /** Bytes for a name that is not UTF-8. */
  readonly path: string | Buffer
  readonly identity: FileIdentity
  /** First byte, counted from 0. */
  readonly start: number
  /** The byte after the last one. */
  readonly end: number

  /** @throws RangeError for a part that the file does not have. */
  constructor(path: string | Buffer, identity: FileIdentity, start = 0, end = identity.size) {
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
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    return this.#pieces(ownBuffer)
  }

  /** @internal The same in buffers that the reader gives back (`read-buffers.ts`). */
  lent(): AsyncGenerator<Buffer, void, undefined> {
    return this.#pieces(lentBuffer)
  }

  /**
   * @internal The file, for several reads. Whoever opens it closes it.
   *
   * @throws Error when the file is gone, or was changed since the answer was made.
   */
  async open(): Promise<OpenFile> {
    const file = await this.#opened()
    try {
      await file.check()
      return file
    } catch (error) {
      file.close()
      throw error
    }
  }

  // A file that was removed and not replaced is one that changed, too.
  async #opened(): Promise<OpenFile> {
    try {
      return new OpenFile(this.path, this.identity, await openFile(this.path))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw changed(this, `${this.path} is gone`)
    }
  }

  async *#pieces(bufferOf: BufferSource): AsyncGenerator<Buffer, void, undefined> {
    const file = await this.open()
    try {
      yield* file.read(this.start, this.end, bufferOf)
    } finally {
      file.close()
    }
  }
}

type BufferSource = (length: number) => Buffer

/** @internal A file that was opened, and is what the answer's head says. */
export class OpenFile {
  readonly path: FileSlice['path']
  readonly identity: FileIdentity
  readonly #descriptor: number

  constructor(path: FileSlice['path'], identity: FileIdentity, descriptor: number) {
    this.path = path
    this.identity = identity
    this.#descriptor = descriptor
  }

  /** @throws Error when it is not the file that the answer was made of. */
  async check(): Promise<void> {
    const now = await stats(this.#descriptor)
    if (!now.isFile()) throw changed(this, `${this.path} is no regular file any more`)
    if (now.size !== this.identity.size || now.mtimeMs !== this.identity.mtimeMs) throw this.#changed()
  }

  /**
   * The bytes of `[start, end)`, in pieces of up to 256 kB.
   *
   * @throws Error when the file ends early, or was written to meanwhile.
   */
  async *read(
    start: number,
    end: number,
    bufferOf: BufferSource = ownBuffer,
  ): AsyncGenerator<Buffer, void, undefined> {
    for (let position = start; position < end; ) {
      const length = Math.min(READ_SIZE, end - position)
      const piece = await readPiece(this.#descriptor, bufferOf(length), position, length)
      if (piece.length === 0) throw changed(this, `${this.path} ends at ${position}, expected ${end} bytes`)
      position += piece.length
      if (position === end && piece.length < end - start) await this.#checkAgain()
      yield piece
    }
  }

  // Nothing was written, so that an error here costs nothing; without a callback it would end the process.
  close(): void {
    close(this.#descriptor, () => undefined)
  }

  // Of a file that was written to meanwhile, some pieces may be old and some new: the last one is held back, so that
  // nobody takes the mixture for a whole. One that only grew was appended to, as logs are.
  async #checkAgain(): Promise<void> {
    const now = await stats(this.#descriptor)
    if (now.mtimeMs !== this.identity.mtimeMs && now.size <= this.identity.size) throw this.#changed()
  }

  #changed(): Error {
    return changed(this, `${this.path} changed while it was being served`)
  }
}

function changed({ identity }: { readonly identity: FileIdentity }, message: string): FileChangedError {
  identity.onChange?.()
  return new FileChangedError(message)
}

// A pipe or device that was put in the file's place would hold a thread until somebody writes to it: the system is
// told not to wait (Windows has neither).
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

const openFile = (path: string | Buffer): Promise<number> =>
  new Promise((resolve, reject) =>
    open(path, FLAGS, (error, descriptor) => (error ? reject(error) : resolve(descriptor))),
  )

const stats = (descriptor: number): Promise<Stats> =>
  new Promise((resolve, reject) =>
    fstat(descriptor, (error, found) => (error ? reject(error) : resolve(found))),
  )

const readPiece = (descriptor: number, buffer: Buffer, position: number, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    read(descriptor, buffer, 0, length, position, (error, bytes) =>
      error ? reject(error) : resolve(bytes === buffer.length ? buffer : buffer.subarray(0, bytes)),
    ),
  )
