import type { Duplex } from 'node:stream'
import { Answers, type AnswersHost } from './answers.ts'
import { DeadlineError, type Deadlines, type Timed } from './deadlines.ts'
import type { Diagnostic } from './errors.ts'
import type { ConnectionOwner } from './hooks.ts'
import type { ListenerLimits } from './limits.ts'
import { Lingering } from './lingering.ts'
import type { ConnectionInfo } from './listener.ts'
import { Output, type OutputHost } from './output.ts'
import type { HttpRequest } from './request.ts'
import { type EndsIdle, RequestReader, type RequestReaderHost } from './request-reader.ts'
import type { HttpResponse } from './response.ts'
import { leave, type OnRead, pause, readAlone, readShared } from './shared-reads.ts'
import type { HandedOver, Sink } from './sink.ts'
import { HEAD_IN_PART, type Unfinished, upgradedBy } from './unfinished.ts'
import { Writer } from './writer.ts'

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly deadlines: Deadlines
  readonly isStopping: boolean
  readonly endsIdle: EndsIdle
  dispatch(request: HttpRequest, sink: Sink): void
  report(diagnostic: Diagnostic): void
  /** A plugin has taken a connection over, and wants to be told when it has to end. */
  owned(connection: Connection): void
}

const OPEN = 0
/** Handed over by an upgrade. */
const UPGRADED = 1
/** Over; what is still to go out is with {@link Lingering}. */
const CLOSED = 2

/**
 * HTTP/1.1 on one stream: a reader of requests, the answers in their order, and between them the life of the
 * stream: how it flows, when it is late, how it ends. Whoever made it tells it when the stream fails and closes.
 */
export class Connection implements Timed, AnswersHost, RequestReaderHost, OutputHost {
  readonly stream: Duplex
  readonly info: ConnectionInfo
  readonly deadlines: Deadlines
  readonly output: Output
  readonly answers: Answers
  deadline = Number.POSITIVE_INFINITY
  before: Timed | null = null
  after: Timed | null = null
  /** Who speaks on the stream since an upgrade, if they want to be told when it has to end. */
  owner: ConnectionOwner | null = null
  readonly #host: ConnectionHost
  readonly #reader: RequestReader
  #state = OPEN
  #isPaused = false
  /** Since when the client is not read and nothing has left either. */
  #quietSince = 0

  constructor(stream: Duplex, info: ConnectionInfo, limits: ListenerLimits, host: ConnectionHost) {
    this.stream = stream
    this.info = info
    this.deadlines = host.deadlines
    this.#host = host
    this.output = new Output(stream, this)
    this.answers = new Answers(this, limits)
    this.#reader = new RequestReader(this, limits)
  }

  get isStopping(): boolean {
    return this.#host.isStopping
  }

  get endsIdle(): EndsIdle {
    return this.#host.endsIdle
  }

  get hasInputEnded(): boolean {
    return this.#reader.hasInputEnded
  }

  dispatch(request: HttpRequest, sink: Sink): void {
    this.#host.dispatch(request, sink)
  }

  report(diagnostic: Diagnostic): void {
    this.#host.report(diagnostic)
  }

  // --- the stream's life ---------------------------------------------------------------------------------------

  /** Begins to read. */
  start(): void {
    const stream: Spoken = this.stream
    stream[spoken] = this
    stream.on('data', onData).on('end', onEnd)
    readShared(stream, onRead)
    this.deadlines.add(this)
    // A layer that has looked at the stream may have paused it, or seen its end.
    stream.resume()
    if (stream.readableEnded) this.inputEnded()
    if (stream.closed) this.closed()
    this.#settle()
  }

  /** Answers what is open, then closes. Idle connections close at once. */
  drain(): void {
    this.#settle()
  }

  /** Ends now, whatever is open. */
  destroy(reason: Error): void {
    const looksWhole = this.#unsent().some(({ endsWithConnection }) => endsWithConnection)
    if (this.#state === CLOSED) this.output.fail(reason)
    else this.#finish(reason)
    if (looksWhole) this.info.reset()
    else this.stream.destroy()
  }

  /** What its client would lose if it ended now. */
  unfinished(): readonly Unfinished[] {
    const { info } = this
    const lost = this.#unsent().map(({ request, doing }): Unfinished => {
      const what = this.#state === UPGRADED ? upgradedBy(this.owner) : doing
      return { info, request, doing: what, since: request.startedAt }
    })
    const { headSince } = this.#reader
    if (headSince !== null) lost.push({ info, request: null, doing: HEAD_IN_PART, since: headSince })
    return lost
  }

  /** The answers that are not out. */
  #unsent(): readonly Writer[] {
    return [...this.output.waiting.filter(waiter => waiter instanceof Writer), ...this.answers.writers]
  }

  /** Bytes came; lent ones are somebody else's when this returns. */
  received(chunk: Buffer, isLent: boolean): void {
    if (this.#state !== OPEN) return
    this.#reader.feed(chunk, isLent)
    this.#settle()
  }

  inputEnded(): void {
    if (this.#state !== OPEN) return
    this.#reader.inputEnded()
    this.answers.clientEnded()
    this.wake()
  }

  /** The stream failed. */
  failed(error: Error): void {
    if (this.#state !== CLOSED) this.#finish(error)
  }

  /** The stream is gone. */
  closed(): void {
    if (this.#state === CLOSED) return
    // Mostly nobody waits for anything: then no error is made, whose stack would cost as much as a request.
    const isAwaited = this.#state === OPEN && (!this.answers.isEmpty || this.output.isAwaited)
    this.#finish(isAwaited ? new Error('the client closed the connection') : null)
  }

  // --- flow ----------------------------------------------------------------------------------------------------

  wake(): void {
    if (this.#state !== OPEN || this.#reader.isReading) return
    this.#reader.readOn()
    this.#settle()
  }

  #settle(): void {
    if (this.#state !== OPEN) return
    if (this.answers.isEmpty && this.#reader.isDone) return this.#closeSoon()
    this.#flow()
    this.#arm()
  }

  #flow(): void {
    const mayFlow = this.#reader.mayFlow()
    if (mayFlow !== this.#isPaused) return
    this.#isPaused = !mayFlow
    this.#quietSince = this.deadlines.now()
    if (!mayFlow) return pause(this.stream)
    readShared(this.stream, onRead)
    this.stream.resume()
  }

  // Over TLS every write is stuck for a moment. Nothing but the write has changed what the clock goes by.
  stuck(): void {
    if (this.#state === OPEN) this.deadline = Math.min(this.deadline, this.#nextLook())
  }

  taken(): void {
    if (this.#state !== OPEN) return
    if (this.#isPaused) this.#quietSince = this.deadlines.now()
    this.answers.drained()
    // Otherwise nobody waits for it, and the deadline that it may have set looks again by itself.
    if (this.#isPaused) this.wake()
  }

  // --- what the answers ask ------------------------------------------------------------------------------------

  mayReuse(response: HttpResponse): boolean {
    return this.#reader.mayReuse(response)
  }

  advanced(): void {
    this.#reader.answered()
    this.wake()
  }

  endedByAnswer(): void {
    this.#closeSoon()
  }

  // What was made before goes out first: the answers before this one are whole, and a reset would take them along.
  broken(reason: Error, showsCut: boolean): void {
    if (this.#state === OPEN) return this.#closeSoon(reason, !showsCut)
    if (this.#state === CLOSED) return
    this.output.flush()
    this.#finish(reason)
    this.info.reset()
  }

  handOver(): HandedOver {
    const { stream } = this
    const head = this.#reader.end()
    this.#state = UPGRADED
    this.deadline = Number.POSITIVE_INFINITY
    stream.off('data', onData).off('end', onEnd)
    leave(stream)
    // A listener for 'data' sets the stream flowing then; after a pause() it would not.
    Object.assign(stream, { readableFlowing: null })
    const own = (owner: ConnectionOwner) => {
      this.owner = owner
      this.#host.owned(this)
    }
    return { stream, head, own }
  }

  // --- the end -------------------------------------------------------------------------------------------------

  /** No answer will follow: the stream is left to end politely. */
  #closeSoon(reason: Error | null = null, cuts = false): void {
    const { stream, output, deadlines, info, hasInputEnded } = this
    const { writeTimeout } = this.answers
    const { mayDrop } = this.#reader
    const isAwaited = reason === null && !this.answers.isEmpty
    this.#end(isAwaited ? new Error('the connection ended with an earlier answer') : reason)
    stream.off('data', onData).off('end', onEnd)
    readAlone(stream)
    const reset = () => info.reset()
    new Lingering({ stream, output, deadlines, writeTimeout, mayDrop, hasInputEnded, cuts, reset }).start()
  }

  #finish(reason: Error | null): void {
    if (reason !== null) this.output.fail(reason)
    this.#end(reason)
  }

  #end(reason: Error | null): void {
    this.#state = CLOSED
    this.owner = null
    this.deadlines.delete(this)
    this.#reader.end()
    this.answers.closed(reason)
  }

  // --- the clock -----------------------------------------------------------------------------------------------

  #arm(): void {
    if (this.#state !== OPEN) return
    this.deadline = Math.min(this.#reader.deadline, this.#nextLook(), this.#quietDeadline())
  }

  // Nearly always nothing waits, and the clock need not be read.
  #nextLook(): number {
    if (this.stream.writableLength === 0) return Number.POSITIVE_INFINITY
    return this.output.nextLook(this.deadlines.now(), this.answers.writeTimeout)
  }

  // That a client has left shows only to who reads or writes. While neither happens, an answer under way that says
  // nothing would be kept for ever.
  #quietDeadline(): number {
    if (!this.#isPaused || !this.answers.isSending || this.output.queued > 0) return Number.POSITIVE_INFINITY
    return this.#quietSince + this.answers.writeTimeout
  }

  expire(now: number): void {
    if (this.output.stalled(now) >= this.answers.writeTimeout)
      return this.#cut('the client did not take the answer within limits.writeTimeout')
    if (now > this.#quietDeadline())
      return this.#cut('nothing was sent within limits.writeTimeout, and what came stayed unread')
    this.#reader.expire(now)
    this.#settle()
  }

  #cut(why: string): void {
    this.#finish(new DeadlineError(why))
    this.info.reset()
  }
}

// One function each for all connections, which finds its connection by the stream: an idle connection then costs
// no closures.
const spoken = Symbol('rawhttp.connection')
type Spoken = Duplex & { [spoken]?: Connection }

function onData(this: Spoken, chunk: Buffer): void {
  this[spoken]!.received(chunk, false)
}

const onRead: OnRead = function (this: Spoken, length, bytes) {
  this[spoken]!.received(bytes.subarray(0, length), true)
  return true
}

function onEnd(this: Spoken): void {
  this[spoken]!.inputEnded()
}
