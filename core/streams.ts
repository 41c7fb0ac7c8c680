import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Connection, type ConnectionHost } from './connection.ts'
import type { Timed } from './deadlines.ts'
import { asError } from './errors.ts'
import type { Generation } from './generation.ts'
import type { ConnectionOwner } from './hooks.ts'
import { type ConnectionInfo, infoOf, type Listener } from './listener.ts'
import { Connect } from './stages.ts'
import { tapFailed, tapOf } from './tap.ts'

type Ask = (stream: Duplex, info: ConnectionInfo) => ConnectionOwner | undefined

/** What the accepted sockets need of their server. */
export interface StreamsHost extends ConnectionHost {
  readonly generation: Generation
}

/** An accepted socket: the kernel's own, whoever speaks on it. */
class Accepted implements Timed {
  readonly id: number
  readonly socket: Socket
  readonly listener: Listener
  readonly client: string
  deadline = Number.POSITIVE_INFINITY
  /** The plugin's part that has claimed the stream, until it serves it. */
  owner: ConnectionOwner | null = null
  /** Where in the `connection` taps the claimer stands. */
  claimedAt = -1
  /** The generation whose taps the stream goes through; pinned while it is claimed. */
  generation: Generation
  connection: Connection | null = null
  readonly #streams: Streams

  constructor(id: number, socket: Socket, listener: Listener, generation: Generation, streams: Streams) {
    this.id = id
    this.socket = socket
    this.listener = listener
    this.client = socket.remoteAddress ?? ''
    this.generation = generation
    this.#streams = streams
  }

  expire(): void {
    this.#streams.handshakeTimedOut(this)
  }

  closed(): void {
    this.#streams.forget(this)
  }
}

/** All accepted sockets: counts them, offers them to the `connection` taps, and ends them. */
export class Streams {
  readonly #host: StreamsHost
  readonly #accepted = new Map<number, Accepted>()
  readonly #byClient = new Map<string, number>()
  readonly #byListener = new Map<Listener, number>()
  #onEmpty: (() => void)[] = []

  constructor(host: StreamsHost) {
    this.#host = host
  }

  get size(): number {
    return this.#accepted.size
  }

  /** Takes a socket in, unless there are too many. */
  accept(socket: Socket, listener: Listener): void {
    // The connection, or whoever has claimed the stream, tells of errors; here they only must not end the process.
    socket.on('error', ignore)
    const client = socket.remoteAddress ?? ''
    const limit = this.#exceeded(listener, client)
    if (limit !== null) return this.#turnAway(socket, client, limit)
    const info = infoOf(socket, listener)
    const accepted = new Accepted(info.id, socket, listener, this.#host.generation, this)
    this.#accepted.set(info.id, accepted)
    count(this.#byClient, client, 1)
    count(this.#byListener, listener, 1)
    const held: Held = socket
    held[place] = accepted
    socket.on('close', onClose)
    this.#offer(accepted, socket, info, 0)
  }

  /** Goes on with a claimed stream: the taps after the claimer, then HTTP/1.1. */
  serve(stream: Duplex, info: ConnectionInfo): void {
    const accepted = this.#accepted.get(info.id)
    if (accepted === undefined) return void stream.destroy()
    if (accepted.owner === null)
      throw new Error(`server.serve: connection ${info.id} is not claimed by a plugin`)
    accepted.owner = null
    this.#host.deadlines.delete(accepted)
    this.#offer(accepted, stream, info, accepted.claimedAt + 1)
    // Only now: a tap behind the claimer may have claimed the stream in its turn.
    accepted.generation.unpin()
  }

  /** Idle connections close, busy ones after their answer; owners are told. */
  drain(deadline: number): void {
    for (const accepted of this.#accepted.values()) {
      accepted.connection?.drain()
      this.#tell(accepted, owner => owner.drain(deadline))
    }
  }

  destroy(reason: Error): void {
    for (const accepted of this.#accepted.values()) {
      accepted.connection?.destroy(reason)
      this.#tell(accepted, owner => owner.destroy(reason))
      accepted.socket.destroy()
    }
  }

  /** When no socket is left. */
  empty(): Promise<void> {
    if (this.#accepted.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#onEmpty.push(resolve)
    })
  }

  // The tapable hook holds the taps in their order; they are asked one by one here, since a layer that gives a
  // stream back goes on behind its own place in that order.
  #offer(accepted: Accepted, stream: Duplex, info: ConnectionInfo, from: number): void {
    const { taps } = accepted.generation.hooks.connection.inner
    for (let at = from; at < taps.length; at++) {
      const owner = this.#ask(accepted, taps[at]!.fn as Ask, stream, info)
      if (owner === undefined) continue
      if (owner !== null) this.#claim(accepted, owner, at, taps[at]!.stage!)
      return
    }
    this.#speakHttp(accepted, stream, info)
  }

  /** What a tap answers; null when it failed and the stream is gone. */
  #ask(
    accepted: Accepted,
    fn: Ask,
    stream: Duplex,
    info: ConnectionInfo,
  ): ConnectionOwner | null | undefined {
    try {
      return fn(stream, info)
    } catch (error) {
      const tap = tapOf(error)
      if (tap !== undefined) accepted.generation.report(tapFailed(asError(error), tap))
      accepted.socket.destroy()
      return null
    }
  }

  // Who claims at Connect.Protocol speaks the protocol itself and keeps the stream; the layers before it have a
  // handshake to do and give the stream back.
  #claim(accepted: Accepted, owner: ConnectionOwner, at: number, stage: number): void {
    accepted.owner = owner
    accepted.claimedAt = at
    accepted.generation.pin()
    if (stage >= Connect.Protocol) return
    accepted.deadline = this.#host.deadlines.now() + accepted.listener.config.limits.handshakeTimeout
    this.#host.deadlines.add(accepted)
  }

  #speakHttp(accepted: Accepted, stream: Duplex, info: ConnectionInfo): void {
    const { config, text } = accepted.listener
    if (config.tls && info.tls === undefined) {
      const message = `${text} has tls: true, but no plugin took the connection: add tls() to plugins`
      accepted.generation.report({ code: 'TLS_MISSING', message, severity: 'error' })
      return void accepted.socket.destroy()
    }
    accepted.connection = new Connection(stream, info, config.limits, this.#host)
    accepted.connection.start()
  }

  /** A plugin took too long to give a stream back. */
  handshakeTimedOut(accepted: Accepted): void {
    this.#host.deadlines.delete(accepted)
    const { owner } = accepted
    const reason = new Error('limits.handshakeTimeout passed')
    const message = `${owner?.name ?? 'a plugin'} did not finish its handshake with ${accepted.client} in time`
    accepted.generation.report({ code: 'HANDSHAKE_TIMEOUT', message, severity: 'info' })
    this.#tell(accepted, each => each.destroy(reason))
    accepted.socket.destroy()
  }

  /** Tells the owner of a stream, if it has one; a fault in one must not keep the others from being told. */
  #tell(accepted: Accepted, what: (owner: ConnectionOwner) => void): void {
    const { owner } = accepted
    if (owner === null) return
    try {
      what(owner)
    } catch (thrown) {
      const cause = asError(thrown)
      const message = `${owner.name}, which owns a connection, failed: ${cause.message}`
      accepted.generation.report({ code: 'OWNER_FAILED', message, severity: 'error', cause })
    }
  }

  /** The limit that one more connection would exceed. Clients of a Unix socket have no address to tell them apart. */
  #exceeded(listener: Listener, client: string): string | null {
    const { maxConnections, connectionsPerClient } = listener.config.limits
    if (maxConnections > 0 && (this.#byListener.get(listener) ?? 0) >= maxConnections) return 'maxConnections'
    if (connectionsPerClient === 0 || client === '') return null
    return (this.#byClient.get(client) ?? 0) >= connectionsPerClient ? 'connectionsPerClient' : null
  }

  #turnAway(socket: Socket, client: string, limit: string): void {
    const message = `a connection from ${client} was turned away: limits.${limit}`
    this.#host.generation.report({ code: 'CONNECTION_LIMIT', message, severity: 'info' })
    socket.destroy()
  }

  /** A socket is gone. */
  forget(accepted: Accepted): void {
    this.#accepted.delete(accepted.id)
    count(this.#byClient, accepted.client, -1)
    count(this.#byListener, accepted.listener, -1)
    this.#host.deadlines.delete(accepted)
    if (accepted.owner !== null) accepted.generation.unpin()
    accepted.owner = null
    if (this.#accepted.size > 0) return
    for (const resolve of this.#onEmpty.splice(0)) resolve()
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const next = (counts.get(key) ?? 0) + by
  if (next <= 0) counts.delete(key)
  else counts.set(key, next)
}

// One function for all sockets: it finds what belongs to each by the socket.
const place = Symbol('rawhttp.accepted')
type Held = Socket & { [place]?: Accepted }

function onClose(this: Held): void {
  this[place]!.closed()
}

const ignore = (): void => undefined
