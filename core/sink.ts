import type { Duplex } from 'node:stream'
import type { HeadersInit } from './headers.ts'
import type { ConnectionOwner } from './hooks.ts'
import type { HttpResponse } from './response.ts'

/** A stream that was handed over, and the bytes that came behind the request. */
export interface HandedOver {
  readonly stream: Duplex
  readonly head: Buffer
  /** Takes who is to be told when the stream has to end. Absent: the stream is only destroyed then. */
  readonly own?: ((owner: ConnectionOwner) => void) | undefined
}

/**
 * Where an exchange writes: an HTTP/1.1 connection, an HTTP/2 stream, a test. The kernel's exchange is its only
 * caller; a transport implements it and hands requests to `server.dispatch(request, sink)`.
 */
export interface Sink {
  /**
   * An interim answer. Ignored after {@link head}.
   *
   * @throws TypeError for a field that cannot stand in a message.
   */
  inform(status: number, headers: HeadersInit): void
  /**
   * The final head.
   *
   * @param length The number of bytes that follow (or would, for HEAD); null when only the end will tell.
   */
  head(head: HttpResponse, length: number | null): void
  /**
   * A piece of the body. False: wait for {@link onDrain} before the next one.
   *
   * @param taken Called, at most once, when nobody will read the bytes any more, so that their memory may be used for
   * others. A sink that cannot tell leaves it alone: then new memory is used.
   */
  write(bytes: Uint8Array | string, taken?: () => void): boolean
  /** Whether what it was given still waits for the client. Absent: the sink cannot tell. */
  readonly hasQueued?: boolean | undefined
  /** The message is complete. Trailer fields are flat and checked: name, value, name, value … */
  end(trailers?: readonly string[]): void
  /** The message breaks off: the client must not take what it got for a whole. */
  reset(reason: Error): void
  /**
   * Hands the stream over. With null the caller writes every byte itself. Absent: upgrades are answered 501.
   */
  upgrade?: ((head: HttpResponse | null) => HandedOver) | undefined
  /**
   * The fields that it has added to the head of this answer, flat: for traces. Absent: it cannot tell.
   *
   * @param length What {@link head} was given.
   */
  derived?(head: HttpResponse, length: number | null): readonly string[]
  /** Set by the exchange: room for more. */
  onDrain: (() => void) | null
  /** Set by the exchange; called once: null when everything was handed to the transport, else why not. */
  onClose: ((reason: Error | null) => void) | null
  /** Bytes that this exchange has sent, head included. */
  readonly bytes: number
}
