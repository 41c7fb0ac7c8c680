import type { Deadlines, Timed } from './deadlines.ts'
import { asError, describe } from './errors.ts'
import { commentText, eventText, type ServerEvent } from './event-text.ts'
import type { HttpRequest } from './request.ts'
import { destroyBody, isIterable, type ResponseBody } from './response-body.ts'

/** What an {@link EventsSource} that is a function gets. */
export interface EventsContext {
  /**
   * The `id` of the last event that the client has seen, from its Last-Event-ID; null when it comes for the first time,
   * and for what no client that follows the standard sends. It is a client's word: check it before use.
   */
  readonly lastEventId: string | null
  /** Aborts when no more events are wanted: the client has left, or the server asks the stream to end. */
  readonly signal: AbortSignal
}

/**
 * Where events come from; a plain string is an event with this data. A function is called when the stream is first read,
 * so never for HEAD, and once for each client that gets the answer.
 */
export type EventsSource = AsyncIterable<ServerEvent | string> | EventsFunction

type EventsFunction = (context: EventsContext) => AsyncIterable<ServerEvent | string>

/** Times of an event stream in milliseconds; 0 = off. */
export interface EventsTimes {
  readonly heartbeat: number
  readonly reconnectWithin: number
}

/** For whom a stream runs. */
export interface EventsClient {
  readonly request: HttpRequest
  readonly deadlines: Deadlines
  /** The source has failed when the client had got its end already. */
  report(error: Error): void
}

type Piece = IteratorResult<string, undefined>

const OVER: Piece = { done: true, value: undefined }
const COMMENT: Piece = { done: false, value: commentText }

const FRESH = 0
const RUNNING = 1
/** The server has asked for the end: the source is over, and the client gets a last word. */
const LEAVING = 2
const ENDED = 3

/**
 * An event stream on its way to one client: each event of its source as text, a comment when the source pauses, and an
 * end when the server asks for it. A pull of the source outlives the comments before its event, so that none is lost.
 */
export class EventRun implements AsyncIterableIterator<string, undefined>, Timed {
  /** When a comment is due; Infinity while nobody waits for a piece: a slow client has enough to read. */
  deadline = Number.POSITIVE_INFINITY
  before: Timed | null = null
  after: Timed | null = null
  readonly #source: EventsSource
  readonly #times: EventsTimes
  readonly #client: EventsClient | null
  #state = FRESH
  #events: AsyncIterable<ServerEvent | string> | null = null
  #iterator: AsyncIterator<ServerEvent | string> | null = null
  /** Tells a source that is a function. */
  #abort: AbortController | null = null
  #isPulling = false
  /** What the source gave, until it is taken. */
  #arrived: Promise<Piece> | null = null
  /** Wakes the reader that waits for a piece. */
  #wake: (() => void) | null = null
  /** Whether the source has told the client itself when to come back. */
  #hasRetry = false
  /** Why the server asked for the end. */
  #asked: Error | null = null

  /** @param client Null: the stream is read, not sent. */
  constructor(source: EventsSource, times: EventsTimes, client: EventsClient | null) {
    this.#source = source
    this.#times = times
    this.#client = client
    if (typeof source !== 'function') this.#events = source
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Piece> {
    if (this.#state === FRESH) this.#begin()
    if (this.#state === RUNNING && this.#arrived === null) await this.#change()
    const arrived = this.#arrived
    this.#arrived = null
    if (arrived !== null) return arrived
    if (this.#state === LEAVING) return this.#lastWord()
    return this.#state === ENDED ? OVER : COMMENT
  }

  async return(): Promise<Piece> {
    this.destroy()
    return OVER
  }

  /** Nobody reads on: the client has left, or wants no body. */
  destroy(): void {
    const hasSource = this.#state < LEAVING
    this.#over(ENDED)
    if (hasSource) this.#endSource(new Error('nobody reads the event stream any more'))
    this.#notify()
  }

  expire(now: number): void {
    if (this.#client!.request.sink?.hasQueued !== true) return this.#notify()
    // Who does not take what is there would not take a comment either.
    this.deadline = now + this.#times.heartbeat
  }

  // --- the source ----------------------------------------------------------------------------------------------

  #begin(): void {
    const client = this.#client
    this.#state = RUNNING
    if (client !== null) {
      const { retired } = client.request
      if (retired.aborted) return this.#leave(retired.reason)
      retired.addEventListener('abort', () => this.#leave(retired.reason), { once: true })
    }
    this.#events ??= this.#made(this.#source as EventsFunction)
    this.#iterator = this.#events[Symbol.asyncIterator]()
    if (this.#times.heartbeat > 0) client?.deadlines.add(this)
  }

  #made(source: EventsFunction): AsyncIterable<ServerEvent | string> {
    this.#abort = new AbortController()
    const lastEventId = this.#client === null ? null : lastEventIdOf(this.#client.request)
    const events = source({ lastEventId, signal: this.#abort.signal })
    if (isIterable(events)) return events
    throw new TypeError(`events: the function must give an async iterable, got ${describe(events)}`)
  }

  #pull(): void {
    this.#isPulling = true
    const pull = this.#pulled()
    pull.then(
      ({ done }) => this.#came(pull, done === true),
      error => this.#failed(pull, asError(error)),
    )
  }

  async #pulled(): Promise<Piece> {
    const { done, value } = await this.#iterator!.next()
    if (done === true) return OVER
    const text = eventText(typeof value === 'string' ? { data: value } : value)
    this.#hasRetry ||= typeof value !== 'string' && value.retry !== undefined
    return { done: false, value: text }
  }

  #came(pull: Promise<Piece>, isLast: boolean): void {
    this.#isPulling = false
    if (this.#state !== RUNNING) return
    this.#arrived = pull
    if (isLast) this.#over(ENDED)
    this.#notify()
  }

  #failed(pull: Promise<Piece>, error: Error): void {
    this.#isPulling = false
    if (this.#state !== RUNNING) return this.#failedLate(error)
    this.#arrived = pull
    this.#over(ENDED)
    // What it gave may be at fault, and the source still open.
    this.#endSource(error)
    this.#notify()
  }

  // --- the reader ----------------------------------------------------------------------------------------------

  /** Until something came, a comment is due, or the stream ends. */
  #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const { heartbeat } = this.#times
    if (heartbeat > 0 && this.#client !== null) this.deadline = this.#client.deadlines.now() + heartbeat
    if (!this.#isPulling) this.#pull()
    return promise
  }

  #notify(): void {
    this.deadline = Number.POSITIVE_INFINITY
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  // --- the end -------------------------------------------------------------------------------------------------

  #leave(reason: Error): void {
    if (this.#state !== RUNNING) return
    this.#asked = reason
    this.#over(LEAVING)
    this.#endSource(reason)
    this.#notify()
  }

  // Clients that were told the same moment, or nothing, would all come back at once.
  #lastWord(): Piece {
    this.#state = ENDED
    const { reconnectWithin } = this.#times
    if (reconnectWithin === 0 || this.#hasRetry) return OVER
    const retry = Math.ceil((reconnectWithin * (1 + Math.random())) / 2)
    return { done: false, value: eventText({ retry }) }
  }

  #over(state: number): void {
    this.#state = state
    this.#client?.deadlines.delete(this)
  }

  // It is told, and not waited for: one that waits for something else may never hear of it.
  #endSource(reason: Error): void {
    this.#abort?.abort(reason)
    this.#returned().catch(error => this.#failedLate(asError(error)))
    destroyBody(this.#events as ResponseBody)
  }

  async #returned(): Promise<void> {
    await this.#iterator?.return?.()
  }

  // A client that left is no news, nor is it that the source stopped when it was told to.
  #failedLate(error: Error): void {
    if (this.#asked !== null && !isEcho(error, this.#asked)) this.#client!.report(error)
  }
}

/** Whether an error only says that a signal was aborted or a stream destroyed, as Node's own functions do. */
function isEcho(error: Error & { readonly code?: unknown }, reason: Error): boolean {
  if (error === reason || error.cause === reason || error.name === 'AbortError') return true
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Last-Event-ID as the event had it. EventSource sends it in UTF-8 (WHATWG HTML, section 9.2.3), while field values are
 * read as latin1: each character is a byte of it.
 */
function lastEventIdOf({ headers }: HttpRequest): string | null {
  const [id, ...more] = headers.getAll('last-event-id')
  if (id === undefined || id === '' || more.length > 0) return null
  try {
    return utf8.decode(Buffer.from(id, 'latin1'))
  } catch {
    return null
  }
}
