import type { Diagnostic, PluginServer } from 'rawhttp'
// Its named exports are for require() only.
import sonic, { type SonicBoom } from 'sonic-boom'

/** From so many characters on a batch is written at once. They are bytes: the lines are ASCII. */
const BATCH = 65_536
/** How long a line waits for others, in milliseconds. */
const DELAY = 100
/** What may wait for a slow disk or pipe. Beyond it new lines are lost, and that is reported. */
const MAX_WAITING = 16_777_216
/** Batches that wait are written together up to this size, so that a write grows as the load does. */
const MAX_WRITE = 4_194_304
/** How long `close` waits for a disk or pipe that takes nothing, in milliseconds. */
const CLOSE_TIMEOUT = 5_000
/** How often an exit tries pipes that are full; sonic-boom sleeps 100 ms before each. */
const EXIT_TRIES = 20

const STDOUT = 1

/** One exit listener serves them all: a thousand sites may have a log each. */
const openOutputs = new Set<LogOutput>()
let isExiting = false
let exitTries = 0
const flushAll = (): void => {
  isExiting = true
  for (const output of openOutputs) output.flushAtExit()
}

/**
 * Where lines go: standard output, or a file that is appended to. It outlives reloads: each generation that uses it
 * opens it, and the last one that closes it ends it.
 */
export class LogOutput {
  readonly #path: string | null
  #batch = ''
  #timer: NodeJS.Timeout | null = null
  #stream: SonicBoom | null = null
  #users = 0
  #report: PluginServer['report'] = () => undefined
  /** Bytes that were given to the stream and are not written yet. */
  #waiting = 0
  /** Lines lost since the last report. */
  #lost = 0
  /** Whether trouble was reported that is not over. */
  #isFailing = false
  #isClosed = true

  /** @param path Absolute; null for standard output. */
  constructor(path: string | null) {
    this.#path = path
  }

  /**
   * @param report Where trouble goes from now on.
   * @throws Error when the file cannot be opened.
   */
  async open(report: PluginServer['report']): Promise<void> {
    if (this.#users === 0) this.#stream = this.#attach(await opened(this.#path ?? STDOUT))
    this.#isClosed = false
    this.#users++
    this.#report = report
  }

  /** Adds a line, newline included. */
  write(line: string): void {
    if (this.#waiting >= MAX_WAITING) return this.#lose()
    this.#batch += line
    if (this.#batch.length >= BATCH) this.#flush()
    else this.#timer ??= setTimeout(this.#onTimer, DELAY).unref()
  }

  /** Writes what waits and ends, once nobody uses it any more. It never rejects: what fails is reported. */
  async close(): Promise<void> {
    this.#users--
    if (this.#users > 0 || this.#stream === null) return
    this.#flush()
    this.#isClosed = true
    await ended(this.#stream)
    openOutputs.delete(this)
    if (openOutputs.size === 0) process.removeListener('exit', flushAll)
    this.#stream = null
    if (this.#waiting === 0 && this.#lost === 0) return
    const lost = `${this.#waiting} bytes unwritten and ${this.#lost} lines lost before`
    this.#tell('ACCESS_LOG_LOST', `ended with ${lost}`)
    this.#waiting = 0
    this.#lost = 0
  }

  /** The process ends: no callback will run any more. Node itself still finishes a write that is under way. */
  flushAtExit(): void {
    const batch = this.#batch
    this.#batch = ''
    try {
      this.#stream?.flushSync()
      if (batch !== '') writeNow(this.#path ?? STDOUT, batch)
    } catch (error) {
      const { message } = error as Error
      this.#tell('ACCESS_LOG_LOST', `could not be flushed at exit: ${message}`, { cause: error })
    }
  }

  #attach(stream: SonicBoom): SonicBoom {
    stream.on('error', (error: Error) => this.#failed(error))
    stream.on('write', (bytes: number) => this.#wrote(bytes))
    if (openOutputs.size === 0) process.on('exit', flushAll)
    openOutputs.add(this)
    return stream
  }

  readonly #onTimer = (): void => {
    this.#timer = null
    this.#flush()
    if (this.#waiting === 0 || this.#isClosed) return
    // After an error the stream waits for somebody to ask it to try again.
    this.#stream!.flush()
    this.#timer = setTimeout(this.#onTimer, DELAY).unref()
  }

  #flush(): void {
    const batch = this.#batch
    if (batch === '') return
    this.#batch = ''
    if (this.#isClosed) {
      return this.#tell('ACCESS_LOG_LOST', `is closed: ${batch.split('\n').length - 1} lines came too late`)
    }
    this.#waiting += batch.length
    // The types know of strings only. As bytes the lines are no longer a thousand small pieces for the collector.
    this.#stream!.write(Buffer.from(batch, 'latin1') as unknown as string)
  }

  #wrote(bytes: number): void {
    this.#waiting -= bytes
    if (this.#isFailing && this.#waiting < MAX_WAITING / 2) this.#resumed()
  }

  #resumed(): void {
    this.#isFailing = false
    this.#tell('ACCESS_LOG_RESUMED', `is written again; ${this.#lost} lines were lost`, { severity: 'info' })
    this.#lost = 0
  }

  /** Only the first time is told: until it goes away the same trouble comes with every try. */
  #failed(error: Error): void {
    if (this.#isFailing) return
    this.#isFailing = true
    this.#tell('ACCESS_LOG_FAILED', `cannot be written: ${error.message}`, { cause: error })
  }

  #lose(): void {
    if (this.#lost === 0) {
      this.#isFailing = true
      const wait = `${MAX_WAITING / 1_048_576} MB wait to be written`
      this.#tell('ACCESS_LOG_LOST', `is too slow: ${wait}, lines are lost until fewer do`)
    }
    this.#lost++
  }

  #tell(code: string, what: string, more: Partial<Diagnostic> = {}): void {
    const name = this.#path === null ? 'on standard output' : this.#path
    this.#report({ code, message: `the access log ${name} ${what}`, severity: 'error', ...more })
  }
}

async function opened(target: string | number): Promise<SonicBoom> {
  const stream = new sonic.SonicBoom({
    dest: target,
    append: true,
    retryEAGAIN: mayRetry,
    maxWrite: MAX_WRITE,
    contentMode: 'buffer',
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.once('ready', resolve)
  stream.once('error', reject)
  try {
    await promise
  } catch (error) {
    throw new Error(`file: cannot open ${target} for appending: ${(error as Error).message}`, {
      cause: error,
    })
  }
  stream.removeListener('error', reject)
  return stream
}

/** A full pipe is tried again and again, but it must not keep the process from ending. */
function mayRetry(): boolean {
  return !isExiting || exitTries++ < EXIT_TRIES
}

function writeNow(target: string | number, batch: string): void {
  const stream = new sonic.SonicBoom({ dest: target, append: true, sync: true, retryEAGAIN: mayRetry })
  stream.on('error', error => {
    throw error
  })
  stream.write(batch)
}

/** Waits until all is written and the file is closed, or until there is no hope of it. */
async function ended(stream: SonicBoom): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const giveUp = () => stream.destroy()
  const timer = setTimeout(giveUp, CLOSE_TIMEOUT)
  stream.once('close', resolve)
  stream.once('error', giveUp)
  stream.end()
  await promise
  clearTimeout(timer)
}
