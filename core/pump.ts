import { asError } from './errors.ts'
import { FileSlice } from './file-slice.ts'
import { giveBack } from './read-buffers.ts'
import { bytesOf, destroyBody, pieces, type ResponseBody } from './response-body.ts'
import type { Sink } from './sink.ts'

/** Told by a pump how far it is. */
export interface PumpHost {
  /** Bytes are there: the head goes out with the first of them. */
  sending(bytes: number): void
  finished(): void
  /** The body failed, or ended short of the length that it declared. */
  failed(error: Error): void
  /** The body ran over its declared length; what was too much was cut. */
  overran(declared: number): void
}

/** Moves a body to a sink, one piece after the other, as fast as the client takes them. */
export class Pump {
  readonly #body: Exclude<ResponseBody, null>
  readonly #declared: number | null
  readonly #sink: Sink
  readonly #host: PumpHost
  #iterator: AsyncIterator<Uint8Array | string> | null = null
  #remaining: number
  #isStopped = false
  /** Whether the pieces are in buffers that go back when the sink has taken them. */
  #isLent = false
  /** Whether the sink asked for more since it was last given something. */
  #hasDrained = false
  #resume: (() => void) | null = null

  constructor(body: Exclude<ResponseBody, null>, declared: number | null, sink: Sink, host: PumpHost) {
    this.#body = body
    this.#declared = declared
    this.#remaining = declared ?? Number.POSITIVE_INFINITY
    this.#sink = sink
    this.#host = host
  }

  start(): void {
    // By way of a variable: see the constructor of ExchangeLife.
    const onDrain = () => this.#goOn()
    this.#sink.onDrain = onDrain
    this.#run().catch(error => this.#fail(error))
  }

  /** Ends the body's source; nothing more is told to the host. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#goOn()
    this.#close()
  }

  async #run(): Promise<void> {
    const body = this.#body
    this.#isLent = body instanceof FileSlice
    this.#iterator = body instanceof FileSlice ? body.lent() : pieces(body)[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await this.#iterator.next()
      if (this.#isStopped) return
      if (done === true) return this.#end()
      const piece = bytesOf(value)
      if (piece.length > this.#remaining) return this.#cut(piece)
      if (piece.length > 0 && !this.#send(piece)) await this.#room()
      if (this.#isStopped) return
    }
  }

  #send(piece: Uint8Array): boolean {
    this.#remaining -= piece.length
    this.#host.sending(piece.length)
    this.#hasDrained = false
    if (this.#isStopped) return true
    const taken = this.#isLent ? () => giveBack(piece) : undefined
    return this.#sink.write(piece, taken) || this.#hasDrained
  }

  #room(): Promise<void> {
    return new Promise(resolve => {
      this.#resume = resolve
    })
  }

  #goOn(): void {
    this.#hasDrained = true
    const resume = this.#resume
    this.#resume = null
    resume?.()
  }

  #end(): void {
    this.#isStopped = true
    if (this.#declared === null || this.#remaining === 0) return this.#host.finished()
    const missing = `${this.#remaining} bytes short of its length ${this.#declared}`
    this.#host.failed(new Error(`the body ended ${missing}`))
  }

  /** The last piece has more bytes than were declared. */
  #cut(piece: Buffer): void {
    const rest = piece.subarray(0, this.#remaining)
    if (rest.length > 0) this.#send(rest)
    if (this.#isStopped) return
    this.#isStopped = true
    this.#close()
    this.#host.overran(this.#declared!)
    this.#host.finished()
  }

  #fail(thrown: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#close()
    this.#host.failed(asError(thrown))
  }

  // A generator that waits for something cannot be returned until it goes on; the request's signal tells it to.
  #close(): void {
    this.#return().catch(ignore)
    destroyBody(this.#body)
  }

  async #return(): Promise<void> {
    await this.#iterator?.return?.()
  }
}

const ignore = (): void => undefined
