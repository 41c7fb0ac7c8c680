import type { Duplex } from 'node:stream'
import type { RequestHead } from './framing.ts'
import { headText, interimText, isBodyless, upgradeText } from './head-bytes.ts'
import type { HeadersInit } from './headers.ts'
import type { Flushed, Output } from './output.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { bytesOf } from './response-body.ts'
import type { Sink } from './sink.ts'

/** What a writer asks of its connection. */
export interface WriterHost {
  readonly output: Output
  readonly writeBuffer: number
  /** Whether the connection may be used again after this answer, as far as the connection knows. */
  mayKeepAlive(writer: Writer): boolean
  /** The answer is complete: the next one may go. */
  ended(writer: Writer): void
  /** The answer broke off: the connection cannot be used any more. */
  broken(writer: Writer, reason: Error): void
  takeOver(writer: Writer): { readonly stream: Duplex; readonly head: Buffer }
}

/**
 * Writes one answer of an HTTP/1.1 connection (RFC 9112). While earlier answers are not complete, what it is given
 * is held back, so that answers leave in the order of their requests (section 9.3.2).
 */
export class Writer implements Sink, Flushed {
  readonly request: HttpRequest
  readonly message: RequestHead
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  bytes = 0
  /** Whether the connection ends with this answer. */
  closesConnection = false
  isEnded = false
  #isFirst = false
  #hasHead = false
  #isChunked = false
  #dropsBody = false
  #needsDrain = false
  #held: (string | Uint8Array)[] = []
  readonly #host: WriterHost

  constructor(host: WriterHost, request: HttpRequest, head: RequestHead) {
    this.#host = host
    this.request = request
    this.message = head
  }

  /** Whether the final head was given. */
  get hasHead(): boolean {
    return this.#hasHead
  }

  inform(status: number, headers: HeadersInit): void {
    if (this.message.minor === 0 || this.#hasHead) return
    this.interim(interimText(status, headers))
  }

  /** Bytes of an interim answer. */
  interim(text: string): void {
    this.#text(text)
  }

  head(response: HttpResponse, length: number | null): void {
    const { message, request } = this
    this.#hasHead = true
    const isHead = request.method === 'HEAD'
    this.#dropsBody = isHead || isBodyless(response.status)
    this.#isChunked = length === null && message.minor === 1 && !this.#dropsBody
    const isDelimited = this.#dropsBody || this.#isChunked || length !== null
    const keepAlive =
      isDelimited &&
      message.keepAlive &&
      !response.closes &&
      request.refused === null &&
      this.#host.mayKeepAlive(this)
    this.closesConnection = !keepAlive
    this.#text(headText(response, { minor: message.minor, isHead, length, keepAlive }))
  }

  write(piece: Uint8Array | string): boolean {
    if (this.#dropsBody || piece.length === 0) return true
    const bytes = typeof piece === 'string' ? bytesOf(piece) : piece
    if (this.#isChunked) this.#text(`${bytes.length.toString(16)}\r\n`)
    this.#bytes(bytes)
    if (this.#isChunked) this.#text('\r\n')
    const hasRoom = this.#isFirst && this.#host.output.queued < this.#host.writeBuffer
    this.#needsDrain = !hasRoom
    return hasRoom
  }

  end(trailers: readonly string[] = []): void {
    if (this.isEnded) return
    if (this.#isChunked) {
      let text = '0\r\n'
      for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`
      this.#text(`${text}\r\n`)
    }
    this.isEnded = true
    if (this.#isFirst) this.#finish()
  }

  reset(reason: Error): void {
    this.#host.broken(this, reason)
  }

  upgrade(response: HttpResponse | null): { readonly stream: Duplex; readonly head: Buffer } {
    this.#hasHead = true
    if (response !== null) this.#text(upgradeText(response))
    this.#host.output.flush()
    return this.#host.takeOver(this)
  }

  /** Its turn has come: what was held back goes out. */
  activate(): void {
    this.#isFirst = true
    const held = this.#held
    this.#held = []
    for (const piece of held) this.#put(piece)
    if (this.isEnded) this.#finish()
    else this.drained()
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

  #finish(): void {
    this.#host.output.notify(this)
    this.#host.ended(this)
  }

  #text(latin1: string): void {
    if (this.#isFirst) this.#put(latin1)
    else this.#held.push(latin1)
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#isFirst) this.#put(bytes)
    else this.#held.push(bytes)
  }

  #put(piece: string | Uint8Array): void {
    this.bytes += piece.length
    if (typeof piece === 'string') this.#host.output.text(piece)
    else this.#host.output.bytes(piece)
  }
}
