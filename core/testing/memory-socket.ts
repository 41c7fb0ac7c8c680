import { Duplex } from 'node:stream'
import type { Peer } from '../listener.ts'
import { nextTurn } from '../next-turn.ts'
import { piecesOf, type Split } from './splits.ts'

/** One end of a connection in memory: what the kernel and plugins use of a `net.Socket`. */
export class MemorySocket extends Duplex {
  remoteAddress: string
  remotePort: number
  localAddress: string
  localPort: number
  bytesRead = 0
  bytesWritten = 0
  readonly remoteFamily = 'IPv4'
  readonly encrypted = false
  #other: MemorySocket | null = null
  /** Called when this end has room for more. */
  #onRoom: (() => void) | null = null
  #hasEnded = false
  #split: Split | null = null

  private constructor(local: Peer, remote: Peer) {
    super({ allowHalfOpen: true })
    this.localAddress = local.address
    this.localPort = local.port
    this.remoteAddress = remote.address
    this.remotePort = remote.port
  }

  /**
   * Both ends of a new connection. Each write of one end is one chunk of the other.
   *
   * @param split Cuts the client's writes into smaller ones, each in a turn of its own.
   */
  static pair(
    client: Peer,
    server: Peer,
    split: Split | null,
  ): { readonly client: MemorySocket; readonly server: MemorySocket } {
    const ends = { client: new MemorySocket(client, server), server: new MemorySocket(server, client) }
    ends.client.#other = ends.server
    ends.server.#other = ends.client
    ends.client.#split = split
    return ends
  }

  override _read(): void {
    const onRoom = this.#onRoom
    this.#onRoom = null
    onRoom?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#split === null) this.#give(chunk, callback)
    else this.#giveIn(piecesOf(chunk, this.#split)).then(() => callback(), callback)
  }

  async #giveIn(pieces: Iterable<Buffer>): Promise<void> {
    for (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        this.#give(piece, error => (error ? reject(error) : resolve()))
      })
      await nextTurn()
    }
  }

  #give(chunk: Buffer, callback: (error?: Error | null) => void): void {
    const other = this.#other
    if (other === null || other.destroyed) return callback(broken('EPIPE', 'the other end has left'))
    this.bytesWritten += chunk.length
    other.bytesRead += chunk.length
    // The bytes are the reader's own: a writer may use its memory again once it is told that they are out.
    if (other.push(Buffer.from(chunk))) return void setImmediate(callback)
    other.#onRoom = callback
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#sayEnd()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#sayEnd()
    const other = this.#other
    this.#other = null
    // Whoever waits for room of this end waits for nothing.
    this._read()
    if (other !== null && error !== null) other.destroy(broken('ECONNRESET', 'the other end has reset'))
    callback(error)
  }

  /** Ends with a reset: the other end gets ECONNRESET. */
  resetAndDestroy(): this {
    const other = this.#other
    this.#other = null
    if (other !== null) other.#other = null
    other?.destroy(broken('ECONNRESET', 'the other end has reset'))
    return this.destroy()
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  #sayEnd(): void {
    const other = this.#other
    if (this.#hasEnded || other === null || other.destroyed) return
    this.#hasEnded = true
    other.push(null)
  }
}

function broken(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
