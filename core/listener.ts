import { chmod } from 'node:fs/promises'
import {
  type AddressInfo,
  createServer,
  type ListenOptions,
  type Server as NetServer,
  Socket,
} from 'node:net'
import type { PeerCertificate } from 'node:tls'
import { withoutMapping } from './address-list.ts'
import { ConfigError } from './config/errors.ts'
import type { ResolvedListen } from './config/types.ts'
import { pathOfDescriptor } from './passed-sockets.ts'
import { alone, type Seat } from './seat.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

/** An address and a port; an empty address and port 0 for a Unix socket, and port 0 where none is known. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** What a TLS layer knows of a connection. */
export interface TlsInfo {
  /** `TLSv1.3`. */
  readonly protocol: string
  /** The name that the client asked for, if it named one. */
  readonly serverName?: string | undefined
  readonly alpn?: string | undefined
  readonly peerCertificate?: PeerCertificate | undefined
}

/** What is known of a connection. A layer that learns more passes `{ ...info, client }` on. */
export interface ConnectionInfo {
  readonly id: number
  readonly client: Peer
  readonly local: Peer
  /** The listener's text: `127.0.0.1:8080` or a path. */
  readonly listener: string
  /** Whether the listener has `tls: true`: then somebody has to secure the stream before HTTP is spoken on it. */
  readonly wantsTls: boolean
  /** The layers that the stream came through: `proxy-protocol`, `tls`. */
  readonly via: readonly string[]
  readonly tls?: TlsInfo | undefined
  /** @internal Whom the listener believes about clients, as the config that is in charge has it. */
  readonly proxies?: (() => TrustedProxies | null) | undefined
  /** Resets the connection, below any layer: the client sees an error, never a clean end. */
  reset(): void
}

/** One address that is listened on. */
export class Listener {
  /** The local end of all its connections, where it is one address: then none has to ask the system for it. */
  local: Peer | null = null
  /** One for all its connections: what it answers changes with a reload. */
  readonly proxies = (): TrustedProxies | null => this.#config.trustedProxies
  #config: ResolvedListen
  readonly #server: NetServer
  readonly #onSocket: (socket: Socket, listener: Listener) => void
  readonly #place: Seat['place']
  #text: string
  #url = ''
  #isTcp: boolean

  /** @param place Where it really listens, for one of several workers. */
  constructor(
    config: ResolvedListen,
    onSocket: (socket: Socket, listener: Listener) => void,
    place: Seat['place'] = alone.place,
  ) {
    this.#config = config
    this.#onSocket = onSocket
    this.#place = place
    this.#text = textOf(config)
    this.#isTcp = config.path === null
    // Half-open, because a client may end its side and still wait for the answer (RFC 9112 section 9.6).
    this.#server = createServer({ allowHalfOpen: true, noDelay: true })
  }

  get config(): ResolvedListen {
    return this.#config
  }

  /** A reload has kept the address: what else the new config says holds for connections to come. */
  adopt(config: ResolvedListen): void {
    this.#config = config
  }

  /** As errors name it: `127.0.0.1:8080` or the socket's path. */
  get text(): string {
    return this.#text
  }

  /** Where clients reach it, once it is open. */
  get url(): string {
    return this.#url
  }

  /** Whether its clients come by TCP, and have addresses. Of a socket that was passed, known once it is open. */
  get isTcp(): boolean {
    return this.#isTcp
  }

  /**
   * @throws the system's error, with `code`, `listener` and its place `at` in the config, when it cannot be had;
   * ConfigError when the socket was not passed.
   */
  async open(onError: (error: Error) => void): Promise<void> {
    const { path, fd, mode, tls } = this.config
    this.#server.on('connection', socket => this.#onSocket(socket, this))
    if (fd !== null) await this.#listenOn(fd)
    else await this.#listenAt(path)
    this.#server.on('error', onError)
    const address = this.#server.address()
    if (address !== null && typeof address === 'object') return this.#opened(address, tls)
    this.#isTcp = false
    if (path !== null && mode !== null) await this.#allow(path, mode)
    this.#url = `unix:${this.#text}`
  }

  async #listenAt(path: string | null): Promise<void> {
    const { host } = this.config
    const place = await this.#place(this.config).catch(error => this.#fail(error))
    await this.#listen(path === null ? { host, ...place } : { path })
  }

  async #listenOn(fd: number | string): Promise<void> {
    const path = `${this.config.at}.fd`
    if (typeof fd === 'string') {
      const problem = `no socket of the name '${fd}' was passed to this process`
      throw new ConfigError({ path, problem, hint: 'it is FileDescriptorName= of a socket unit' })
    }
    // Its number may belong to something else by now.
    if (closed.has(fd)) {
      const problem = `${this.text} was closed when a config before let go of it`
      throw new ConfigError({ path, problem, hint: 'it comes back with a restart' })
    }
    // Before it is opened: from then on clients come, who are told where they came to.
    this.#text = (await pathOfDescriptor(fd)) ?? this.#text
    await this.#listen({ fd }).catch(cause => {
      const received = `${this.text}, of which the system says ${cause.code ?? cause.message}`
      throw new ConfigError({ path, expected: 'a socket that listens', received }, { cause })
    })
  }

  #listen(place: ListenOptions & { readonly fd?: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => this.#fail(error).catch(reject)
      this.#server.once('error', failed)
      this.#server.once('listening', () => {
        this.#server.off('error', failed)
        resolve()
      })
      if (place.fd !== undefined && isWorker()) listenOnOwn(this.#server, place.fd)
      else this.#server.listen(place)
    })
  }

  /** Says which listener it is that cannot be opened. */
  async #fail(error: Error): Promise<never> {
    throw Object.assign(error, { listener: this.text, at: this.config.at })
  }

  async #allow(path: string, mode: number): Promise<void> {
    try {
      await chmod(path, mode)
    } catch (error) {
      this.close()
      throw error
    }
  }

  // Port 0 has become a real one.
  #opened({ address, port }: AddressInfo, isTls: boolean): void {
    if (!isWildcard(address)) this.local = Object.freeze(peer(address, port))
    this.#text = placeOf(address, port)
    this.#url = `${isTls ? 'https' : 'http'}://${this.#text}`
  }

  /** Accepts no more. Connections that are open live on. */
  close(): void {
    if (!this.#server.listening) return
    this.#server.close()
    if (typeof this.config.fd === 'number') closed.add(this.config.fd)
  }
}

/** Parts of a server that Node does not document. */
interface Internals {
  _handle: unknown
  _listen2(address: null, port: number, addressType: number): void
}

/** Not imported, since nearly no listener has a descriptor: that is 5 ms of a start. */
const isWorker = (): boolean => process.getBuiltinModule('node:cluster').isWorker

// A worker of `node:cluster` would listen on the descriptor that its primary has by this number, and close it there when
// the last worker ends: nobody could listen on it again. A handle that the server has before it listens is its own.
function listenOnOwn(server: NetServer, fd: number): void {
  const socket = new Socket({ fd, readable: false, writable: false })
  const own = server as unknown as Internals
  own._handle = (socket as unknown as Internals)._handle
  own._listen2(null, -1, -1)
}

/** Descriptors that were passed to the process and closed again: nobody can have them a second time. */
const closed = new Set<number>()

function textOf({ path, host, port, fd }: ResolvedListen): string {
  return fd === null ? (path ?? placeOf(host, port)) : `descriptor ${fd}`
}

/** Address and port in one text: `127.0.0.1:8080`, `[::1]:8080`. */
export function placeOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

let connections = 0

/** What is known of a socket when it is accepted. */
export function infoOf(socket: Socket, { config, text, local, proxies, isTcp }: Listener): ConnectionInfo {
  return {
    id: ++connections,
    client: isTcp ? peer(socket.remoteAddress, socket.remotePort) : nowhere,
    local: isTcp ? (local ?? peer(socket.localAddress, socket.localPort)) : nowhere,
    listener: text,
    wantsTls: config.tls,
    via: direct,
    proxies,
    // A Unix socket has no reset, and Node refuses to try: there the client sees only that the end is missing.
    reset: isTcp ? socket.resetAndDestroy.bind(socket) : () => void socket.destroy(),
  }
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'

const nowhere: Peer = Object.freeze({ address: '', port: 0 })
const direct: readonly string[] = Object.freeze([])

function peer(address = '', port = 0): Peer {
  return { address: withoutMapping(address), port }
}
