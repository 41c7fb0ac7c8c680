import { fstatSync, type Stats, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
// Its named exports are for require() only.
import sonic, { type SonicBoom } from 'sonic-boom'

/** Batches that wait are written together up to this size, so that a write grows as the load does. */
const MAX_WRITE = 4_194_304
/**
 * Where several processes write to one pipe, a write of up to so many bytes is whole (PIPE_BUF of Linux); parts of longer
 * ones mix. A file has no such bound: what is appended to it is whole.
 */
const MAX_PIECE = 4_096
/** Lines may hold what is personal: owner and group read them, others do not. The umask narrows it further. */
const FILE_MODE = 0o640
const FOLDER_MODE = 0o750
/** How long `end` waits for a disk or pipe that takes nothing, in milliseconds. */
const END_TIMEOUT = 5_000
/** How often an exit tries pipes that are full; sonic-boom sleeps 100 ms before each. */
const EXIT_TRIES = 20

const STDOUT = 1

let isExiting = false
let exitTries = 0

/** Where lines go. */
export interface LogPlace {
  /** Absolute; null for standard output. */
  readonly path: string | null
  /** Whether other processes write there too. */
  readonly isShared: boolean
}

/** Who hears what becomes of the bytes. */
export interface LogFileEvents {
  wrote(bytes: number): void
  failed(error: Error): void
}

/** One open file, pipe or standard output. What was given to it goes there, whatever happens to its name. */
export class LogFile {
  /** Bytes of one write: it has whole lines, but for a single one that is longer. */
  readonly maxPiece: number
  readonly #stream: SonicBoom
  readonly #closed: Promise<void>
  #waiting = 0
  #isFailing = false
  #isRetired = false
  #isEnding = false

  private constructor(stream: SonicBoom, maxPiece: number, events: LogFileEvents) {
    this.maxPiece = maxPiece
    this.#stream = stream
    this.#closed = new Promise(resolve => stream.once('close', resolve))
    stream.on('error', (error: Error) => {
      this.#isFailing = true
      events.failed(error)
    })
    stream.on('write', (bytes: number) => {
      this.#isFailing = false
      this.#waiting -= bytes
      events.wrote(bytes)
      if (this.#isRetired && this.#waiting === 0) this.#finish()
    })
  }

  /**
   * Opens a file for appending, with the folders that it needs.
   *
   * @throws Error when it cannot be opened.
   */
  static async open({ path, isShared }: LogPlace, events: LogFileEvents): Promise<LogFile> {
    try {
      if (path !== null) await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE })
      const maxPiece = isShared && !isFile(path) ? MAX_PIECE : Number.POSITIVE_INFINITY
      return new LogFile(await opened(path ?? STDOUT, maxPiece), maxPiece, events)
    } catch (cause) {
      throw new Error(`file: cannot open ${path} for appending: ${(cause as Error).message}`, { cause })
    }
  }

  /** Whether the last try to write has failed. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** Whether a path still leads to this file: not after a rename, and not when it was removed. */
  async isAt(path: string): Promise<boolean> {
    const found = await stat(path).catch(() => null)
    const own = fstatSync(this.#fd)
    return found !== null && found.ino === own.ino && found.dev === own.dev
  }

  /** Takes bytes over: nobody writes into them any more. */
  write(batch: Buffer): void {
    this.#waiting += batch.length
    for (const piece of piecesOf(batch, this.maxPiece)) give(this.#stream, piece)
  }

  /** After an error the stream waits for somebody to ask it to try again. */
  retry(): void {
    if (this.#waiting > 0) this.#stream.flush()
  }

  /** No more will be given: it ends once all is written, however long that takes. Resolves then. */
  retire(): Promise<void> {
    this.#isRetired = true
    if (this.#waiting === 0) this.#finish()
    return this.#closed
  }

  /** Ends once all is written, or there is no hope of it. */
  async end(): Promise<void> {
    const giveUp = () => this.#stream.destroy()
    const timer = setTimeout(giveUp, END_TIMEOUT)
    this.#stream.once('error', giveUp)
    this.#finish()
    await this.#closed
    clearTimeout(timer)
  }

  /**
   * The process ends and no callback will run any more. Node itself still finishes a write that is under way.
   *
   * @throws Error when it cannot be written.
   */
  endAtExit(batch: Buffer): void {
    isExiting = true
    if (this.#waiting > 0) this.#stream.flushSync()
    for (const piece of piecesOf(batch, this.maxPiece)) writeNow(this.#fd, piece)
  }

  #finish(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#stream.end()
  }

  get #fd(): number {
    return (this.#stream as unknown as { readonly fd: number }).fd
  }
}

/** What is not there yet becomes a file. */
function isFile(path: string | null): boolean {
  const found: Stats | undefined =
    path === null ? fstatSync(STDOUT) : statSync(path, { throwIfNoEntry: false })
  return found === undefined || found.isFile()
}

/** Whole lines, together as many bytes as one write may have; a longer line is a piece of its own. */
function* piecesOf(batch: Buffer, most: number): Generator<Buffer> {
  let from = 0
  while (batch.length - from > most) {
    const end = batch.lastIndexOf('\n', from + most - 1)
    const next = (end < from ? batch.indexOf('\n', from) : end) + 1
    yield batch.subarray(from, next)
    from = next
  }
  if (from < batch.length) yield batch.subarray(from)
}

// The types know of strings only.
const give = (stream: SonicBoom, bytes: Buffer): unknown => stream.write(bytes as unknown as string)

async function opened(dest: string | number, maxPiece: number): Promise<SonicBoom> {
  const stream = new sonic.SonicBoom({
    dest,
    append: true,
    mode: FILE_MODE,
    retryEAGAIN: mayRetry,
    maxWrite: Math.min(MAX_WRITE, maxPiece),
    contentMode: 'buffer',
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.once('ready', resolve)
  stream.once('error', reject)
  await promise
  stream.removeListener('error', reject)
  return stream
}

/** A full pipe is tried again and again, but it must not keep the process from ending. */
function mayRetry(): boolean {
  return !isExiting || exitTries++ < EXIT_TRIES
}

function writeNow(fd: number, batch: Buffer): void {
  const stream = new sonic.SonicBoom({ fd, sync: true, retryEAGAIN: mayRetry, contentMode: 'buffer' })
  stream.on('error', error => {
    throw error
  })
  give(stream, batch)
}
