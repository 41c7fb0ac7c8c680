import type { Duplex } from 'node:stream'
import { DeadlineError, type Deadlines, type Timed } from './deadlines.ts'
import type { Output } from './output.ts'

/** How long input is still taken and dropped, once nobody reads it any more. */
export const LINGER = 2_000

/** What is left of a connection when its last answer was given. */
export interface LingeringFacts {
  readonly stream: Duplex
  readonly output: Output
  readonly deadlines: Deadlines
  readonly writeTimeout: number
  /** Bytes that the client may still send to be dropped. */
  readonly mayDrop: number
  /** Whether the client has ended its side. */
  readonly hasInputEnded: boolean
  /** Whether an end would look like that of a whole answer: then the connection is reset when all is out. */
  readonly cuts: boolean
  /** Cuts the connection so that the client sees it. */
  reset(): void
}

/**
 * The end of a connection (RFC 9112 section 9.6): the write side is ended, and what the client still sends is dropped
 * for a while. Closing at once, or with bytes unread, would answer them with a reset, which can wipe out the last answer
 * before the client has read it; so a client that sends too much is not read any more, but has its time to read.
 */
export class Lingering implements Timed {
  deadline = Number.POSITIVE_INFINITY
  before: Timed | null = null
  after: Timed | null = null
  readonly #facts: LingeringFacts
  #left: number
  #hasInputEnded: boolean
  /** Everything is out, the FIN too. */
  #isOut = false

  constructor(facts: LingeringFacts) {
    this.#facts = facts
    this.#left = facts.mayDrop
    this.#hasInputEnded = facts.hasInputEnded
  }

  start(): void {
    const { stream, output, deadlines, cuts, reset } = this.#facts
    if (stream.destroyed) return this.#closed()
    stream.on('data', (chunk: Buffer) => this.#drop(chunk.length))
    stream.on('end', () => this.#inputEnded())
    stream.on('finish', () => this.#finished())
    stream.on('close', () => this.#closed())
    stream.resume()
    deadlines.add(this)
    if (cuts) output.notify({ flushed: error => void (error === null && reset()) })
    output.flush()
    if (!cuts) stream.end()
    this.#arm(deadlines.now())
  }

  expire(now: number): void {
    const { stream, output, writeTimeout, reset } = this.#facts
    if (this.#isOut) return void stream.destroy()
    if (output.stalled(now) < writeTimeout) return this.#arm(now)
    output.fail(new DeadlineError('the client did not take the answer within limits.writeTimeout'))
    reset()
  }

  #arm(now: number): void {
    this.deadline = this.#facts.output.nextLook(now, this.#facts.writeTimeout)
  }

  #drop(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) this.#facts.stream.pause()
  }

  #inputEnded(): void {
    this.#hasInputEnded = true
    if (this.#isOut) this.#facts.stream.destroy()
  }

  #finished(): void {
    this.#isOut = true
    const { stream, deadlines } = this.#facts
    if (this.#hasInputEnded) stream.destroy()
    else this.deadline = deadlines.now() + LINGER
  }

  #closed(): void {
    const { deadlines, output } = this.#facts
    deadlines.delete(this)
    if (output.isAwaited) output.fail(new Error('the client closed the connection'))
  }
}
