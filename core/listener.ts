import { chmod } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'
import type { PeerCertificate } from 'node:tls'
import { withoutMapping } from './address-list.ts'
import type { ResolvedListen } from './config/types.ts'
import { removeStaleSocket } from './stale-socket.ts'
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
  #text: string
  #url = ''

  constructor(config: ResolvedListen, onSocket: (socket: Socket, listener: Listener) => void) {
    this.#config = config
    this.#onSocket = onSocket
    this.#text = config.path ?? placeOf(config.host, config.port)
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

  /** @throws the system's error, with `code`, `listener` and its place `at` in the config, when it cannot be had. */
  async open(onError: (error: Error) => void): Promise<void> {
    const { path, mode, tls } = this.config
    this.#server.on('connection', socket => this.#onSocket(socket, this))
    await this.#listen().catch(async (error: NodeJS.ErrnoException) => {
      if (path === null || error.code !== 'EADDRINUSE' || !(await removeStaleSocket(path))) throw error
      await this.#listen()
    })
    this.#server.on('error', onError)
    if (path === null) this.#opened(this.#server.address() as AddressInfo, tls)
    else {
      if (mode !== null) await this.#allow(path, mode)
      this.#url = `unix:${path}`
    }
  }

  #listen(): Promise<void> {
    const { path, host, port, at } = this.config
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => reject(Object.assign(error, { listener: this.text, at }))
      this.#server.once('error', failed)
      this.#server.listen(path === null ? { host, port } : { path }, () => {
        this.#server.off('error', failed)
        resolve()
      })
    })
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
    if (this.#server.listening) this.#server.close()
  }
}

function placeOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

let connections = 0

/** What is known of a socket when it is accepted. */
export function infoOf(socket: Socket, { config, text, local, proxies }: Listener): ConnectionInfo {
  const isTcp = config.path === null
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
