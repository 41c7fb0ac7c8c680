import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { atTurnEnd, type Gathering } from './turn-end.ts'

/** Bodies up to this many bytes join the text of their head: copying them costs less than a second write. */
export const JOINED_BYTES = 16_384

/** Told when everything that was appended before it is out, or why it never will be. */
export interface Flushed {
  flushed(error: Error | null): void
}

/** In the place of lists that most outputs have no need of most of the time. Never changed. */
const nobody: Flushed[] = []
const noWrites: Flushed[][] = []

/** What an output tells its connection. */
export interface OutputHost {
  /** The transport could not pass everything on at once: its progress has to be watched. */
  stuck(): void
  /** The transport took a write. */
  taken(): void
  /** The transport has failed: nothing will leave any more. */
  failed(error: Error): void
}

/**
 * The write side of a stream: gathers what one turn writes into one text of latin1, and knows how much waits.
 */
export class Output implements Gathering {
  /** Bytes of answers whose turn has not come. They are counted here, since they take memory all the same. */
  behind = 0
  readonly #stream: Duplex
  readonly #host: OutputHost
  #text = ''
  #isScheduled = false
  #failure: Error | null = null
  /** Who waits for the text that is gathered. */
  #waiting: Flushed[] = nobody
  /** Who waits for each write under way; a stream ends its writes in their order. */
  #writes = noWrites
  #written = 0
  /** What was written and what was left when the transport was last seen to move, and when that was. */
  #writtenThen = -1
  #leftThen = 0
  #progressAt = 0

  constructor(stream: Duplex, host: OutputHost) {
    this.#stream = stream
    this.#host = host
  }

  /** Bytes that the transport has not taken yet. */
  get queued(): number {
    return this.#text.length + this.#stream.writableLength
  }

  /** Those who wait for what is not out yet, in its order. */
  get waiting(): readonly Flushed[] {
    return [...this.#writes.flat(), ...this.#waiting]
  }

  /** Whether anybody waits for what is not out yet. */
  get isAwaited(): boolean {
    return this.#writes !== noWrites || this.#waiting.length > 0
  }

  /** Appends text whose characters are bytes. */
  text(latin1: string): void {
    if (this.#failure !== null) return
    this.#text += latin1
    this.#schedule()
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length <= JOINED_BYTES) {
      this.text(latin1Of(bytes))
      return
    }
    if (this.#failure !== null) return
    this.#stream.cork()
    this.#writeText()
    this.#write(bytes)
    this.#stream.uncork()
  }

  /** Calls back when all that was appended so far is out. */
  notify(waiter: Flushed): void {
    if (this.#failure !== null) return waiter.flushed(this.#failure)
    if (this.#waiting === nobody) this.#waiting = [waiter]
    else this.#waiting.push(waiter)
    this.#schedule()
  }

  /**
   * Calls back when the memory of what was appended so far may be used again. Only sockets, TLS among them, are known
   * to have copied what they say is written: any other stream may have passed the very bytes on.
   */
  whenTaken(taken: () => void): void {
    if (!(this.#stream instanceof Socket)) return
    this.notify({ flushed: error => void (error === null && taken()) })
  }

  flush(): void {
    if (this.#text !== '') this.#writeText()
    else if (this.#waiting.length > 0) this.#attach()
  }

  /** Nothing more can leave: whoever waits is told why. */
  fail(reason: Error): void {
    if (this.#failure !== null) return
    this.#failure = reason
    this.#text = ''
    const { waiting } = this
    this.#writes = noWrites
    this.#waiting = nobody
    for (const waiter of waiting) waiter.flushed(reason)
  }

  /** For how many milliseconds the transport has taken nothing of what waits; 0 when nothing waits. */
  stalled(now: number): number {
    if (this.#stream.writableLength === 0) return 0
    const left = unsent(this.#stream)
    if (this.#written !== this.#writtenThen || left !== this.#leftThen) {
      this.#writtenThen = this.#written
      this.#leftThen = left
      this.#progressAt = now
    }
    return now - this.#progressAt
  }

  /** When to look again whether the transport moves, for a time-out; Infinity when nothing waits. */
  nextLook(now: number, timeout: number): number {
    if (this.#stream.writableLength === 0) return Number.POSITIVE_INFINITY
    return now + Math.min(timeout - this.stalled(now), timeout / 4)
  }

  turnEnded(): void {
    this.#isScheduled = false
    this.flush()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    atTurnEnd(this)
  }

  #writeText(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#write(text)
  }

  #write(data: string | Uint8Array): void {
    if (this.#writes === noWrites) this.#writes = [this.#waiting]
    else this.#writes.push(this.#waiting)
    this.#waiting = nobody
    const written = (error?: Error | null) => this.#onWritten(error ?? null)
    if (typeof data === 'string') this.#stream.write(data, 'latin1', written)
    else this.#stream.write(data, written)
    if (this.#stream.writableLength > 0) this.#host.stuck()
  }

  #onWritten(error: Error | null): void {
    if (this.#failure !== null) return
    if (error !== null) return this.#transportFailed(error)
    this.#written++
    const waiting = this.#writes[0]!
    if (this.#writes.length === 1) this.#writes = noWrites
    else this.#writes.shift()
    for (const waiter of waiting) waiter.flushed(null)
    this.#host.taken()
  }

  // The stream tells of it a moment later: in between, whoever waits to write would go on with the next request.
  #transportFailed(error: Error): void {
    this.fail(error)
    this.#host.failed(error)
  }

  // Nothing more to write: whoever waits, waits for the write that is under way.
  #attach(): void {
    const waiting = this.#waiting
    this.#waiting = nobody
    const last = this.#writes.length - 1
    if (last >= 0) this.#writes[last] = this.#writes[last]!.concat(waiting)
    else for (const waiter of waiting) waiter.flushed(null)
  }
}

interface Handle {
  readonly writeQueueSize?: number
  readonly _parent?: Handle | null
}

/**
 * Bytes of the write under way that are still in user space. Node shows them nowhere else, and counts a write as
 * a whole: a reader who takes a minute for 256 kB would look as if it took nothing.
 */
function unsent(stream: Duplex): number {
  const { _handle: handle } = stream as { readonly _handle?: Handle | null }
  // Over TLS it is the handle below that passes bytes on.
  return handle?._parent?.writeQueueSize ?? handle?.writeQueueSize ?? 0
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1', 0, buffer.length)
}
