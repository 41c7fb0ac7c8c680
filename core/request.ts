import type { RequestBody } from './body.ts'
import { wallTime } from './clock.ts'
import { checkPreconditions, type Preconditions } from './conditional.ts'
import { parseCookies } from './cookies.ts'
import { describe, HttpError, printable, type Refused } from './errors.ts'
import { type Forwarded, readForwarded } from './forwarded.ts'
import { isToken } from './head-syntax.ts'
import { flatFields, type HeadersInit, HttpHeaders } from './headers.ts'
import type { Preparers } from './hook.ts'
import { closeBodyLimits, defaultExchangeLimits, type ExchangeLimits } from './limits.ts'
import type { ConnectionInfo, Peer } from './listener.ts'
import { type Log, logTo } from './log.ts'
import { canonicalPath } from './path.ts'
import { bodyOf, peerOf, type RequestInit, trustedBy } from './request-init.ts'
import type { Retirement } from './retirement.ts'
import type { Sink } from './sink.ts'
import type { Site } from './site.ts'
import { type Slot, type SlotHolder, Slots, SlotValues } from './slots.ts'
import type { Tap } from './tap.ts'
import { hostnameOf, originForm } from './target.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

const nobody: Peer = Object.freeze({ address: '', port: 0 })

/**
 * A request, valid until its `done`, also after an await. What nobody reads is never parsed.
 */
export class HttpRequest implements SlotHolder {
  /** Of HTTP: `1.0`, `1.1` or `2`; of a refused message what was read of it, `-` when that is no version. */
  readonly version: string
  readonly method: string
  /** What the client sent. */
  readonly target: string
  readonly headers: HttpHeaders
  /** The canonical path: what guards, scopes, routers, files and caches read. */
  path = '/'
  /** Milliseconds since 1970 when the head was complete. */
  readonly receivedAt: number
  /** Why the message was refused; such a request runs on the site `-` and reaches no `handle`. */
  refused: Refused | null
  /** @internal When the head was complete, by the clock of deadlines. */ readonly startedAt: number
  /** @internal */ readonly init: RequestInit
  /** @internal */ currentSite: Site | null = null
  /** @internal The async tap that everybody waits for. */ pendingTap: Tap | null = null
  /** @internal The tap that was entered last. */ tap: Tap | null = null
  /** @internal */ canRewrite = false
  /** @internal Whose scopes had it before its path was settled. */ preparedBy: Preparers | null = null
  /** @internal */ allowed: Set<string> | null = null
  /** @internal */ sink: Sink | null = null
  /** @internal Where {@link retired} comes from. */ retirement: Retirement | null = null
  /** @internal */ trailerFields: readonly string[] | null = null
  readonly #fields: readonly string[]
  /** Null unless the peer is one of them. */
  readonly #proxies: TrustedProxies | null
  #forwarded: Forwarded | null = null
  #restriction: string | null = null
  #query: URLSearchParams | null = null
  #search = ''
  #hostname: string | null = null
  #cookies: ReadonlyMap<string, string> | null = null
  #body: RequestBody | null = null
  #limits: ExchangeLimits | null = null
  #slots: SlotValues | null = null
  #log: Log | null = null
  #abort: AbortController | null = null
  #abortReason: Error | null = null
  #retired: AbortSignal | null = null

  constructor(init: RequestInit) {
    this.version = init.protocol ?? '1.1'
    this.method = init.method
    this.target = init.target
    this.#fields = init.fields ?? flatFields(init.headers)
    this.headers = new HttpHeaders(this.#fields)
    this.receivedAt = wallTime()
    this.startedAt = init.startedAt ?? performance.now()
    this.refused = init.refused ?? null
    this.init = init
    this.#proxies = trustedBy(init)
  }

  /** The site that answers, with what its plugins share. */
  get site(): SlotHolder & { readonly name: string } {
    return this.currentSite as Site
  }

  /** The connection, or null for a request that came without one (`inject`). */
  get connection(): ConnectionInfo | null {
    return this.init.connection ?? null
  }

  /** Who asked: the peer of the connection, or the client that `trustedProxies` tell of. */
  get client(): Peer {
    return this.#told()?.client ?? peerOf(this.init) ?? nobody
  }

  /** `http` or `https`: as the transport says, or `trustedProxies`. */
  get scheme(): string {
    return this.#told()?.scheme ?? this.init.scheme ?? (this.init.tls === undefined ? 'http' : 'https')
  }

  /** The authority as sent: what `trustedProxies` name, else that of an absolute target, else Host, else empty. */
  get host(): string {
    return this.#told()?.host ?? this.init.authority ?? this.headers.get('host') ?? ''
  }

  /**
   * Whether the peer of the connection is one of `trustedProxies`. Then TLS and the client certificate of
   * {@link connection} are the proxy's, made for itself and not for one client or host.
   */
  get isFromTrustedProxy(): boolean {
    return this.#proxies !== null
  }

  /** The host in lower case, without port and trailing dot. */
  get hostname(): string {
    this.#hostname ??= hostnameOf(this.host)
    return this.#hostname
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search)
    return this.#query
  }

  /** The query as sent, with its question mark; empty without one. */
  get search(): string {
    return this.#search
  }

  /** The cookies that the client sent, the first of each name. Anybody can have made them up. */
  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= parseCookies(this.headers.get('cookie'))
    return this.#cookies
  }

  get body(): RequestBody {
    this.#body ??= bodyOf(this.init, this)
    return this.#body
  }

  /** Bytes of the body that have come from the client, before any decoding; 0 while nobody has asked for it. */
  get bodyBytes(): number {
    return this.#body?.received ?? 0
  }

  /** @internal The body if anybody has looked at it. */
  get bodyIfUsed(): RequestBody | null {
    return this.#body
  }

  /** The fields behind a chunked body, once it has been read to its end; empty before, and without any. */
  get trailers(): HttpHeaders {
    return new HttpHeaders(this.trailerFields ?? [])
  }

  /**
   * The limits of this exchange, which may be changed; `bodyBytes`, `bodyTimeout` and `bodyMinRate` until the body's first
   * pull: then they are read-only.
   */
  get limits(): ExchangeLimits {
    this.#limits ??= { ...(this.currentSite as Site).limits }
    return this.#body?.isPulled === true ? closeBodyLimits(this.#limits) : this.#limits
  }

  /** @internal The limits without a copy, for reading; the defaults while no site has taken the request. */
  get effectiveLimits(): Readonly<ExchangeLimits> {
    return this.#limits ?? this.currentSite?.limits ?? defaultExchangeLimits
  }

  /** Aborts when the client leaves, a deadline passes or the server is forced to stop; never on a clean end. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#abortReason !== null) this.#abort.abort(this.#abortReason)
    }
    return this.#abort.signal
  }

  /**
   * Aborts when the server asks what is open to come to its end: a reload has put another config in charge, or the
   * server stops. An answer that goes on for long, or waits for something to happen, ends on it, and its client finds
   * the new config when it comes back; what does not is left alone by a reload, and cut by a stop at its deadline.
   * {@link HttpResponse.events} does it by itself.
   *
   * @example A body without end, which ends all the same
   * async function* ticks({ retired }: HttpRequest) {
   *   while (!retired.aborted) {
   *     yield 'tick\n'
   *     await setTimeout(1_000, null, { signal: retired }).catch(() => null)
   *   }
   * }
   */
  get retired(): AbortSignal {
    this.#retired ??= this.retirement?.signalFor(this) ?? new AbortController().signal
    return this.#retired
  }

  /** Messages for the operator that carry the plugin's name, and what {@link Slots} has as this request's id. */
  get log(): Log {
    this.#log ??= logTo(diagnostic => {
      const { plugin, hook, name: tap } = this.tap ?? {}
      const { name: site, report } = this.currentSite as Site
      report({ ...diagnostic, plugin, hook, tap, site, request: this.summary })
    })
    return this.#log
  }

  get<T>(slot: Slot<T>): T {
    // Nothing was set yet: most slots that are asked for are empty, and emptiness costs nothing.
    if (this.#slots === null && slot.first === null) return undefined as T
    this.#slots ??= new SlotValues()
    return this.#slots.get(slot)
  }

  set<T>(slot: Slot<T>, value: T): void {
    this.#slots ??= new SlotValues()
    this.#slots.set(slot, value)
  }

  /**
   * Gives the request another target: path and query follow, `target` and the log keep the client's.
   *
   * @throws Error outside a `handle` tap before `Handle.Early`: later taps would see a path that no guard saw.
   */
  rewrite(target: string): void {
    if (!this.canRewrite) throw new Error('request.rewrite() works only in handle taps before Handle.Early')
    this.locate(target)
  }

  /**
   * Says which methods the path has, when a plugin knows the path but not the method. With no other answer the
   * kernel gives 405 with Allow, or 204 to OPTIONS.
   *
   * @throws TypeError for what is not a method.
   */
  allow(...methods: string[]): void {
    methods.forEach(mustBeMethod)
    this.allowed ??= new Set()
    for (const method of methods) this.allowed.add(method)
  }

  /**
   * Says that the answer depends on who the client is, whatever carried the credential: shared caches then treat
   * it like an answer to a request with Authorization.
   */
  restrict(reason: string): void {
    this.#restriction ??= reason
  }

  /** Why the answer depends on who the client is; null when nobody called {@link restrict}. Caches read it. */
  get restriction(): string | null {
    return this.#restriction
  }

  /**
   * Checks the request's preconditions against the present state, before an unsafe method takes effect
   * (RFC 9110 section 13.2.2).
   *
   * @throws HttpError 412 when one is false.
   */
  preconditions(state: Preconditions): void {
    if (checkPreconditions(this, state) !== 'go') throw new HttpError(412)
  }

  /**
   * Sends an interim answer, for example 103 Early Hints. Dropped for HTTP/1.0 and after the head of the answer.
   *
   * @throws TypeError for a status that is not 102 to 199 (100 belongs to the kernel, 101 to upgrade).
   */
  inform(status: number, headers: HeadersInit): void {
    if (!Number.isInteger(status) || status < 102 || status > 199) {
      throw new TypeError(`inform: status must be 102 to 199, got ${status}`)
    }
    this.sink?.inform(status, headers)
  }

  /**
   * @internal Whether the client may get less than the whole: any precondition came (RFC 9110 section 13.1: all their
   * names begin with `if-`), or a range.
   */
  get hasConditions(): boolean {
    const fields = this.#fields
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!
      if (name === 'range' || name.startsWith('if-')) return true
    }
    return false
  }

  /** @internal Sets path and query from a target; throws PathError. */
  locate(target: string): void {
    const form = originForm(target, this.method)
    const question = form.indexOf('?')
    const path = question === -1 ? form : form.slice(0, question)
    this.path = path === '*' ? '*' : canonicalPath(path)
    this.#search = question === -1 ? '' : form.slice(question)
    this.#query = null
  }

  /** @internal Aborts {@link signal} and fails a body that is still being read. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#body?.fail(reason)
    this.#abort?.abort(reason)
  }

  /** @internal Method, target and id for a diagnostic. */
  get summary(): string {
    const id = this.get(Slots.requestId)
    const line = `${printable(this.method, 32)} ${printable(this.target)}`
    return id === undefined ? line : `${line} (${printable(id, 64)})`
  }

  /** What trusted proxies tell. */
  #told(): Forwarded | null {
    if (this.#proxies === null) return null
    this.#forwarded ??= readForwarded(this.headers, this.#proxies)
    return this.#forwarded
  }
}

function mustBeMethod(method: string): void {
  if (typeof method === 'string' && isToken(method)) return
  throw new TypeError(
    `allow: a method must be a token such as "GET" (RFC 9110 section 9.1), got ${describe(method)}`,
  )
}
