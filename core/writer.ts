import { BODY_NONE, type RequestHead } from './framing.ts'
import { derivedFields, fieldLines, headText, interimText, isBodyless, upgradeText } from './head-bytes.ts'
import type { HeadersInit } from './headers.ts'
import { type Flushed, JOINED_BYTES, type Output } from './output.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { bytesOf } from './response-body.ts'
import { sentText } from './sent-message.ts'
import type { HandedOver, Sink } from './sink.ts'
import { ANSWER_IN_PART, BEHIND_OTHERS, CLIENT_SLOW, waitingFor } from './unfinished.ts'

/** What a writer asks of its connection. */
export interface WriterHost {
  readonly output: Output
  readonly writeBuffer: number
  /** Whether the client has ended its side: nobody can end an answer without a length any more. */
  readonly hasInputEnded: boolean
  /** Whether the connection may be used again after this answer. */
  mayKeepAlive(writer: Writer, response: HttpResponse): boolean
  /** The answer is complete: the next one may go. */
  ended(): void
  /**
   * The answer broke off: the connection cannot be used any more.
   *
   * @param showsCut Whether its missing end tells the client.
   */
  broken(reason: Error, showsCut: boolean): void
  takeOver(): HandedOver
}

/**
 * Writes one answer of an HTTP/1.1 connection (RFC 9112). While earlier answers are not complete, what it is given
 * is held back, so that answers leave in the order of their requests (section 9.3.2).
 */
export class Writer implements Sink, Flushed {
  readonly request: HttpRequest
  readonly message: RequestHead
  /** Present while the client's offer to upgrade stands. */
  upgrade: ((response: HttpResponse | null) => HandedOver) | undefined
  /** Whether the request offers an upgrade and was not dispatched yet. */
  isPostponed = false
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  bytes = 0
  /** Whether the connection ends with this answer. */
  closesConnection = false
  isEnded = false
  hasHead = false
  /** Whether only the end will tell how long the answer is. */
  isOpenEnded = false
  #isFirst = false
  #isChunked = false
  #dropsBody = false
  #needsDrain = false
  #held: (string | Uint8Array)[] | null = null
  #broken: Error | null = null
  readonly #host: WriterHost

  constructor(host: WriterHost, request: HttpRequest, head: RequestHead) {
    this.#host = host
    this.request = request
    this.message = head
    // A body would stand between the request and the new protocol; the offer may always be ignored (RFC 9110 7.8).
    const isOffered = head.upgrade !== null && head.framing === BODY_NONE && request.refused === null
    this.upgrade = isOffered && !host.hasInputEnded ? response => this.#upgrade(response) : undefined
  }

  /** What is going on with it while it is not out. */
  get doing(): string {
    if (this.isPostponed || (this.isEnded && !this.#isFirst)) return BEHIND_OTHERS
    if (!this.hasHead) return waitingFor(this.request)
    return this.#host.output.queued > 0 ? CLIENT_SLOW : ANSWER_IN_PART
  }

  inform(status: number, headers: HeadersInit): void {
    if (this.message.minor === 0 || this.hasHead) return
    this.interim(interimText(status, headers))
  }

  /** Bytes of an interim answer. One that was cut has nobody who reads them, also while its handler is at work. */
  interim(text: string): void {
    if (this.#broken === null) this.#put(text)
  }

  head(response: HttpResponse, length: number | null): void {
    const { message, request } = this
    this.hasHead = true
    const isHead = request.method === 'HEAD'
    this.#dropsBody = isHead || isBodyless(response.status)
    this.isOpenEnded = length === null && !this.#dropsBody
    this.#isChunked = this.isOpenEnded && message.minor === 1
    const keepAlive =
      (!this.isOpenEnded || this.#isChunked) &&
      message.keepAlive &&
      !response.closes &&
      request.refused === null &&
      this.#host.mayKeepAlive(this, response)
    this.closesConnection = !keepAlive
    const facts = { minor: message.minor, isHead, length, keepAlive }
    const whole = sentText(response, facts)
    this.#put(whole ?? headText(response, facts))
    // The body is out with it.
    if (whole !== null) this.#dropsBody = true
    if (this.isOpenEnded && this.#host.hasInputEnded) this.clientEnded()
  }

  derived(response: HttpResponse, length: number | null): readonly string[] {
    if (response.upgradeHandler !== null) return response.upgradeRaw ? [] : derivedFields(response, null)
    const isHead = this.request.method === 'HEAD'
    const { minor } = this.message
    return derivedFields(response, { minor, isHead, length, keepAlive: !this.closesConnection })
  }

  write(piece: Uint8Array | string, taken?: () => void): boolean {
    if (this.#dropsBody || piece.length === 0) return true
    const size = typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
    if (this.#isChunked) this.#put(`${size.toString(16)}\r\n`)
    // Text of which each character is one byte is ASCII, and so its own latin1: nothing needs to be copied.
    const isPlain = typeof piece !== 'string' || (size === piece.length && size <= JOINED_BYTES)
    this.#put(isPlain ? piece : bytesOf(piece))
    if (taken !== undefined && this.#isFirst) this.#host.output.whenTaken(taken)
    if (this.#isChunked) this.#put('\r\n')
    const hasRoom = this.#isFirst && this.#host.output.queued < this.#host.writeBuffer
    this.#needsDrain = !hasRoom
    return hasRoom
  }

  get hasQueued(): boolean {
    return !this.#isFirst || this.#host.output.queued > 0
  }

  end(trailers: readonly string[] = []): void {
    if (this.isEnded) return
    if (this.#isChunked) this.#put(`0\r\n${fieldLines(trailers)}\r\n`)
    this.isEnded = true
    if (this.#isFirst) this.#host.ended()
  }

  /** The answers before this one are not to blame: while they are open, nothing happens to the connection. */
  reset(reason: Error): void {
    this.#broken = reason
    if (this.#isFirst) this.#host.broken(reason, this.#showsCut)
  }

  get #showsCut(): boolean {
    return this.hasHead && !this.endsWithConnection
  }

  /** Whether the end of the connection delimits it: then it looks whole when that ends early (RFC 9112 section 8). */
  get endsWithConnection(): boolean {
    return this.hasHead && this.isOpenEnded && !this.#isChunked
  }

  /** The client has ended its side: an answer that has no end of its own would never find one. */
  clientEnded(): void {
    if (!this.isEnded) this.reset(new Error('the client ended the connection before the answer was complete'))
  }

  /** Its turn has come: what was held back goes out. */
  activate(): void {
    this.#isFirst = true
    if (this.#broken !== null) return this.#leaveOut(this.#broken)
    const held = this.#held
    this.#held = null
    if (held !== null) {
      for (const piece of held) {
        this.#host.output.behind -= piece.length
        this.#put(piece)
      }
    }
    this.drained()
  }

  // Nothing of it has left yet. So the connection ends where it would begin: a reset could take the answers before it
  // along.
  #leaveOut(reason: Error): void {
    this.#held = null
    this.closesConnection = true
    this.isEnded = true
    this.closed(reason)
  }

  /** The transport took what was queued. */
  drained(): void {
    if (!this.#needsDrain || !this.#isFirst || this.#host.output.queued >= this.#host.writeBuffer) return
    this.#needsDrain = false
    this.onDrain?.()
  }

  flushed(error: Error | null): void {
    this.closed(error)
  }

  /** Tells the exchange, once, how it ended. */
  closed(reason: Error | null): void {
    const { onClose } = this
    this.onClose = null
    this.onDrain = null
    onClose?.(reason)
  }

  #upgrade(response: HttpResponse | null): HandedOver {
    this.hasHead = true
    if (response !== null) this.#put(upgradeText(response))
    this.#host.output.flush()
    return this.#host.takeOver()
  }

  #put(piece: string | Uint8Array): void {
    // What comes behind the break must not look like the rest.
    if (this.#broken !== null) return
    const { output } = this.#host
    if (!this.#isFirst) {
      this.#held ??= []
      this.#held.push(piece)
      output.behind += piece.length
      return
    }
    this.bytes += piece.length
    if (typeof piece === 'string') output.text(piece)
    else output.bytes(piece)
  }
}
