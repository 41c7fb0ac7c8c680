import { asError, type Diagnostic } from './errors.ts'
import { dropped, faultOf, overrun } from './faults.ts'
import { FileSlice } from './file-slice.ts'
import { checkedTrailers, isBodyless } from './head-bytes.ts'
import { MultipartRanges } from './multipart-ranges.ts'
import { Pump, type PumpHost } from './pump.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse, Trailers } from './response.ts'
import { lengthOf } from './response-body.ts'
import type { Sink } from './sink.ts'

/** What the sending of an answer tells its exchange. */
export interface SendingHost {
  /** Runs what a timer or a body has set off: whatever it throws is caught. */
  guarded(step: () => void): void
  report(diagnostic: Diagnostic): void
  /** Ends the body, which nobody will get. */
  discardAnswer(): void
  /** The body failed before the head was out: another answer may take its place. */
  failedUnsent(error: Error): void
  /** The body failed behind its head. */
  failedSent(error: Error): void
  /** The message breaks off behind its head. */
  breakOff(error: Error, isOurs: boolean): void
}

/** An answer that was committed to, on its way into the sink: the head with the first bytes, the body, the trailers. */
export class Sending implements PumpHost {
  /** Bytes of the body that went to the sink. */
  bodyBytes = 0
  /** Whether the head went to the sink: no other answer can take its place. */
  hasHead = false
  readonly #response: HttpResponse
  readonly #request: HttpRequest
  readonly #sink: Sink
  readonly #host: SendingHost
  /** The number of bytes that the head promises; null when only the end will tell. */
  readonly length: number | null
  #pump: Pump | null = null
  /** Everything was given to the sink, or nothing more will be. */
  #isOver = false

  constructor(response: HttpResponse, request: HttpRequest, sink: Sink, host: SendingHost) {
    this.#response = response
    this.#request = request
    this.#sink = sink
    this.#host = host
    // RFC 9110 section 15.3.6: a 205 says that it has no content.
    this.length = response.status === 205 ? 0 : (response.declaredLength ?? lengthOf(response.body))
  }

  start(): void {
    const { body, status } = this.#response
    const hasNone = body === null || isBodyless(status) || status === 205
    if (hasNone || this.#request.method === 'HEAD') {
      if (hasNone && body !== null && lengthOf(body) !== 0)
        this.#host.report(dropped(status, this.#request, this.#response.givenBy))
      this.#host.discardAnswer()
      return this.#end(null)
    }
    if (typeof body === 'string' || body instanceof Uint8Array) {
      this.sending(this.length!)
      this.#sink.write(body)
      return this.#end(this.#response.trailerPart)
    }
    this.#pump = new Pump(body, this.length, this.#sink, this)
    this.#pump.start()
    // The head waits for the first bytes of this turn, so that a body that fails at once can still be a 500; that of
    // a file waits for the disk, since a file that is gone or changed shows when it is opened.
    if (!(body instanceof FileSlice || body instanceof MultipartRanges))
      setImmediate(() => this.#host.guarded(() => this.#commitHead()))
  }

  /** Whether there is more to send. */
  get isUnderWay(): boolean {
    return !this.#isOver
  }

  /** Nobody waits for the rest: the body's source ends. */
  stop(): void {
    this.#isOver = true
    this.#pump?.stop()
    this.#pump = null
  }

  sending(bytes: number): void {
    this.#commitHead()
    this.bodyBytes += bytes
  }

  finished(): void {
    this.#host.guarded(() => this.#end(this.#response.trailerPart))
  }

  failed(error: Error): void {
    this.#pump = null
    this.#isOver = true
    this.#host.guarded(() => (this.hasHead ? this.#host.failedSent(error) : this.#host.failedUnsent(error)))
  }

  overran(declared: number): void {
    this.#host.report(overrun(declared, this.#request, this.#response.givenBy))
  }

  #commitHead(): void {
    if (this.hasHead || this.#isOver) return
    this.hasHead = true
    this.#sink.head(this.#response, this.length)
  }

  #end(trailers: Trailers | null): void {
    if (this.#isOver) return
    this.#commitHead()
    this.#isOver = true
    if (trailers === null) return this.#sink.end()
    const fields = this.#fieldsOf(trailers)
    if (fields !== null) this.#sink.end(fields)
  }

  /**
   * The fields behind the body. When they fail, a body of unknown length breaks off (null): its head has announced
   * them, and whoever waits for them must not take it for a whole.
   */
  #fieldsOf(trailers: Trailers): readonly string[] | null {
    try {
      return checkedTrailers(trailers)
    } catch (thrown) {
      const error = asError(thrown)
      this.#host.report(faultOf(error, this.#request, this.#response.givenBy))
      if (this.length !== null) return []
      this.#host.breakOff(error, true)
      return null
    }
  }
}
