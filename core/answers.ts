import type { RequestHead } from './framing.ts'
import { defaultExchangeLimits, type ListenerLimits } from './limits.ts'
import type { Output } from './output.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import type { HandedOver, Sink } from './sink.ts'
import { Writer, type WriterHost } from './writer.ts'

/** What the answers of a connection ask of it. */
export interface AnswersHost {
  readonly output: Output
  readonly hasInputEnded: boolean
  dispatch(request: HttpRequest, sink: Sink): void
  /** Whether a request may follow the last one, when that is answered so. */
  mayReuse(response: HttpResponse): boolean
  /** An answer is complete, and the connection goes on. */
  advanced(): void
  /** An answer is complete that ends the connection. */
  endedByAnswer(): void
  /** An answer broke off; the flag says whether a connection that merely ends shows it. */
  broken(reason: Error, showsCut: boolean): void
  handOver(): HandedOver
}

/** In the place of the list of a connection that has nothing to answer. Never changed. */
const nothing: Writer[] = []

/** The open answers of a connection, in the order of their requests (RFC 9112 section 9.3.2). */
export class Answers implements WriterHost {
  readonly #host: AnswersHost
  readonly #limits: ListenerLimits
  #writers = nothing
  /** That of the answer that was complete last: its end may still wait for the client. */
  #writeTimeout = defaultExchangeLimits.writeTimeout

  constructor(host: AnswersHost, limits: ListenerLimits) {
    this.#host = host
    this.#limits = limits
  }

  get output(): Output {
    return this.#host.output
  }

  get writeBuffer(): number {
    return this.#limits.writeBuffer
  }

  get hasInputEnded(): boolean {
    return this.#host.hasInputEnded
  }

  get isEmpty(): boolean {
    return this.#writers.length === 0
  }

  /** Whether the connection ends with the last answer, whatever comes behind its request. */
  get isLastFinal(): boolean {
    const last = this.#last()
    if (last === undefined) return false
    // Nobody knows where the next message would begin behind a refused one, whenever its answer comes.
    return last.closesConnection || !last.message.keepAlive || last.request.refused !== null
  }

  /** Whether there is room for another answer, and no upgrade in its way. */
  get hasRoom(): boolean {
    if (this.#writers.length >= this.#limits.pipelineDepth || this.#last()?.upgrade !== undefined)
      return false
    return this.output.queued + this.output.behind < this.writeBuffer
  }

  /** The open answers, the one whose turn it is first. */
  get writers(): readonly Writer[] {
    return this.#writers
  }

  /** Whether the head of the answer whose turn it is was given. */
  get isSending(): boolean {
    return this.#writers[0]?.hasHead === true
  }

  /** How long the client may take nothing of what waits for it. */
  get writeTimeout(): number {
    return this.#writers[0]?.request.effectiveLimits.writeTimeout ?? this.#writeTimeout
  }

  /** Opens the answer to a request. */
  open(request: HttpRequest, head: RequestHead): Writer {
    const writer = new Writer(this, request, head)
    if (this.#writers !== nothing) this.#writers.push(writer)
    else {
      this.#writers = [writer]
      writer.activate()
    }
    return writer
  }

  /**
   * Has a request answered. One that offers an upgrade waits until it is the only one and its end was read: whoever
   * takes the stream over gets the bytes behind it.
   */
  dispatch(writer: Writer): void {
    if (writer.upgrade === undefined) this.#host.dispatch(writer.request, writer)
    else writer.isPostponed = true
  }

  /** Dispatches the request that was postponed, if its turn has come. */
  dispatchPostponed(): void {
    const first = this.#writers[0]
    if (first?.isPostponed === true) this.#dispatchNow(first)
  }

  #dispatchNow(writer: Writer): void {
    writer.isPostponed = false
    this.#host.dispatch(writer.request, writer)
  }

  mayKeepAlive(writer: Writer, response: HttpResponse): boolean {
    // Answers that come behind it were asked for on this connection.
    return writer !== this.#last() || this.#host.mayReuse(response)
  }

  ended(): void {
    if (this.#advance()) this.#host.advanced()
    else this.#host.endedByAnswer()
  }

  /** Gives the turn to the next one. A loop, since all that waited may be complete already. */
  #advance(): boolean {
    while (this.#writers[0]?.isEnded === true) {
      const first = this.#writers[0]!
      if (this.#writers.length === 1) this.#writers = nothing
      else this.#writers.shift()
      this.#writeTimeout = first.request.effectiveLimits.writeTimeout
      this.output.notify(first)
      if (first.closesConnection) return false
      this.#writers[0]?.activate()
      this.dispatchPostponed()
    }
    return true
  }

  broken(reason: Error, showsCut: boolean): void {
    this.#host.broken(reason, showsCut)
  }

  takeOver(): HandedOver {
    return this.#host.handOver()
  }

  /** The client has ended its side: nobody will speak another protocol, nor end what has no end of its own. */
  clientEnded(): void {
    for (const writer of [...this.#writers]) {
      // One that broke off has ended the connection, and those behind it with it.
      if (!this.#writers.includes(writer)) continue
      writer.upgrade = undefined
      if (writer.isPostponed) this.#dispatchNow(writer)
      if (writer.isOpenEnded) writer.clientEnded()
    }
  }

  /** The transport took what was queued. */
  drained(): void {
    this.#writers[0]?.drained()
  }

  /**
   * The connection is over: null when it was handed over. A request that is still postponed was never begun, like the
   * bytes behind it: no hook has seen it, and none will.
   */
  closed(reason: Error | null): void {
    const writers = this.#writers
    this.#writers = nothing
    for (const writer of writers) writer.closed(reason)
  }

  #last(): Writer | undefined {
    return this.#writers.at(-1)
  }
}
