import type { Duplex } from 'node:stream'
import type { ConnectionInfo, ConnectionOwner, PluginServer } from 'rawhttp'
import { type Ends, readHeader } from './header.ts'
import type { Reports } from './reports.ts'

/** What the reader of a header needs. */
export interface ReaderHost {
  readonly server: PluginServer
  readonly isRequired: boolean
  readonly reports: Reports
}

/** The layer's name in `info.via`. */
export const VIA = 'proxy-protocol'

/**
 * A stream on its way behind its PROXY header: it gathers bytes until the header is whole, and gives itself back to the
 * kernel with the rest. `handshakeTimeout` ends who says nothing.
 */
export class Reader implements ConnectionOwner {
  readonly name = VIA
  readonly #stream: Duplex
  readonly #info: ConnectionInfo
  readonly #host: ReaderHost
  readonly #pieces: Buffer[] = []
  #size = 0
  /** There is nothing new to see before so many bytes are there. */
  #needed = 1

  constructor(stream: Duplex, info: ConnectionInfo, host: ReaderHost) {
    this.#stream = stream
    this.#info = info
    this.#host = host
    stream.on('data', this.#onData).on('end', this.#onEnd)
    stream.resume()
  }

  /** No request has begun. */
  drain(): void {
    this.destroy()
  }

  destroy(): void {
    this.#stopReading()
    this.#stream.destroy()
  }

  readonly #onData = (piece: Buffer): void => {
    this.#pieces.push(piece)
    this.#size += piece.length
    if (this.#size >= this.#needed) this.#look(Buffer.concat(this.#pieces, this.#size))
  }

  #look(bytes: Buffer): void {
    const reading = readHeader(bytes)
    if (reading.kind === 'unfinished') this.#needed = reading.needed
    else if (reading.kind === 'header') this.#serve(bytes.subarray(reading.length), reading.ends)
    else if (reading.kind === 'malformed') this.#refuse(`its PROXY header is malformed: ${reading.problem}`)
    else if (this.#host.isRequired) this.#refuse('it sent no PROXY header')
    else this.#giveBack(bytes, this.#info)
  }

  #serve(rest: Buffer, ends: Ends | null): void {
    const info = { ...this.#info, via: [...this.#info.via, VIA] }
    this.#giveBack(rest, ends === null ? info : { ...info, ...ends })
  }

  #giveBack(rest: Buffer, info: ConnectionInfo): void {
    this.#stopReading()
    this.#stream.pause()
    if (rest.length > 0) this.#stream.unshift(rest)
    this.#host.server.serve(this.#stream, info)
  }

  // Load balancers look in this way whether the port is open; that is no news.
  readonly #onEnd = (): void => {
    if (this.#size === 0) this.destroy()
    else this.#refuse('it ended within its PROXY header')
  }

  #refuse(why: string): void {
    const { client, listener } = this.#info
    const message = `a connection from ${client.address || 'a Unix socket'} on ${listener} was reset: ${why}`
    this.#host.reports.tell({ code: 'PROXY_HEADER', message, severity: 'warning' })
    this.#stopReading()
    this.#info.reset()
  }

  #stopReading(): void {
    this.#stream.off('data', this.#onData).off('end', this.#onEnd)
  }
}
