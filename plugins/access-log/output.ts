import type { Diagnostic, PluginServer } from 'rawhttp'
import { LogFile, type LogFileEvents, type LogPlace } from './log-file.ts'

/** From so many bytes on a batch is written at once. */
const BATCH = 65_536
/** What a batch has room for beside: nearly every line fits. */
const ROOM = 8_192
/** How long a line waits for others, in milliseconds. */
const DELAY = 100
/** What may wait for a slow disk or pipe. Beyond it new lines are lost, and that is reported. */
const MAX_WAITING = 16_777_216
/** How often it is said that lines are still being lost, in milliseconds. */
const REMINDER = 60_000

/** Where lines go: standard output, or a file that is appended to. Several logs may write to one. */
export class LogOutput implements LogFileEvents {
  readonly #place: LogPlace
  #report: PluginServer['report'] = ignore
  /** Lines as bytes: each is written where it stays, so that its pieces do not wait for the batch to fill. */
  #batch = nothing
  #length = 0
  #timer: NodeJS.Timeout | null = null
  #file: LogFile | null = null
  /** Files that were renamed, as long as lines for them wait. */
  readonly #retired = new Set<LogFile>()
  /** The last change of the file: they happen one after another. */
  #turn: Promise<void> = Promise.resolve()
  /** Bytes that were given to files and are not written yet. */
  #waiting = 0
  /** Lines lost since the trouble began. */
  #lost = 0
  #toldAt = 0
  /** Whether trouble was reported that is not over. */
  #isFailing = false
  #isClosed = false

  constructor(place: LogPlace) {
    this.#place = place
  }

  /** Characters of a line that stays whole among those of other processes. */
  get longest(): number {
    return this.#file?.maxPiece ?? Number.POSITIVE_INFINITY
  }

  get #path(): string | null {
    return this.#place.path
  }

  /** Tells all trouble from now on to somebody else. */
  reportTo(report: PluginServer['report']): void {
    this.#report = report
  }

  /**
   * Opens the file, or opens it again if its name leads elsewhere by now.
   *
   * @throws Error when it cannot be opened.
   */
  open(): Promise<void> {
    return this.#inTurn(() => this.#openFile())
  }

  /** Opens the file again that its path leads to now. What was logged before goes to the old one. It never rejects. */
  async reopen(): Promise<void> {
    try {
      await this.open()
    } catch (error) {
      const { message } = error as Error
      this.#tell('ACCESS_LOG_FAILED', `stays where it was: ${message}`, { cause: error })
    }
  }

  /** Adds a line, newline included, in ASCII. */
  write(line: string): void {
    if (this.#waiting >= MAX_WAITING) return this.#lose()
    if (this.#length + line.length > this.#batch.length) this.#makeRoom(line.length)
    this.#length += this.#batch.write(line, this.#length, 'latin1')
    this.#timer ??= setTimeout(this.#onTimer, DELAY).unref()
    if (this.#length >= BATCH) this.#flush()
  }

  /** Writes what waits and ends. It never rejects: what fails is reported. */
  end(): Promise<void> {
    return this.#inTurn(() => this.#end())
  }

  /** The process ends: no callback will run any more. */
  endAtExit(): void {
    if (this.#file === null) return this.#flush()
    const batch = this.#taken()
    try {
      for (const file of this.#retired) file.endAtExit(nothing)
      this.#file.endAtExit(batch)
    } catch (error) {
      const { message } = error as Error
      this.#tell('ACCESS_LOG_LOST', `could not be flushed at exit: ${message}`, { cause: error })
    }
  }

  /** @internal Bytes of a file were written. */
  wrote(bytes: number): void {
    this.#waiting -= bytes
    if (!this.#isFailing || this.#waiting >= MAX_WAITING / 2) return
    if (!this.#files.some(file => file.isFailing)) this.#resumed()
  }

  /** @internal Only the first time is told: until it goes away the same trouble comes with every try. */
  failed(error: Error): void {
    if (this.#isFailing) return
    this.#isFailing = true
    this.#tell('ACCESS_LOG_FAILED', `cannot be written: ${error.message}`, { cause: error })
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#turn.then(change)
    this.#turn = changed.catch(ignore)
    return changed
  }

  async #openFile(): Promise<void> {
    const before = this.#file
    if (this.#isClosed || (before !== null && (await this.#isInPlace(before)))) return
    const file = await LogFile.open(this.#place, this)
    this.#flush()
    this.#file = file
    if (before === null) return
    this.#retired.add(before)
    before.retire().then(() => this.#retired.delete(before), ignore)
    this.#tell('ACCESS_LOG_REOPENED', 'was opened again', { severity: 'info' })
  }

  async #isInPlace(file: LogFile): Promise<boolean> {
    return this.#path === null || (await file.isAt(this.#path))
  }

  async #end(): Promise<void> {
    if (this.#file === null) return
    this.#flush()
    this.#isClosed = true
    await Promise.all(this.#files.map(file => file.end()))
    this.#file = null
    if (this.#waiting === 0 && this.#lost === 0) return
    const lost = `${this.#waiting} bytes unwritten and ${this.#lost} lines lost before`
    this.#tell('ACCESS_LOG_LOST', `ended with ${lost}`)
  }

  get #files(): readonly LogFile[] {
    return this.#file === null ? [...this.#retired] : [...this.#retired, this.#file]
  }

  readonly #onTimer = (): void => {
    this.#timer = null
    this.#flush()
    if (this.#waiting === 0 || this.#isClosed) return
    for (const file of this.#files) file.retry()
    this.#remind()
    this.#timer = setTimeout(this.#onTimer, DELAY).unref()
  }

  #makeRoom(least: number): void {
    this.#flush()
    if (this.#batch.length < least) this.#batch = Buffer.allocUnsafeSlow(Math.max(BATCH + ROOM, least))
  }

  /** The batch so far, for good: a new one begins. What a quiet server writes is copied, and the memory used again. */
  #taken(): Buffer {
    const batch = this.#batch.subarray(0, this.#length)
    this.#length = 0
    if (batch.length < BATCH / 2) return Buffer.from(batch)
    this.#batch = nothing
    return batch
  }

  #flush(): void {
    if (this.#length === 0) return
    const batch = this.#taken()
    if (this.#isClosed)
      return this.#tell('ACCESS_LOG_LOST', `is closed: ${linesIn(batch)} lines came too late`)
    this.#waiting += batch.length
    this.#file!.write(batch)
  }

  #resumed(): void {
    this.#isFailing = false
    this.#tell('ACCESS_LOG_RESUMED', `is written again; ${this.#lost} lines were lost`, { severity: 'info' })
    this.#lost = 0
  }

  #lose(): void {
    if (this.#lost === 0) {
      this.#isFailing = true
      this.#toldAt = performance.now()
      const wait = `${MAX_WAITING / 1_048_576} MB wait to be written`
      this.#tell('ACCESS_LOG_LOST', `is too slow: ${wait}, lines are lost until fewer do`)
    }
    this.#lost++
  }

  #remind(): void {
    const now = performance.now()
    if (this.#lost === 0 || now - this.#toldAt < REMINDER) return
    this.#toldAt = now
    this.#tell('ACCESS_LOG_LOST', `is still not written: ${this.#lost} lines are lost by now`)
  }

  #tell(code: string, what: string, more: Partial<Diagnostic> = {}): void {
    const name = this.#path === null ? 'on standard output' : this.#path
    this.#report({ code, message: `the access log ${name} ${what}`, severity: 'error', ...more })
  }
}

const ignore = (): void => undefined

const nothing = Buffer.alloc(0)

const linesIn = (batch: Buffer): number => batch.toString('latin1').split('\n').length - 1
