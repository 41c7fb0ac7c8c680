import { asError, type Diagnostic } from '../errors.ts'
import { Exchange } from '../exchange.ts'
import type { Generation } from '../generation.ts'
import type { Test } from '../hook.ts'
import type { HttpRequest } from '../request.ts'
import type { Sink } from '../sink.ts'
import type { Site } from '../site.ts'
import { type Recorder, recorderOf } from './recorder.ts'
import { TracedExchange } from './traced-exchange.ts'
import type { RequestTrace } from './types.ts'

/** What a plugin gives to `server.trace`. */
export interface Tracer {
  /**
   * Whether to trace a request: asked once for each, when its path and its site are known and before any tap. Whatever it
   * costs, every request pays; it must not wait. What it throws is reported, and counts as no.
   */
  readonly wants: (request: HttpRequest) => boolean
  /** Gets each trace when its request has ended, behind all `done` taps. What it throws is reported. */
  readonly finished?: ((trace: RequestTrace, request: HttpRequest) => void) | undefined
}

/** A tracer, and whose it is. */
interface Owned {
  readonly tracer: Tracer
  /** Null: the command line's. */
  readonly plugin: string | null
  /** The sites that its plugin serves; null: all. */
  readonly sites: ReadonlySet<string> | null
  /** Of the scopes that its plugin stands in. */
  readonly test: Test | null
}

/** Runs an exchange: chosen once, when a generation is sealed, so that where nobody traces nothing asks whether to. */
export type Begin = (generation: Generation, site: Site, request: HttpRequest, sink: Sink) => void

/** The exchanges of a generation that nobody traces. */
export const beginPlain: Begin = (generation, site, request, sink) =>
  new Exchange(generation, site, site.fired, request, sink).run()

/** Those who trace in one generation. */
export class Tracing {
  readonly #owned: Owned[] = []
  readonly #report: (diagnostic: Diagnostic) => void

  constructor(report: (diagnostic: Diagnostic) => void) {
    this.#report = report
  }

  get isWanted(): boolean {
    return this.#owned.length > 0
  }

  add(owned: Owned): void {
    this.#owned.push(owned)
  }

  /** The trace of a request so far; null for one that is not traced. */
  readonly soFar = (request: HttpRequest): RequestTrace | null => recorderOf(request)?.trace() ?? null

  readonly begin: Begin = (generation, site, request, sink) => {
    // What a tracer may ask for is what a tap may ask for.
    request.currentSite = site
    const wanting = this.#wanting(request)
    if (wanting === null) return new Exchange(generation, site, site.fired, request, sink).run()
    const finished = (recorder: Recorder) => this.#finished(wanting, recorder, request)
    new TracedExchange(generation, site, request, sink, finished).run()
  }

  #wanting(request: HttpRequest): readonly Owned[] | null {
    let wanting: Owned[] | null = null
    for (const owned of this.#owned) {
      if (!this.#isWanted(owned, request)) continue
      if (wanting === null) wanting = [owned]
      else wanting.push(owned)
    }
    return wanting
  }

  // Every request pays for this, traced or not: no closure, and no look at what does not narrow.
  #isWanted(owned: Owned, request: HttpRequest): boolean {
    const { tracer, sites, test } = owned
    try {
      if (sites !== null && !sites.has(request.site.name)) return false
      return (test === null || test(request)) && tracer.wants(request)
    } catch (thrown) {
      this.#failed(owned, thrown)
      return false
    }
  }

  #finished(wanting: readonly Owned[], recorder: Recorder, request: HttpRequest): void {
    const trace = recorder.trace()
    for (const owned of wanting) {
      try {
        owned.tracer.finished?.(trace, request)
      } catch (thrown) {
        this.#failed(owned, thrown)
      }
    }
  }

  #failed({ plugin }: Owned, thrown: unknown): void {
    const cause = asError(thrown)
    const message = `${plugin === null ? 'a tracer' : `plugin "${plugin}", its tracer`} failed: ${cause.message}`
    this.#report({ code: 'TRACER_FAILED', message, severity: 'error', plugin: plugin ?? undefined, cause })
  }
}
