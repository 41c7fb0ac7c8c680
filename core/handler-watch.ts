import type { Deadlines, Timed } from './deadlines.ts'
import { HttpError } from './errors.ts'
import type { HttpRequest } from './request.ts'
import { type Tap, tapText } from './tap.ts'

/**
 * The time that a request's handler has until its answer is there. What it spends waiting for bytes of the client
 * does not count.
 */
export class HandlerWatch implements Timed {
  deadline: number
  before: Timed | null = null
  after: Timed | null = null
  readonly #request: HttpRequest
  readonly #deadlines: Deadlines
  readonly #startedAt: number
  readonly #onLate: () => void

  constructor(request: HttpRequest, deadlines: Deadlines, onLate: () => void) {
    this.#request = request
    this.#deadlines = deadlines
    this.#startedAt = deadlines.now()
    this.#onLate = onLate
    this.deadline = this.#limit()
    deadlines.add(this)
  }

  stop(): void {
    this.#deadlines.delete(this)
  }

  expire(now: number): void {
    this.deadline = this.#limit()
    if (now <= this.deadline) return
    this.stop()
    this.#onLate()
  }

  #limit(): number {
    const waited = this.#request.bodyIfUsed?.waited(this.#deadlines.now()) ?? 0
    return this.#startedAt + this.#request.effectiveLimits.handlerTimeout + waited
  }
}

/** What becomes of a request whose handler is late; the tap that it waited for is named. */
export function lateError(request: HttpRequest, tap: Tap | null): HttpError {
  const by = tap === null ? 'the handler' : tapText(tap)
  const message = `${by} did not answer within ${request.effectiveLimits.handlerTimeout} ms`
  return new HttpError(503, message, { code: 'HANDLER_TIMEOUT' })
}
