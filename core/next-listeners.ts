import type { Socket } from 'node:net'
import type { ResolvedConfig, ResolvedListen } from './config/types.ts'
import type { Listener } from './listener.ts'

/** Takes a socket that a listener has accepted. */
export type Accept = (socket: Socket, listener: Listener) => void

/** Where the listeners are that a reload finds, and how another is opened. */
export interface ListenersHost {
  readonly listeners: readonly Listener[]
  readonly accept: Accept
  open(config: ResolvedListen, accept: Accept): Promise<Listener>
}

/**
 * The listeners of a generation to come: those of the one before whose address it has too, and new ones. Who connects
 * to a new one waits until that generation is in charge: the old one knows nothing of it, of its TLS least of all.
 */
export class NextListeners {
  readonly #host: ListenersHost
  readonly #opened: Listener[] = []
  #waiting: (readonly [Socket, Listener])[] | null = []

  constructor(host: ListenersHost) {
    this.#host = host
  }

  /** @throws what the system says of an address that cannot be had; the others are to be closed by {@link abandon}. */
  async open(listen: readonly ResolvedListen[]): Promise<void> {
    for (const each of listen) {
      if (this.#host.listeners.some(listener => isSame(listener, each))) continue
      try {
        this.#opened.push(await this.#host.open(each, this.#take))
      } catch (error) {
        // Who changes the host of a port finds the port taken by this very server.
        const holder = this.#host.listeners.find(listener => isInTheWay(listener, each))
        throw holder === undefined ? error : Object.assign(error as Error, { heldBy: holder.text })
      }
    }
  }

  /** Closes those that are not in the config; the others go by its word for connections to come. */
  commit({ listen }: ResolvedConfig): {
    readonly listeners: readonly Listener[]
    readonly opened: readonly Listener[]
    readonly closed: readonly Listener[]
  } {
    const closed: Listener[] = []
    const kept: Listener[] = []
    for (const listener of this.#host.listeners) {
      const config = listen.find(each => isSame(listener, each))
      if (config === undefined) listener.close()
      else listener.adopt(config)
      ;(config === undefined ? closed : kept).push(listener)
    }
    return { listeners: [...kept, ...this.#opened], opened: this.#opened, closed }
  }

  /** Lets in who waits, and from now on everybody at once. */
  release(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const [socket, listener] of waiting) {
      socket.off('error', ignore)
      // A client that has left meanwhile is no connection any more.
      if (!socket.destroyed) this.#host.accept(socket, listener)
    }
  }

  /** The generation does not come to be. */
  abandon(): void {
    for (const listener of this.#opened) listener.close()
    for (const [socket] of this.#waiting ?? []) socket.destroy()
    this.#waiting = []
  }

  readonly #take: Accept = (socket, listener) => {
    if (this.#waiting === null) return this.#host.accept(socket, listener)
    this.#waiting.push([socket.on('error', ignore), listener])
  }
}

/** Several may ask for any free port: each has its own by its place in the config. */
function isSame({ config }: Listener, { host, port, path, fd, at }: ResolvedListen): boolean {
  const isPlace = config.host === host && config.port === port && config.path === path && config.fd === fd
  return isPlace && (port !== 0 || path !== null || fd !== null || config.at === at)
}

/** Whether two listeners have one port: one of them may be for all addresses. */
function isInTheWay({ config }: Listener, { port, path, fd }: ResolvedListen): boolean {
  if (config.path !== null || path !== null || config.fd !== null || fd !== null) return false
  return config.port === port
}

const ignore = (): void => undefined
