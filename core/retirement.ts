import type { HttpRequest } from './request.ts'

/** Requests that are told in one turn: each may end an answer, and everybody else waits meanwhile. */
const TOLD_A_TURN = 32

/**
 * Asks the open requests of a generation to come to their end, since another one is in charge or the server stops. Only
 * those are known here of which somebody has read `request.retired`.
 */
export class Retirement {
  readonly #open = new Map<HttpRequest, AbortController>()
  #reason: Error | null = null

  /** The signal of a request, until {@link forget}. It is aborted already if the time has come before. */
  signalFor(request: HttpRequest): AbortSignal {
    const controller = new AbortController()
    if (this.#reason === null) this.#open.set(request, controller)
    else controller.abort(this.#reason)
    return controller.signal
  }

  /** The request has ended by itself. */
  forget(request: HttpRequest): void {
    if (this.#open.size > 0) this.#open.delete(request)
  }

  /** Tells all of them, over as many turns as it takes. Once is enough: later calls do nothing. */
  begin(reason: Error): void {
    if (this.#reason !== null) return
    this.#reason = reason
    this.#tell(reason)
  }

  #tell(reason: Error): void {
    let told = 0
    for (const [request, controller] of this.#open) {
      if (told === TOLD_A_TURN) return void setImmediate(() => this.#tell(reason))
      told++
      this.#open.delete(request)
      controller.abort(reason)
    }
  }
}
