import type { Duplex } from 'node:stream'
import { ConfigError } from './config/errors.ts'
import { resolveConfig } from './config/resolve.ts'
import { isSameSite } from './config/same-site.ts'
import type { Config, ResolvedConfig, ResolvedListen } from './config/types.ts'
import type { Connection } from './connection.ts'
import { Deadlines } from './deadlines.ts'
import type { Diagnostic } from './errors.ts'
import { Generation, type GenerationHost } from './generation.ts'
import { type InjectedResponse, type InjectOptions, injectedRequest, MemorySink } from './inject.ts'
import { type ConnectionInfo, Listener } from './listener.ts'
import { type Accept, type ListenersHost, NextListeners } from './next-listeners.ts'
import { OldGenerations } from './old-generations.ts'
import { printDiagnostic } from './print-diagnostic.ts'
import type { HttpRequest } from './request.ts'
import type { EndsIdle } from './request-reader.ts'
import { alone, type Seat } from './seat.ts'
import type { Sink } from './sink.ts'
import { Connect } from './stages.ts'
import { type ServerStats, statsOf } from './stats.ts'
import { Stopping, type StoppingHost } from './stopping.ts'
import { Streams, type StreamsHost } from './streams.ts'
import type { Tracer } from './trace/tracing.ts'

/** How a server behaves apart from its config. */
export interface ServerOptions {
  /** Prints diagnostics of severity `info` and stacks too, when no plugin listens. Default: false. */
  readonly verbose?: boolean | undefined
  /** @internal Who wants traces beside the plugins. */
  readonly tracer?: Tracer | undefined
  /** @internal Its seat among other processes that serve the same sites. */
  readonly seat?: Seat | undefined
}

/** An address that the server listens on. */
export interface ListeningAddress {
  /** `http://127.0.0.1:8080`, or `unix:/run/x.sock`. */
  readonly url: string
}

/** What a reload has changed in where the server listens. */
export interface Swapped {
  readonly opened: readonly ListeningAddress[]
  readonly closed: readonly ListeningAddress[]
}

/** A generation that is built and started beside the one that serves. One of the two must be called, and only once. */
export interface NextGeneration {
  /**
   * Puts it in charge: new requests begin in it.
   *
   * @throws Error when the server stops, or another generation has come in between; then `abandon` it.
   */
  commit(): Swapped
  /** Ends it; the other one goes on as if nothing had been. */
  abandon(): Promise<void>
}

/**
 * Makes a server from a config, for programs that do not use the command line. Nothing is open yet: call `listen`,
 * or `inject` requests into it.
 *
 * @param options `dir`: the folder that relative paths count from. Default: the working directory.
 * @throws ConfigError for a mistake in the config, or what a plugin's setup throws.
 *
 * @example
 * const server = await createServer({ plugins: [staticFiles({ root: './public' })] }, { dir: import.meta.dirname })
 * const [{ url }] = await server.listen()
 */
export async function createServer(
  config: Config,
  options: ServerOptions & { readonly dir?: string | undefined } = {},
): Promise<Server> {
  return buildServer(await resolveConfig(config, { file: null, dir: options.dir ?? process.cwd() }), options)
}

/**
 * Builds a server from a checked config: runs the plugins' setups and seals their hooks. Nothing is open yet.
 *
 * @throws Error when tapable cannot work here, or what a plugin's setup throws.
 */
export async function buildServer(config: ResolvedConfig, options: ServerOptions = {}): Promise<Server> {
  mustGenerateCode()
  const server = new Server(config, options)
  await server.load(config)
  return server
}

/** tapable compiles its hooks with `new Function`. */
function mustGenerateCode(): void {
  try {
    new Function('')
  } catch (cause) {
    const sentence = 'rawhttp needs code generation (tapable compiles hooks): start node without'
    throw new Error(`${sentence} --disallow-code-generation-from-strings`, { cause })
  }
}

/** A server: listeners, connections, and the generation that answers new requests. */
export class Server implements StreamsHost, GenerationHost, ListenersHost, StoppingHost {
  readonly deadlines: Deadlines
  /** Numbers of now, and counts since the server was made. */
  readonly stats: ServerStats
  isStopping = false
  /** @internal Whose connections end when they have no request: a stop may give them a moment first. */
  endsIdle: EndsIdle = 'nobody'
  #generation: Generation | null = null
  #started: Promise<void> | null = null
  #stopping: Stopping | null = null
  #stopped: Promise<void> | null = null
  #listeners: readonly Listener[] = []
  /** Whether `listen` was called: a server that is only injected into opens no port by a reload either. */
  #isListening = false
  /** The reload before: they run one after another. */
  #swapping: Promise<void> = Promise.resolve()
  readonly #old = new OldGenerations()
  readonly #streams: Streams
  readonly #options: ServerOptions
  readonly #seat: Seat

  /** @internal Use {@link buildServer} or `createServer`. */
  constructor(config: ResolvedConfig, options: ServerOptions) {
    this.#options = options
    this.#seat = options.seat ?? alone
    this.deadlines = new Deadlines(shortestTimeout(config))
    this.#streams = new Streams(this)
    this.stats = statsOf(this.#streams, () => [...this.#old.all, this.generation])
  }

  /** @internal The first generation. */
  async load(config: ResolvedConfig): Promise<void> {
    this.#generation = await this.build(config)
  }

  /** @internal Runs the setups of a config's plugins. Nothing is started, nothing is to be ended. */
  async build(config: ResolvedConfig): Promise<Generation> {
    const generation = await Generation.build(config, this)
    checkTls(generation)
    return generation
  }

  /** @internal */
  get link(): Seat['link'] {
    return this.#seat.link
  }

  /** @internal */
  get tracer(): Tracer | undefined {
    return this.#options.tracer
  }

  /** @internal Those that are open. */
  get listeners(): readonly Listener[] {
    return this.#listeners
  }

  /** @internal */
  readonly accept: Accept = (socket, listener) => this.#streams.accept(socket, listener)

  /** @internal The generation that new requests begin in. */
  get generation(): Generation {
    return this.#generation!
  }

  /**
   * Runs `start` once and opens the listeners.
   *
   * @returns Where the server can be reached.
   * @throws ConfigError for a listener with `tls: true` and no plugin that terminates TLS; what a `start` tap throws;
   * the system's error with `code` and `listener` for an address that cannot be had.
   */
  async listen(): Promise<readonly ListeningAddress[]> {
    if (this.#listeners.length > 0) throw new Error('listen: the server listens already')
    await this.#start()
    this.#isListening = true
    try {
      for (const config of this.generation.config.listen)
        this.#listeners = [...this.#listeners, await this.open(config, this.accept)]
    } catch (error) {
      for (const listener of this.#listeners) listener.close()
      this.#listeners = []
      this.#isListening = false
      throw error
    }
    return this.#listeners.map(addressOf)
  }

  /** @internal Runs `start` once, and opens nothing. */
  start(): Promise<void> {
    return this.#start()
  }

  /** Answers a request without a socket. Runs `start` first if nothing has. */
  async inject(options: InjectOptions | string = {}): Promise<InjectedResponse> {
    await this.#start()
    const sink = new MemorySink()
    const { trustedProxies } = this.generation.config
    this.dispatch(
      injectedRequest(typeof options === 'string' ? { url: options } : options, trustedProxies),
      sink,
    )
    return sink.response
  }

  /**
   * Sends a request down the line: what a transport calls for every request. The answer goes to the sink.
   * `start` must have run (by `listen` or `inject`).
   */
  dispatch(request: HttpRequest, sink: Sink): void {
    this.#generation!.dispatch(request, sink)
  }

  /**
   * Puts a new config in the place of the old one: it is built and started beside it, then new requests go to it.
   * Requests in flight end in the generation that they began in.
   *
   * @throws what the new config's setups or `start` throw; the old one then goes on as if nothing had been.
   */
  async reload(config: Config): Promise<void> {
    const { file, dir } = this.generation.config
    await this.swap(await resolveConfig(config, { file, dir }))
  }

  /** @internal {@link reload} with a config that is checked already. */
  swap(config: ResolvedConfig): Promise<void> {
    const swapped = this.#swapping.then(() => this.#swap(config))
    this.#swapping = swapped.catch(ignore)
    return swapped
  }

  async #swap(config: ResolvedConfig): Promise<void> {
    const next = await this.prepare(await this.build(config))
    try {
      next.commit()
    } catch (error) {
      await next.abandon()
      throw error
    }
  }

  /**
   * @internal The first half of {@link swap}: a generation is started, and its new listeners are opened. It can wait so,
   * for others that are to change at the same time.
   */
  async prepare(next: Generation): Promise<NextGeneration> {
    await this.#start()
    const old = this.generation
    const listeners = new NextListeners(this)
    const abandon = async () => {
      listeners.abandon()
      await next.stop('failed')
      next.kept.dispose()
    }
    try {
      await next.start(old)
      // A stop that came meanwhile has gone on without it.
      if (this.isStopping) throw stoppedError()
      if (this.#isListening) await listeners.open(next.config.listen)
    } catch (error) {
      await abandon()
      throw error
    }
    return { commit: () => this.#commit(next, old, listeners), abandon }
  }

  #commit(next: Generation, old: Generation, nextListeners: NextListeners): Swapped {
    if (this.isStopping) throw stoppedError()
    if (this.generation !== old) throw new Error('another reload came in between')
    const { config } = next
    this.#generation = next
    this.deadlines.shortest = shortestTimeout(config)
    const { listeners, opened, closed } = nextListeners.commit(config)
    this.#listeners = listeners
    next.kept.commit(site => isSameSite(old.config, config, site))
    this.#old.retire(old, config.reload.oldStreams)
    nextListeners.release()
    return { opened: opened.map(addressOf), closed: closed.map(addressOf) }
  }

  /**
   * Stops: runs `drain`, accepts no more, finishes what is in flight, then runs `stop`. A second call that names
   * a `deadline` may take time away; with 0 it forces.
   *
   * @param options `deadline`: milliseconds after which what is still open is cut. Default: `stop.deadline` of the
   * config. `idle`: milliseconds for further requests on connections that have none: where others go on serving the
   * address, nobody shall have to ask again, and `drain` does not run. First requests then have the time that they
   * always have. Default: 0.
   */
  stop({ deadline, idle = 0 }: { readonly deadline?: number; readonly idle?: number } = {}): Promise<void> {
    const parts = { streams: this.#streams, old: this.#old, started: this.#started }
    const times = { deadline: deadline ?? this.generation.config.stop.deadline, idle }
    this.#stopping ??= new Stopping(this, parts, times)
    this.#stopped ??= this.#stopping.run()
    if (deadline !== undefined) this.#stopping.hurry(deadline)
    return this.#stopped
  }

  /** @internal */
  serve(stream: Duplex, info: ConnectionInfo): void {
    this.#streams.serve(stream, info)
  }

  /** @internal */
  owned(connection: Connection): void {
    this.#streams.owned(connection)
  }

  /** @internal */
  report(diagnostic: Diagnostic): void {
    this.generation.report(diagnostic)
  }

  /** @internal */
  fallbackReport(diagnostic: Diagnostic): void {
    printDiagnostic(diagnostic, this.#options.verbose ?? false)
  }

  #start(): Promise<void> {
    if (this.isStopping) throw stoppedError()
    this.#started ??= this.#startOnce()
    return this.#started
  }

  async #startOnce(): Promise<void> {
    try {
      await this.generation.start(null)
    } catch (error) {
      await this.generation.stop('failed')
      this.generation.kept.dispose()
      throw error
    }
  }

  /** @internal */
  async open(config: ResolvedListen, accept: Accept): Promise<Listener> {
    const listener = new Listener(config, accept, this.#seat.place)
    await listener.open(error => this.#listenerFailed(listener, error))
    if (this.isStopping) {
      listener.close()
      throw stoppedError()
    }
    return listener
  }

  #listenerFailed(listener: Listener, error: Error): void {
    const message = `${listener.text}: ${error.message}`
    this.generation.report({ code: 'LISTENER_FAILED', message, severity: 'error', cause: error })
  }
}

/** A listener for TLS that nobody makes TLS of would speak plain HTTP where clients expect a secret. */
function checkTls({ config, hooks }: Generation): void {
  const isSecured = hooks.connection.taps.some(
    ({ stage }) => stage > Connect.Filter && stage < Connect.Protocol,
  )
  const bare = config.listen.find(listen => listen.tls && !isSecured)
  if (bare === undefined) return
  const problem = 'no plugin terminates TLS for this listener: add tls() to plugins'
  throw new ConfigError({ file: config.file, path: `${bare.at}.tls`, problem })
}

const stoppedError = (): Error => new Error('the server was stopped; make another one')

const addressOf = ({ url }: Listener): ListeningAddress => ({ url })

function shortestTimeout({ listen, limits, sites }: ResolvedConfig): number {
  const timeouts = [limits, ...listen.map(each => each.limits), ...sites.map(site => site.limits)]
  const all = timeouts.flatMap(each =>
    Object.entries(each).filter(([name, value]) => name.endsWith('Timeout') && value > 0),
  )
  return Math.min(...all.map(([, value]) => value))
}

/** Whoever asked for a reload is told of its failure; the next one only waits. */
const ignore = (): void => undefined
