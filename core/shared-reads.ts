import { Socket } from 'node:net'
import { type Duplex, Readable } from 'node:stream'
import { ownCopy } from './read-buffers.ts'

/** One read: as much as Node takes at a time. */
const READ_SIZE = 65_536

/** Told of what was read. The bytes are somebody else's when it returns. */
export type OnRead = (this: Duplex, length: number, bytes: Buffer) => boolean

/** All sockets are read into it in turn: no two are read at once, and who wants to keep bytes copies them. */
const shared = Buffer.allocUnsafeSlow(READ_SIZE)

/** Where a socket of Node keeps the buffer of its user, and whom it tells of what was read into it. */
interface Internals {
  readonly buffer: symbol
  readonly callback: symbol
}

/** A socket with them. */
type Shareable = Socket & { [internal: symbol]: unknown; _handle: { useUserBuffer(bytes: Buffer): void } }

/**
 * Has a socket read into memory that all share, where Node would allocate 64 kB for each read: with small requests that
 * costs as much as reading their heads. It is what the option `onread` of `new net.Socket()` does, which Node does not
 * offer for the sockets that a server accepts.
 *
 * What the stream holds already comes as its `data`, and so does everything where it cannot be done: on a stream that is
 * no socket or that somebody else listens to, on TLS (whose reads may be nested), on a Node with other insides.
 */
export function readShared(stream: Duplex, onRead: OnRead): void {
  const internals = internalsOf(stream)
  if (internals === null) return
  const { buffer, callback } = internals
  const socket = stream as Shareable
  // Who else listens for data is to have it, and what waits in the stream for who reads it comes before what follows.
  if (socket[buffer] !== shared && (socket.listenerCount('data') > 1 || socket.listenerCount('readable') > 0))
    return
  socket[callback] = onRead
  if (socket[buffer] === shared) return
  socket[buffer] = shared
  socket._handle.useUserBuffer(shared)
}

/** What is read from now on is the stream's `data` again. */
export function readAlone(stream: Duplex): void {
  if (isShared(stream)) (stream as Shareable)[internals!.callback] = pushCopy
}

/**
 * Leaves a stream to somebody else, for whom it is one like any other. With a buffer of its user a socket stops reading
 * when it is paused, so that nobody would learn that its client is gone, and reads on with each `read()`, however much
 * it holds already: what it inherits from {@link Readable} does neither.
 */
export function leave(stream: Duplex): void {
  if (!isShared(stream)) return
  readAlone(stream)
  const { pause, resume, read } = Readable.prototype
  Object.assign(stream, { pause, resume, read })
}

/**
 * Pauses a stream. As with any socket, a little is read ahead all the same: that is how the end of its client is seen. Node
 * stops reading at once where the buffer is the user's.
 */
export function pause(stream: Duplex): void {
  if (!isShared(stream)) return void stream.pause()
  readAlone(stream)
  Readable.prototype.pause.call(stream)
}

function isShared(stream: Duplex): boolean {
  return internals !== null && (stream as Shareable)[internals.buffer] === shared
}

function pushCopy(this: Duplex, length: number, bytes: Buffer): boolean {
  return this.push(ownCopy(bytes.subarray(0, length)))
}

/** Those of every socket, once they were found. */
let internals: Internals | null = null

/** Null where there is no such thing. */
function internalsOf(stream: Duplex): Internals | null {
  if (!(stream instanceof Socket) || (stream as { encrypted?: boolean }).encrypted === true) return null
  if (typeof (stream as Partial<Shareable>)._handle?.useUserBuffer !== 'function') return null
  internals ??= find(stream)
  return internals
}

function find(socket: Socket): Internals | null {
  const symbols = Object.getOwnPropertySymbols(socket)
  const buffer = symbols.find(({ description }) => description === 'kBuffer')
  const callback = symbols.find(({ description }) => description === 'kBufferCb')
  return buffer === undefined || callback === undefined ? null : { buffer, callback }
}
