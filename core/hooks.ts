import type { Duplex } from 'node:stream'
import {
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncBailHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable'
import type { Diagnostic, HttpError } from './errors.ts'
import { describe } from './errors.ts'
import type { ConnectionInfo } from './listener.ts'
import type { PluginServer } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'
import { type Check, Hook, type HookContext, type HookSpec } from './tap.ts'

export type { Tap } from './tap.ts'

/** How an exchange ended: the way the message went out, not its status. */
export interface Outcome {
  readonly result: 'sent' | 'aborted' | 'failed' | 'timeout' | 'upgraded' | 'refused'
  /** Bytes written to the transport, head included. */
  readonly bytes: number
  /** From the end of the request's head. */
  readonly milliseconds: number
  readonly error?: Error | undefined
}

/** What a `connection` tap returns to claim a stream. */
export interface ConnectionOwner {
  readonly name: string
  /** Finish politely within `deadline` milliseconds. */
  drain(deadline: number): void
  destroy(reason: Error): void
}

type Nothing = undefined | void
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
  /** After the last request of the generation. */
  readonly stop: AsyncTaps<[server: PluginServer, reason: 'reload' | 'shutdown' | 'failed'], Nothing>
}

const nothing: Check = (answer, tap) => {
  if (answer === undefined || answer === null) return undefined
  throw new TypeError(`expected nothing, got ${describe(answer)}${promiseHint(answer, tap.kind)}`)
}

const response: Check = (answer, tap) => {
  if (answer === undefined || answer === null) return undefined
  if (answer instanceof HttpResponse) return answer
  throw new TypeError(
    `expected an HttpResponse or nothing, got ${describe(answer)}${promiseHint(answer, tap.kind)}`,
  )
}

// Each tap gets a fork of its own to change, also when the tap before it put another response in its place.
const replacement: Check = (answer, tap) => (response(answer, tap) as HttpResponse | undefined)?.seal().fork()

const owner: Check = answer => {
  if (answer === undefined || answer === null) return undefined
  const { drain, destroy } = answer as Partial<ConnectionOwner>
  if (typeof drain === 'function' && typeof destroy === 'function') return answer
  throw new TypeError(`expected an owner { name, drain, destroy } or nothing, got ${describe(answer)}`)
}

function promiseHint(answer: unknown, kind: string): string {
  const thenable = typeof (answer as { then?: unknown })?.then === 'function'
  return thenable && kind === 'sync' ? '; an async function needs tapPromise' : ''
}

const spec = (name: string, check: Check, rest: Partial<HookSpec> = {}): HookSpec => ({
  name,
  check,
  isAsync: false,
  needsStage: false,
  isObserver: false,
  requestAt: -1,
  ...rest,
})

/** @internal The hooks of one site: tapable instances behind guards. */
export class SiteHookTable implements SiteHooks {
  readonly handle: Hook<AsyncSeriesBailHook<[HttpRequest], HttpResponse>>
  readonly error: Hook<SyncBailHook<[HttpError, HttpRequest], HttpResponse | undefined>>
  readonly transform: Hook<AsyncSeriesWaterfallHook<[HttpResponse, HttpRequest]>>
  readonly deliver: Hook<SyncWaterfallHook<[HttpResponse, HttpRequest]>>
  readonly done: Hook<SyncHook<[HttpRequest, HttpResponse | null, Outcome]>>

  constructor(context: HookContext) {
    this.handle = new Hook(
      new AsyncSeriesBailHook(['request']),
      spec('handle', response, { isAsync: true, needsStage: true, requestAt: 0 }),
      context,
    )
    this.error = new Hook(
      new SyncBailHook(['error', 'request']),
      spec('error', response, { requestAt: 1 }),
      context,
    )
    this.transform = new Hook(
      new AsyncSeriesWaterfallHook(['response', 'request']),
      spec('transform', replacement, { isAsync: true, needsStage: true, requestAt: 1 }),
      context,
    )
    this.deliver = new Hook(
      new SyncWaterfallHook(['response', 'request']),
      spec('deliver', nothing, { requestAt: 1 }),
      context,
    )
    this.done = new Hook(
      new SyncHook(['request', 'response', 'outcome']),
      spec('done', nothing, { isObserver: true, requestAt: 0 }),
      context,
    )
  }

  /** Every hook in the order in which a request meets it. */
  get all(): readonly Hook[] {
    return [this.handle, this.error, this.transform, this.deliver, this.done]
  }
}

/** @internal The hooks of one server generation. */
export class ServerHookTable implements ServerHooks {
  readonly start: Hook<AsyncSeriesHook<[PluginServer]>>
  readonly connection: Hook<SyncBailHook<[Duplex, ConnectionInfo], ConnectionOwner | undefined>>
  readonly protocolError: Hook<SyncBailHook<[HttpError, HttpRequest], HttpResponse | undefined>>
  readonly report: Hook<SyncHook<[Diagnostic]>>
  readonly retire: Hook<SyncHook<[PluginServer]>>
  readonly stop: Hook<AsyncSeriesHook<[PluginServer, 'reload' | 'shutdown' | 'failed']>>

  constructor(context: HookContext) {
    this.start = new Hook(new AsyncSeriesHook(['server']), spec('start', nothing, { isAsync: true }), context)
    this.connection = new Hook(
      new SyncBailHook(['stream', 'info']),
      spec('connection', owner, { needsStage: true }),
      context,
    )
    this.protocolError = new Hook(
      new SyncBailHook(['error', 'request']),
      spec('protocolError', response, { requestAt: 1 }),
      context,
    )
    this.report = new Hook(
      new SyncHook(['diagnostic']),
      spec('report', nothing, { isObserver: true }),
      context,
    )
    this.retire = new Hook(new SyncHook(['server']), spec('retire', nothing, { isObserver: true }), context)
    this.stop = new Hook(
      new AsyncSeriesHook(['server', 'reason']),
      spec('stop', nothing, { isAsync: true }),
      context,
    )
  }

  get all(): readonly Hook[] {
    return [this.start, this.connection, this.protocolError, this.report, this.retire, this.stop]
  }
}
