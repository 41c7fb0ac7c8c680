import type { Duplex } from 'node:stream'
import type { BodySource } from './body.ts'
import { DeadlineError, type Deadlines, type Timed } from './deadlines.ts'
import { HttpError, type RefusalId, refused } from './errors.ts'
import { BODY_NONE, type RequestHead } from './framing.ts'
import { interimText } from './head-bytes.ts'
import type { ExchangeLimits, ListenerLimits } from './limits.ts'
import type { ConnectionInfo } from './listener.ts'
import { Output } from './output.ts'
import { Parser, type ParserEvents } from './parser.ts'
import { HttpRequest } from './request.ts'
import type { Sink } from './sink.ts'
import { Writer, type WriterHost } from './writer.ts'

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly deadlines: Deadlines
  readonly isStopping: boolean
  dispatch(request: HttpRequest, sink: Sink): void
  /** The connection is over. */
  closed(connection: Connection): void
}

/** Requests that one connection may have answered in one turn before others get theirs. */
const REQUESTS_A_TURN = 64
/** Body bytes that are read ahead of the handler. */
const READ_AHEAD = 65_536
/** How long a closed connection still takes, and drops, what the client sends (RFC 9112 section 9.6). */
const LINGER = 2_000
/** When the least speed of a body begins to count, and how often it is looked at. */
const RATE_GRACE = 5_000
const RATE_PERIOD = 1_000

const OPEN = 0
/** The last answer is going out or is out; input is dropped. */
const LINGERING = 1
const UPGRADED = 2
const CLOSED = 3

/**
 * HTTP/1.1 on one stream: reads requests, hands them to the server, keeps answers in order, and watches the clock.
 * The read loop is the only place that feeds the parser; everything else asks it to look again.
 */
export class Connection implements ParserEvents, Timed, WriterHost, BodySource {
  readonly stream: Duplex
  readonly info: ConnectionInfo
  readonly output: Output
  readonly writeBuffer: number
  deadline = Number.POSITIVE_INFINITY
  readonly #host: ConnectionHost
  readonly #limits: ListenerLimits
  readonly #parser: Parser
  /** Open answers, in the order of their requests. */
  #writers: Writer[] = []
  /** The request whose body is being read. */
  #reading: HttpRequest | null = null
  /** A request that asks for an upgrade and waits until it is the only one. */
  #postponed: Writer | null = null
  #chunk: Buffer | null = null
  #position = 0
  #inLoop = false
  #ended = 0
  #requests = 0
  #state = OPEN
  #inputEnded = false
  #awaitsContinue = false
  #isPaused = false
  /** Nothing is read after the message that is being answered. */
  #isFinal = false
  #since: number
  #bodySince = 0
  #written = 0
  #writtenSince = 0
  #dropped = 0

  constructor(stream: Duplex, info: ConnectionInfo, limits: ListenerLimits, host: ConnectionHost) {
    this.stream = stream
    this.info = info
    this.writeBuffer = limits.writeBuffer
    this.#limits = limits
    this.#host = host
    this.#parser = new Parser(this, limits)
    this.output = new Output(stream, () => this.#onWritten())
    this.#since = host.deadlines.now()
  }

  /** Begins to read. */
  start(): void {
    const { stream } = this
    stream.on('data', this.#onData)
    stream.on('end', this.#onEnd)
    stream.on('error', this.#onError)
    stream.on('close', this.#onClose)
    this.#host.deadlines.add(this)
    this.#arm()
  }

  /** Answers what is open, then closes. Idle connections close at once. */
  drain(): void {
    if (this.#state === OPEN && this.#writers.length === 0 && !this.#parser.isInHead) this.#closeSoon()
  }

  /** Ends now, whatever is open. */
  destroy(reason: Error): void {
    if (this.#state === CLOSED) return
    this.#finish(reason)
    this.stream.destroy()
  }

  /** Whether a request is being read or answered, or the stream was handed over. */
  get isBusy(): boolean {
    return this.#state === UPGRADED || this.#writers.length > 0 || this.#parser.isInHead
  }

  // --- reading -------------------------------------------------------------------------------------------------

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === LINGERING) return this.#drop(chunk.length)
    this.#chunk = this.#chunk === null ? chunk : Buffer.concat([this.#chunk.subarray(this.#position), chunk])
    this.#position = 0
    this.#read()
  }

  #read(): void {
    if (this.#inLoop || this.#state !== OPEN) return
    this.#inLoop = true
    this.#ended = 0
    this.output.hold()
    while (this.#chunk !== null && this.#mayRead()) {
      const chunk: Buffer = this.#chunk
      this.#position = this.#parser.execute(chunk, this.#position)
      if (this.#position >= chunk.length) this.#chunk = null
      if (this.#ended >= REQUESTS_A_TURN) {
        setImmediate(() => this.#read())
        break
      }
    }
    this.output.release()
    this.#inLoop = false
    this.#settle()
  }

  /** Looks at everything again after something changed outside the read loop. */
  #wake(): void {
    if (this.#inLoop || this.#state !== OPEN) return
    if (this.#chunk !== null && this.#mayRead()) this.#read()
    else this.#settle()
  }

  #settle(): void {
    if (this.#state !== OPEN) return
    if (this.#isOver()) return this.#closeSoon()
    this.#flow()
    this.#arm()
  }

  #isOver(): boolean {
    if (this.#writers.length > 0 || this.#reading !== null || this.#chunk !== null) return false
    return this.#inputEnded || (this.#host.isStopping && !this.#parser.isInHead)
  }

  // Parsing stops between messages while output waits or too many answers are open, within the chunk: pausing the
  // socket alone would let all that one chunk asks for queue up.
  #mayRead(): boolean {
    if (this.#state !== OPEN || this.#isFinal || this.#ended >= REQUESTS_A_TURN) return false
    if (this.#reading !== null) return this.#wantsBody()
    const { length } = this.#writers
    if (length > 0 && this.#writers[length - 1]!.message.upgrade !== null) return false
    if (length > 0 && !this.#writers[length - 1]!.message.keepAlive) return false
    return length < this.#limits.pipelineDepth && this.output.queued < this.writeBuffer
  }

  // A body that nobody asked for yet is read ahead a little; a refused one is dropped as it comes.
  #wantsBody(): boolean {
    const body = this.#reading!.body
    return this.#isDropping() || body.queued < READ_AHEAD
  }

  #isDropping(): boolean {
    const request = this.#reading
    return request !== null && !this.#writers.some(writer => writer.request === request && !writer.isEnded)
  }

  #flow(): void {
    const pause = this.#chunk !== null || !this.#mayFlow()
    if (pause === this.#isPaused) return
    this.#isPaused = pause
    if (pause) this.stream.pause()
    else this.stream.resume()
  }

  #mayFlow(): boolean {
    if (!this.#mayRead()) return false
    return this.#reading === null || this.#isDropping() || this.#reading.body.isPulled
  }

  // --- parser events -------------------------------------------------------------------------------------------

  onBegin(): void {
    this.#since = this.#host.deadlines.now()
  }

  onHead(head: RequestHead): void {
    this.#requests++
    const hasBody = head.framing !== BODY_NONE
    const request = this.#request(head, hasBody ? this : null)
    const writer = this.#open(request, head)
    if (head.method === 'CONNECT' || head.method === 'TRACE') request.refused = refused(`H1-${head.method}`)
    else if (head.expect !== null && head.expect !== '100-continue') request.refused = refused('H1-EXPECT')
    this.#awaitsContinue = head.expect !== null && hasBody
    if (hasBody) {
      this.#reading = request
      this.#bodySince = this.#since
    }
    if (head.upgrade !== null && this.#writers.length > 1) this.#postponed = writer
    else this.#host.dispatch(request, writer)
  }

  onBody(piece: Buffer): void {
    this.#bodySince = this.#host.deadlines.now()
    this.#awaitsContinue = false
    if (this.#isDropping()) this.#drop(piece.length)
    else this.#reading!.body.push(piece)
  }

  onEnd(trailers: readonly string[]): void {
    this.#ended++
    this.#awaitsContinue = false
    this.#since = this.#host.deadlines.now()
    const request = this.#reading
    if (request === null) return
    this.#reading = null
    request.trailerFields = trailers
    request.body.end()
  }

  onRefused(id: RefusalId, head: RequestHead): void {
    const reading = this.#reading
    if (reading !== null) return this.#refuseBody(reading, id)
    this.#refuse(id, head)
  }

  #refuse(id: RefusalId, head: RequestHead): void {
    this.#isFinal = true
    const request = this.#request({ ...head, keepAlive: false, method: head.method || '-' }, null)
    request.refused = refused(id)
    this.#host.dispatch(request, this.#open(request, { ...head, keepAlive: false, upgrade: null }))
  }

  // The request has an answer of its own coming: its body fails, and that becomes the answer.
  #refuseBody(request: HttpRequest, id: RefusalId): void {
    this.#reading = null
    const { status } = refused(id)
    request.body.fail(new HttpError(status, undefined, { code: id }))
    for (const writer of this.#writers) if (writer.request === request) writer.message.keepAlive = false
    if (this.#writers.length === 0) this.#closeSoon()
  }

  #request(head: RequestHead, body: BodySource | null): HttpRequest {
    return new HttpRequest({
      version: head.minor === 1 ? '1.1' : '1.0',
      method: head.method,
      target: head.target,
      authority: head.authority ?? undefined,
      fields: head.fields,
      body,
      contentLength: head.contentLength,
      connection: this.info,
      tls: this.info.tls,
    })
  }

  #open(request: HttpRequest, head: RequestHead): Writer {
    const writer = new Writer(this, request, head)
    this.#writers.push(writer)
    if (this.#writers.length === 1) writer.activate()
    return writer
  }

  // --- a body is wanted ----------------------------------------------------------------------------------------

  want(): void {
    this.#bodySince = this.#host.deadlines.now()
    if (this.#awaitsContinue) this.#continue()
    this.#wake()
  }

  // RFC 9110 section 10.1.1: the client is told to go on only when somebody really reads.
  #continue(): void {
    this.#awaitsContinue = false
    const writer = this.#writers[this.#writers.length - 1]
    if (writer !== undefined && !writer.hasHead) writer.interim(interimText(100))
  }

  // --- writer host ---------------------------------------------------------------------------------------------

  mayKeepAlive(writer: Writer): boolean {
    const { requestsPerConnection } = this.#limits
    if (this.#host.isStopping || this.#inputEnded || this.#parser.isRefused) return false
    if (requestsPerConnection > 0 && this.#requests >= requestsPerConnection) return false
    if (this.#reading !== writer.request || writer.request.body.isPulled) return true
    const { contentLength } = writer.message
    return (
      !this.#awaitsContinue &&
      contentLength !== null &&
      contentLength <= writer.request.effectiveLimits.drainBytes
    )
  }

  ended(writer: Writer): void {
    this.#writers.shift()
    if (writer.closesConnection) return this.#closeSoon()
    const next = this.#writers[0]
    if (next === undefined) this.#since = this.#host.deadlines.now()
    else {
      if (next === this.#postponed) this.#dispatchPostponed(next)
      next.activate()
    }
    if (!this.#inLoop) this.#wake()
  }

  #dispatchPostponed(writer: Writer): void {
    this.#postponed = null
    this.#host.dispatch(writer.request, writer)
  }

  broken(_writer: Writer, reason: Error): void {
    if (this.#state === CLOSED) return
    this.output.flush()
    this.#finish(reason)
    this.info.reset()
  }

  takeOver(writer: Writer): { readonly stream: Duplex; readonly head: Buffer } {
    const { stream } = this
    const head = this.#chunk?.subarray(this.#position) ?? Buffer.alloc(0)
    this.#state = UPGRADED
    this.#chunk = null
    this.#writers = [writer]
    this.deadline = Number.POSITIVE_INFINITY
    stream.off('data', this.#onData)
    stream.off('end', this.#onEnd)
    stream.pause()
    return { stream, head }
  }

  // --- closing -------------------------------------------------------------------------------------------------

  /** Ends the write side; what the client still sends is dropped for a while, so that it can read the answer. */
  #closeSoon(): void {
    if (this.#state !== OPEN) return
    this.#state = LINGERING
    this.#chunk = null
    this.output.flush()
    this.deadline = this.#host.deadlines.now() + LINGER
    this.stream.end()
    if (this.#inputEnded) return this.#destroyWhenFlushed()
    this.#isPaused = false
    this.stream.resume()
  }

  #destroyWhenFlushed(): void {
    if (this.stream.writableFinished) this.stream.destroy()
    else this.stream.once('finish', () => this.stream.destroy())
  }

  #drop(bytes: number): void {
    this.#dropped += bytes
    const limit = this.#drainBytes()
    if (this.#dropped <= limit) return
    if (this.#state === LINGERING) this.#destroyWhenFlushed()
    else this.#closeSoon()
  }

  #drainBytes(): number {
    return (this.#reading?.effectiveLimits as ExchangeLimits | undefined)?.drainBytes ?? READ_AHEAD
  }

  readonly #onEnd = (): void => {
    this.#inputEnded = true
    if (this.#state === LINGERING) return this.#destroyWhenFlushed()
    if (this.#reading !== null) this.#abortReading(new Error('the client ended the connection within a body'))
    if (this.#parser.isInHead && this.#writers.length === 0) return this.#closeSoon()
    this.#wake()
  }

  #abortReading(reason: Error): void {
    const request = this.#reading!
    this.#reading = null
    request.abort(reason)
    for (const writer of this.#writers) if (writer.request === request) writer.message.keepAlive = false
  }

  readonly #onError = (error: Error): void => {
    if (this.#state !== CLOSED) this.#finish(error)
  }

  readonly #onClose = (): void => {
    if (this.#state !== CLOSED)
      this.#finish(this.#state === UPGRADED ? null : new Error('the client closed the connection'))
  }

  #finish(reason: Error | null): void {
    this.#state = CLOSED
    this.#chunk = null
    this.#host.deadlines.delete(this)
    const writers = this.#writers
    this.#writers = []
    this.#reading?.abort(reason ?? new Error('the connection was handed over'))
    this.#reading = null
    for (const writer of writers) writer.closed(reason)
    this.#host.closed(this)
  }

  // --- the clock -----------------------------------------------------------------------------------------------

  #onWritten(): void {
    if (this.#state === CLOSED) return
    this.#writers[0]?.drained()
    this.#wake()
  }

  #arm(): void {
    this.deadline = Math.min(this.#inputDeadline(), this.#writeDeadline())
  }

  #inputDeadline(): number {
    if (this.#isFinal) return Number.POSITIVE_INFINITY
    if (this.#parser.isInHead) return this.#since + this.#limits.headTimeout
    if (this.#reading !== null) return this.#bodyDeadline(this.#reading)
    if (this.#writers.length > 0) return Number.POSITIVE_INFINITY
    return this.#since + (this.#requests === 0 ? this.#limits.headTimeout : this.#limits.idleTimeout)
  }

  #bodyDeadline(request: HttpRequest): number {
    const { bodyTimeout, bodyMinRate } = request.effectiveLimits
    if (this.#isDropping()) return this.#bodySince + LINGER
    if (!request.body.isWaiting) return Number.POSITIVE_INFINITY
    const silence = this.#bodySince + bodyTimeout
    return bodyMinRate === 0 ? silence : Math.min(silence, this.#host.deadlines.now() + RATE_PERIOD)
  }

  #writeDeadline(): number {
    if (this.stream.writableLength === 0) {
      this.#writtenSince = 0
      return Number.POSITIVE_INFINITY
    }
    const taken = this.#taken()
    if (this.#writtenSince === 0 || taken !== this.#written) {
      this.#written = taken
      this.#writtenSince = this.#host.deadlines.now()
    }
    return this.#writtenSince + (this.#writers[0]?.request.effectiveLimits.writeTimeout ?? LINGER)
  }

  /** What the transport has taken: a count that moves when the client reads. */
  #taken(): number {
    const { bytesWritten } = this.stream as { bytesWritten?: number }
    return (bytesWritten ?? 0) - this.stream.writableLength
  }

  expire(now: number): void {
    if (this.#state === LINGERING) {
      this.stream.destroy()
      return
    }
    const write = this.#writeDeadline()
    if (now > write) return this.#timeOut('the client did not take the answer within limits.writeTimeout')
    if (this.#reading !== null) this.#bodyTimedOut(this.#reading, now)
    else if (now > this.#inputDeadline()) return this.#inputTimedOut()
    this.#arm()
  }

  #timeOut(sentence: string): void {
    const reason = new DeadlineError(sentence)
    this.#finish(reason)
    this.info.reset()
  }

  // Half a head gets an answer; a connection that is merely idle ends without one, as RFC 9112 section 9.5 allows.
  #inputTimedOut(): void {
    if (!this.#parser.isInHead) return this.#closeSoon()
    this.#refuse('H1-HEAD-TIMEOUT', this.#parser.partialHead)
    this.#settle()
  }

  #bodyTimedOut(request: HttpRequest, now: number): void {
    const { body } = request
    if (this.#isDropping()) return now > this.#bodySince + LINGER ? this.#closeSoon() : undefined
    if (!body.isWaiting) return
    const { bodyTimeout, bodyMinRate } = request.effectiveLimits
    const waited = body.waited(Date.now())
    const isSlow = bodyMinRate > 0 && waited > RATE_GRACE && (body.received * 1_000) / waited < bodyMinRate
    if (now <= this.#bodySince + bodyTimeout && !isSlow) return
    this.#reading = null
    for (const writer of this.#writers) if (writer.request === request) writer.message.keepAlive = false
    const limit = isSlow ? 'limits.bodyMinRate' : 'limits.bodyTimeout'
    body.fail(new HttpError(408, `the body did not arrive in time (${limit})`, { code: 'BODY_TIMEOUT' }))
  }
}
