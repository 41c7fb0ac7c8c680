import { Readable } from 'node:stream'
import { asError } from './errors.ts'
import { bytesOf, pieces, type ResponseBody } from './response-body.ts'
import type { Sink } from './sink.ts'

/** Told by a pump how far it is. */
export interface PumpHost {
  /** The first bytes are there: the head goes out with them. */
  commit(): void
  finished(): void
  /** The body failed, or was not of the length that it declared. */
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
  #wake: (() => void) | null = null

  constructor(body: Exclude<ResponseBody, null>, declared: number | null, sink: Sink, host: PumpHost) {
    this.#body = body
    this.#declared = declared
    this.#remaining = declared ?? Number.POSITIVE_INFINITY
    this.#sink = sink
    this.#host = host
  }

  start(): void {
    this.#sink.onDrain = () => {
      const wake = this.#wake
      this.#wake = null
      wake?.()
    }
    this.#run().catch(error => this.#fail(error))
  }

  /** Ends the body's source; nothing more is told to the host. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#wake?.()
    this.#close()
  }

  async #run(): Promise<void> {
    this.#iterator = pieces(this.#body)[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await this.#iterator.next()
      if (this.#isStopped) return
      if (done === true) break
      if (!this.#fits(bytesOf(value))) return
      if (this.#wake === null) continue
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      if (this.#isStopped) return
    }
    this.#isStopped = true
    if (this.#remaining > 0 && this.#declared !== null) {
      this.#host.failed(
        new Error(`the body ended ${this.#remaining} bytes short of its length ${this.#declared}`),
      )
    } else this.#host.finished()
  }

  /** Sends a piece; false when it was the last that fits. */
  #fits(bytes: Buffer): boolean {
    if (bytes.length === 0) return true
    const overran = bytes.length > this.#remaining
    const piece = overran ? bytes.subarray(0, this.#remaining) : bytes
    this.#remaining -= piece.length
    this.#host.commit()
    if (!this.#sink.write(piece)) this.#wake = nothing
    if (!overran) return true
    this.#isStopped = true
    this.#close()
    this.#host.overran(this.#declared!)
    this.#host.finished()
    return false
  }

  #fail(thrown: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#close()
    this.#host.failed(asError(thrown))
  }

  // A generator that waits for something cannot be returned until it goes on; the request's signal tells it to.
  #close(): void {
    if (this.#body instanceof Readable) this.#body.destroy()
    else this.#iterator?.return?.()?.then(undefined, nothing)
  }
}

const nothing = (): void => undefined
