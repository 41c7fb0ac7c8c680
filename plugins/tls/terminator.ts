import type { Duplex } from 'node:stream'
import type { TLSSocketOptions } from 'node:tls'
import type { ConnectionInfo, ConnectionOwner, Diagnostic, PluginServer } from 'rawhttp'
import type { CertificateTable } from './certificate-table.ts'
import { HandshakeCounts } from './counts.ts'
import { developmentPair } from './development.ts'
import { Handshake, type HandshakeHost } from './handshake.ts'
import { offerMetrics } from './metrics.ts'
import type { TlsSettings } from './options.ts'
import type { Pair } from './pair.ts'
import type { Sources } from './sources.ts'
import { CertificateStore } from './store.ts'
import { TicketKeys } from './ticket-keys.ts'
import { Turns } from './turns.ts'
import { Warnings } from './warnings.ts'
import { Watched } from './watched.ts'

/** How often the age of ticket keys and certificates is looked at when files are not, in milliseconds. */
const BEAT = 10_000

/** TLS of one generation: its certificates, and the handshakes that are made with them. */
export class TlsTerminator implements HandshakeHost {
  readonly server: PluginServer
  readonly turns: Turns
  readonly asksClient: boolean
  readonly isClientRequired: boolean
  /** Whether there is more than one certificate to choose from. */
  readonly hasSeveral: boolean
  readonly #settings: TlsSettings
  readonly #sources: Sources
  readonly #ticketKeys: () => TicketKeys
  readonly #counts: () => HandshakeCounts
  /** The development certificate, if there is one: a reload keeps what could not be written anywhere. */
  readonly #development: () => { pair: Pair | null }
  readonly #warnings: Warnings
  #store: CertificateStore | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(server: PluginServer, settings: TlsSettings, sources: Sources) {
    this.server = server
    this.turns = new Turns(settings.maxHandshakes)
    this.asksClient = settings.clientCertificates !== undefined
    this.isClientRequired = settings.clientCertificates?.required ?? false
    this.hasSeveral = sources.pairs.length > 1
    this.#settings = settings
    this.#sources = sources
    this.#warnings = new Warnings(diagnostic => server.report(diagnostic))
    this.#counts = server.keep('counts', { create: () => new HandshakeCounts() })
    this.#ticketKeys = server.keep('ticket-keys', { create: () => new TicketKeys() })
    this.#development = server.keep<{ pair: Pair | null }>('development', { create: () => ({ pair: null }) })
    offerMetrics(server, this)
    this.#warn()
  }

  /** What became of handshakes. Callable from the start on. */
  get counts(): HandshakeCounts {
    return this.#counts()
  }

  /** The certificates in use, in the order of the options. */
  get pairs(): readonly Pair[] {
    return this.#store!.pairs
  }

  /** The certificates as they are now. */
  get table(): CertificateTable {
    return this.#store!.table
  }

  /** Makes the certificates ready, and begins to look after them. */
  async start(): Promise<void> {
    const report = (diagnostic: Diagnostic) => this.server.report(diagnostic)
    const { pairs, ca } = this.#sources
    const { isClientRequired } = this
    await this.#ticketKeys().share(this.server.peers)
    const used = pairs.length > 0 ? pairs : [await this.#developmentSource(report)]
    this.#store = new CertificateStore({ pairs: used, ca, isClientRequired, report }, this.#ticketKeys())
    this.#nextBeat()
  }

  /** Claims a stream. */
  take(stream: Duplex, info: ConnectionInfo): ConnectionOwner {
    return new Handshake(stream, info, this)
  }

  socketOptions(): TLSSocketOptions {
    const { table } = this
    return {
      isServer: true,
      secureContext: table.first.context,
      ALPNProtocols: ['http/1.1'],
      requestCert: this.asksClient,
      // OpenSSL turns away who has none; what it is worth is looked at afterwards.
      rejectUnauthorized: this.isClientRequired,
      ...(this.hasSeveral
        ? { SNICallback: (name, callback) => callback(null, table.select(name).context) }
        : {}),
    }
  }

  /** Looks after nothing any more. Handshakes that are under way go on. */
  rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  async #developmentSource(report: (diagnostic: Diagnostic) => void): Promise<Watched<Pair>> {
    const kept = this.#development()
    kept.pair ??= await developmentPair(report)
    const { pair } = kept
    return await Watched.open([], async () => pair)
  }

  #warn(): void {
    for (const { value } of this.#sources.pairs) this.#warnings.about(value)
  }

  #nextBeat(): void {
    const { watch, ticketRotation } = this.#settings
    const pause = Math.min(watch === false ? BEAT : watch, ticketRotation)
    this.#timer = setTimeout(() => void this.#beat(), pause).unref()
  }

  async #beat(): Promise<void> {
    const timer = this.#timer
    try {
      await this.#lookAfter(this.#store!)
    } catch (thrown) {
      const { message } = thrown as Error
      this.server.report({ code: 'TLS_KEPT', message, severity: 'error', cause: thrown })
    }
    // It may have been told to rest in the meantime.
    if (this.#timer === timer) this.#nextBeat()
  }

  async #lookAfter(store: CertificateStore): Promise<void> {
    const { watch, ticketRotation } = this.#settings
    if (watch !== false) await store.look()
    await this.#ticketKeys().rotate(ticketRotation)
    this.#warn()
  }
}
