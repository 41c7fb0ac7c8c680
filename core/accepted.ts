import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'
import type { Timed } from './deadlines.ts'
import type { Generation } from './generation.ts'
import type { ConnectionOwner } from './hooks.ts'
import type { ConnectionInfo, Listener } from './listener.ts'
import type { Unfinished } from './unfinished.ts'

/** Who has taken a socket in. */
export interface AcceptedHost {
  /** A plugin took too long to give a stream back. */
  handshakeTimedOut(accepted: Accepted, claim: Claim): void
  /** The socket is gone. */
  forget(accepted: Accepted): void
}

/** An accepted socket: the kernel's own, whoever speaks on it. */
export class Accepted {
  readonly id: number
  readonly socket: Socket
  readonly listener: Listener
  /** The address that it counts for. */
  readonly client: string
  /** While a plugin has it. */
  claim: Claim | null = null
  /** Once HTTP/1.1 is spoken on it, or on a layer above it. */
  connection: Connection | null = null
  readonly #host: AcceptedHost

  constructor(id: number, socket: Socket, listener: Listener, client: string, host: AcceptedHost) {
    this.id = id
    this.socket = socket
    this.listener = listener
    this.client = client
    this.#host = host
  }

  handshakeTimedOut(claim: Claim): void {
    this.#host.handshakeTimedOut(this, claim)
  }

  /** What its client would lose if it ended now. */
  unfinished(): readonly Unfinished[] {
    if (this.socket.destroyed) return []
    return this.claim === null ? (this.connection?.unfinished() ?? []) : [this.claim.unfinished]
  }

  /** The socket, or the layer above it that HTTP/1.1 is spoken on, has failed. */
  failed(stream: Duplex, error: Error): void {
    if (stream === this.connection?.stream) this.connection.failed(error)
  }

  /** One of them is gone. A layer does not outlive its socket. */
  closed(stream: Duplex): void {
    if (stream === this.connection?.stream) this.connection.closed()
    if (stream !== this.socket) return
    this.connection?.stream.destroy()
    this.#host.forget(this)
  }
}

/** A plugin's part has taken a stream, until it serves it or the stream ends. The generation is pinned meanwhile. */
export class Claim implements Timed {
  deadline = Number.POSITIVE_INFINITY
  before: Timed | null = null
  after: Timed | null = null
  readonly owner: ConnectionOwner
  /** Where in the `connection` taps the claimer stands. */
  readonly at: number
  /** The generation whose taps the stream goes through. */
  readonly generation: Generation
  readonly #accepted: Accepted
  readonly #info: ConnectionInfo
  readonly #since: number

  constructor(accepted: Accepted, info: ConnectionInfo, owner: ConnectionOwner, { generation, from }: Place) {
    this.#accepted = accepted
    this.#info = info
    this.owner = owner
    this.at = from
    this.generation = generation
    this.#since = generation.deadlines.now()
  }

  get unfinished(): Unfinished {
    return { info: this.#info, request: null, doing: `"${this.owner.name}" had it`, since: this.#since }
  }

  /** Whether the stream is to be given back. */
  get isHandshake(): boolean {
    return this.deadline !== Number.POSITIVE_INFINITY
  }

  expire(): void {
    this.#accepted.handshakeTimedOut(this)
  }
}

/** Where a stream stands on its way through the `connection` taps. */
export interface Place {
  readonly generation: Generation
  /** The first tap to ask. */
  readonly from: number
}

// One function each for all streams, which finds what belongs to each by the stream: listeners of its own would cost
// every connection closures, and a second listener to an event a list.
const place = Symbol('rawhttp.accepted')
type Held = Duplex & { [place]?: Accepted }

/** Tells an accepted socket what becomes of a stream: its own, or a layer above it. */
export function hold(stream: Held, accepted: Accepted): void {
  stream[place] = accepted
  stream.on('error', onError).on('close', onClose)
}

// Whoever has claimed the stream may listen too; here errors must not end the process.
function onError(this: Held, error: Error): void {
  this[place]!.failed(this, error)
}

function onClose(this: Held): void {
  this[place]!.closed(this)
}
