import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Accepted, type AcceptedHost, Claim, hold, type Place } from './accepted.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { asError } from './errors.ts'
import type { Generation } from './generation.ts'
import type { ConnectionOwner } from './hooks.ts'
import { type ConnectionInfo, infoOf, type Listener } from './listener.ts'
import { Connect } from './stages.ts'
import type { ConnectionLimit } from './stats.ts'
import { tapFailed, tapOf } from './tap.ts'
import type { Unfinished } from './unfinished.ts'

type Ask = (stream: Duplex, info: ConnectionInfo) => ConnectionOwner | undefined

/** What the accepted sockets need of their server. */
export interface StreamsHost extends ConnectionHost {
  readonly generation: Generation
}

/** All accepted sockets: counts them, offers them to the `connection` taps, and ends them. */
export class Streams implements AcceptedHost {
  readonly #host: StreamsHost
  readonly #accepted = new Map<number, Accepted>()
  readonly #byClient = new Map<string, number>()
  readonly #byListener = new Map<Listener, number>()
  /** Sockets that were taken in so far. */
  accepted = 0
  /** Sockets that were turned away so far. */
  readonly refused: Record<ConnectionLimit, number> = { maxConnections: 0, connectionsPerClient: 0 }
  /** What went over the sockets that are gone. */
  readonly #past = { bytesRead: 0, bytesWritten: 0 }
  #onEmpty: (() => void)[] = []
  /** When the drain under way ends; null while there is none. */
  #drainsUntil: number | null = null

  constructor(host: StreamsHost) {
    this.#host = host
  }

  get size(): number {
    return this.#accepted.size
  }

  /** Sockets that a plugin has and has not given back yet. */
  get claimed(): number {
    let count = 0
    for (const { claim } of this.#accepted.values()) if (claim !== null) count++
    return count
  }

  /** The bytes of all sockets so far, one way. */
  total(way: 'bytesRead' | 'bytesWritten'): number {
    let sum = this.#past[way]
    for (const { socket } of this.#accepted.values()) sum += socket[way]
    return sum
  }

  /** Takes a socket in, unless there are too many. */
  accept(socket: Socket, listener: Listener): void {
    const client = socket.remoteAddress ?? ''
    // A client that has left already has no address any more, and must not pass for one behind a Unix socket.
    if (client === '' && listener.isTcp) return void socket.on('error', ignore).destroy()
    const limit = this.#exceeded(listener, client)
    if (limit !== null) return this.#turnAway(socket, client, limit)
    const info = infoOf(socket, listener)
    const accepted = new Accepted(info.id, socket, listener, client, this)
    this.#accepted.set(info.id, accepted)
    this.accepted++
    count(this.#byClient, client, 1)
    count(this.#byListener, listener, 1)
    hold(socket, accepted)
    this.#offer(accepted, socket, info, { generation: this.#host.generation, from: 0 })
  }

  /** Goes on with a claimed stream: the taps after the claimer, then HTTP/1.1. */
  serve(stream: Duplex, info: ConnectionInfo): void {
    const accepted = this.#accepted.get(info.id)
    if (accepted === undefined) return void stream.destroy()
    const { claim } = accepted
    if (claim === null) throw new Error(`server.serve: connection ${info.id} is not claimed by a plugin`)
    const { generation, at } = claim
    accepted.claim = null
    this.#host.deadlines.delete(claim)
    this.#offer(accepted, stream, info, { generation, from: at + 1 })
    // Only now: a tap behind the claimer may have claimed the stream in its turn.
    generation.unpin()
  }

  /** Idle connections close, busy ones after their answer; owners are told. */
  drain(deadline: number): void {
    this.#drainsUntil = this.#host.deadlines.now() + deadline
    for (const { connection, claim } of this.#accepted.values()) {
      connection?.drain()
      // Whose handshake lasts has had no request yet.
      if (claim?.isHandshake === true && this.#host.endsIdle === 'used') continue
      this.#tell(claim?.owner ?? connection?.owner, owner => owner.drain(deadline))
    }
  }

  destroy(reason: Error): void {
    for (const { connection, claim, socket } of this.#accepted.values()) {
      this.#tell(claim?.owner ?? connection?.owner, owner => owner.destroy(reason))
      connection?.destroy(reason)
      socket.destroy()
    }
  }

  /** What clients would lose if all ended now. */
  unfinished(): readonly Unfinished[] {
    return [...this.#accepted.values()].flatMap(accepted => accepted.unfinished())
  }

  /** A connection was taken over; while the server drains, its owner has missed to be told. */
  owned({ owner }: Connection): void {
    this.#tellOfDrain(owner)
  }

  #tellOfDrain(owner: ConnectionOwner | null): void {
    if (this.#drainsUntil === null) return
    const left = Math.max(0, this.#drainsUntil - this.#host.deadlines.now())
    this.#tell(owner, each => each.drain(left))
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
  #offer(accepted: Accepted, stream: Duplex, info: ConnectionInfo, { generation, from }: Place): void {
    const { taps } = generation.hooks.connection.inner
    for (let at = from; at < taps.length; at++) {
      const { fn, stage } = taps[at]!
      try {
        const owner = (fn as Ask)(stream, info)
        if (owner === undefined) continue
        this.#claim(new Claim(accepted, info, owner, { generation, from: at }), accepted, stage!)
      } catch (error) {
        const tap = tapOf(error)
        if (tap !== undefined) generation.report(tapFailed(asError(error), tap))
        accepted.socket.destroy()
      }
      return
    }
    this.#speakHttp(accepted, stream, info)
  }

  // Who claims at Connect.Protocol speaks the protocol itself and keeps the stream; the layers before it have a
  // handshake to do and give the stream back.
  #claim(claim: Claim, accepted: Accepted, stage: number): void {
    accepted.claim = claim
    claim.generation.pin()
    this.#tellOfDrain(claim.owner)
    if (stage >= Connect.Protocol) return
    claim.deadline = this.#host.deadlines.now() + accepted.listener.config.limits.handshakeTimeout
    this.#host.deadlines.add(claim)
  }

  #speakHttp(accepted: Accepted, stream: Duplex, info: ConnectionInfo): void {
    const { config, text } = accepted.listener
    if (config.tls && info.tls === undefined) {
      const message = `${text} has tls: true, but no plugin took the connection: add tls() to plugins`
      this.#host.generation.report({ code: 'TLS_MISSING', message, severity: 'error' })
      return void accepted.socket.destroy()
    }
    accepted.connection = new Connection(stream, info, config.limits, this.#host)
    if (stream !== accepted.socket) hold(stream, accepted)
    accepted.connection.start()
  }

  handshakeTimedOut({ client, socket }: Accepted, claim: Claim): void {
    const { owner, generation } = claim
    const reason = new Error('limits.handshakeTimeout passed')
    const message = `${owner.name} did not finish its handshake with ${client} in time`
    generation.report({ code: 'HANDSHAKE_TIMEOUT', message, severity: 'info' })
    this.#host.deadlines.delete(claim)
    this.#tell(owner, each => each.destroy(reason))
    socket.destroy()
  }

  /** Tells the owner of a stream, if it has one; a fault in one must not keep the others from being told. */
  #tell(owner: ConnectionOwner | null | undefined, what: (owner: ConnectionOwner) => void): void {
    if (owner === null || owner === undefined) return
    try {
      what(owner)
    } catch (thrown) {
      const cause = asError(thrown)
      const message = `${owner.name}, which owns a connection, failed: ${cause.message}`
      this.#host.generation.report({ code: 'OWNER_FAILED', message, severity: 'error', cause })
    }
  }

  /** The limit that one more connection would exceed. Clients of a Unix socket have no address to tell them apart. */
  #exceeded(listener: Listener, client: string): ConnectionLimit | null {
    const { maxConnections, connectionsPerClient } = listener.config.limits
    if (maxConnections > 0 && (this.#byListener.get(listener) ?? 0) >= maxConnections) return 'maxConnections'
    if (connectionsPerClient === 0 || client === '') return null
    return (this.#byClient.get(client) ?? 0) >= connectionsPerClient ? 'connectionsPerClient' : null
  }

  #turnAway(socket: Socket, client: string, limit: ConnectionLimit): void {
    this.refused[limit]++
    const message = `a connection from ${client} was turned away: limits.${limit}`
    this.#host.generation.report({ code: 'CONNECTION_LIMIT', message, severity: 'info' })
    socket.on('error', ignore).destroy()
  }

  forget(accepted: Accepted): void {
    this.#accepted.delete(accepted.id)
    this.#past.bytesRead += accepted.socket.bytesRead
    this.#past.bytesWritten += accepted.socket.bytesWritten
    count(this.#byClient, accepted.client, -1)
    count(this.#byListener, accepted.listener, -1)
    const { claim } = accepted
    accepted.claim = null
    if (claim !== null) {
      this.#host.deadlines.delete(claim)
      claim.generation.unpin()
    }
    if (this.#accepted.size > 0) return
    for (const resolve of this.#onEmpty.splice(0)) resolve()
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const next = (counts.get(key) ?? 0) + by
  if (next <= 0) counts.delete(key)
  else counts.set(key, next)
}

const ignore = (): void => undefined
