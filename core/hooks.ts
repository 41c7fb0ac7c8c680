import type { Duplex } from 'node:stream'
import type { Diagnostic, HttpError } from './errors.ts'
import type { ConnectionInfo } from './listener.ts'
import type { PluginServer } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'

/** How an exchange ended: the way the message went out, not its status. */
export interface Outcome {
  readonly result: 'sent' | 'aborted' | 'failed' | 'timeout' | 'upgraded' | 'refused'
  /** Bytes written to the transport, head included. */
  readonly bytes: number
  /** Bytes of the body among them, before chunk framing. */
  readonly bodyBytes: number
  /** From the end of the request's head. */
  readonly milliseconds: number
  readonly error?: Error | undefined
}

/** What a `connection` tap returns to claim a stream, and who takes an upgraded one over. */
export interface ConnectionOwner {
  readonly name: string
  /** Finish politely within `deadline` milliseconds. */
  drain(deadline: number): void
  destroy(reason: Error): void
}

/** What a tap answers that leaves it to the others. */
export type Nothing = undefined | void
type Callback<Answer> = (error?: Error | null, answer?: Answer) => void

/** A tap's label, or label and stage. */
export type TapOptions = string | { readonly name: string; readonly stage?: number | undefined }
/** Label and stage: on these hooks the place is a matter of safety, so it must be said. */
export type StagedOptions = { readonly name: string; readonly stage: number }

/** A hook whose taps answer at once. */
export interface SyncTaps<Args extends unknown[], Answer, Options = TapOptions> {
  /**
   * Adds a tap.
   *
   * @throws Error after the start: hooks are sealed then; and for a tap without the stage that the hook asks for.
   */
  tap(options: Options, fn: (...args: Args) => Answer): void
}

/** A hook whose taps may take their time. */
export interface AsyncTaps<Args extends unknown[], Answer, Options = TapOptions>
  extends SyncTaps<Args, Answer, Options> {
  /** For async functions. Each costs every request some microseconds. */
  tapPromise(options: Options, fn: (...args: Args) => Promise<Answer>): void
  /** For what mostly answers at once: call `callback(error, answer)` exactly once. */
  tapAsync(options: Options, fn: (...args: [...Args, callback: Callback<Answer>]) => void): void
}

/** The hooks of a site. ARCHITECTURE.md shows when each fires. */
export interface SiteHooks {
  /** Who answers the request: the first answer wins. */
  readonly handle: AsyncTaps<[request: HttpRequest], HttpResponse | Nothing, StagedOptions>
  /** How an error looks. The first answer wins; without one the text of a 5xx is hidden. */
  readonly error: SyncTaps<[error: HttpError, request: HttpRequest], HttpResponse | Nothing>
  /** Builds the representation: change the fork and return nothing, or return another response. */
  readonly transform: AsyncTaps<
    [response: HttpResponse, request: HttpRequest],
    HttpResponse | Nothing,
    StagedOptions
  >
  /** Fits the response to this request: fields only, never the representation. */
  readonly deliver: SyncTaps<[response: HttpResponse, request: HttpRequest], Nothing>
  /** Runs once for every request, when its last byte is out or will never be. */
  readonly done: SyncTaps<[request: HttpRequest, response: HttpResponse | null, outcome: Outcome], Nothing>
}

/** The hooks of a server. */
export interface ServerHooks {
  /** Before any port opens: disks, certificates. A failure stops the start. */
  readonly start: AsyncTaps<[server: PluginServer], Nothing>
  /** A new stream: return an owner to claim it, else the kernel speaks HTTP/1.1 on it. */
  readonly connection: SyncTaps<
    [stream: Duplex, info: ConnectionInfo],
    ConnectionOwner | Nothing,
    StagedOptions
  >
  /** The answer to a message that is refused before any site sees it. */
  readonly protocolError: SyncTaps<[error: HttpError, request: HttpRequest], HttpResponse | Nothing>
  /** Faults that have no client to tell. Without a tap they go to stderr. */
  readonly report: SyncTaps<[diagnostic: Diagnostic], Nothing>
  /** At the swap of a reload, on the old generation: stop timers, probes, watchers. */
  readonly retire: SyncTaps<[server: PluginServer], Nothing>
  /**
   * When the server begins to stop, while it still serves as before: tell those who send it clients, and wait until they
   * have understood. All taps run at once; the ports close when the last one has ended, at the latest when the deadline
   * of the stop has passed, which this time counts against. Only a server that listens has it.
   */
  readonly drain: AsyncTaps<[server: PluginServer], Nothing>
  /** After the last request of the generation. */
  readonly stop: AsyncTaps<[server: PluginServer, reason: 'reload' | 'shutdown' | 'failed'], Nothing>
}
