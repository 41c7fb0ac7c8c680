import type { Duration } from './config/types.ts'
import { parseDuration } from './config/units.ts'
import { asError, describe } from './errors.ts'
import { EventRun, type EventsClient, type EventsSource, type EventsTimes } from './event-run.ts'
import type { ResponseInit } from './response.ts'
import { destroyBody, isIterable, type ResponseBody } from './response-body.ts'

/** What `HttpResponse.events` takes beside the source. */
export interface EventsInit extends Exclude<ResponseInit, number> {
  /**
   * The pause without events after which a comment goes out, so that proxies do not take the connection for dead and a
   * client that is gone shows; it may be late by half a second. 0 = none. Default: `'15s'`.
   */
  readonly heartbeat?: Duration | undefined
  /**
   * The time within which clients come back when the server has asked the stream to end: each is told a moment of its
   * own between half of it and the whole, by a last `retry`. Where the source has sent a `retry` that one stays. 0 = they
   * are told nothing, and come back all at once after some seconds. Default: `'4s'`.
   */
  readonly reconnectWithin?: Duration | undefined
}

/** The body of an event stream, before it is known for whom it runs: as a part of an answer it may go to many. */
export class EventStream implements AsyncIterable<string> {
  readonly #source: EventsSource
  readonly #times: EventsTimes

  /** @throws TypeError for a source or a time that is none. */
  constructor(source: EventsSource, { heartbeat = 15_000, reconnectWithin = 4_000 }: EventsInit) {
    if (typeof source !== 'function' && !isIterable(source)) {
      const expected = 'an async iterable or a function that gives one'
      throw new TypeError(`events: expected ${expected}, got ${describe(source)}`)
    }
    this.#source = source
    this.#times = {
      heartbeat: time('heartbeat', heartbeat),
      reconnectWithin: time('reconnectWithin', reconnectWithin),
    }
  }

  /** The stream for one client. */
  runFor(client: EventsClient): EventRun {
    return new EventRun(this.#source, this.#times, client)
  }

  /** The events alone, for somebody who reads them without sending them. */
  [Symbol.asyncIterator](): EventRun {
    return new EventRun(this.#source, this.#times, null)
  }

  /** Ends a source that is open already. */
  destroy(): void {
    if (typeof this.#source !== 'function') destroyBody(this.#source as ResponseBody)
  }
}

function time(name: 'heartbeat' | 'reconnectWithin', value: Duration): number {
  try {
    return parseDuration(value)
  } catch (error) {
    throw new TypeError(`events: ${name}: ${asError(error).message}`)
  }
}
