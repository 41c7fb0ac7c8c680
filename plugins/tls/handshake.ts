import type { Duplex } from 'node:stream'
import { TLSSocket, type TLSSocketOptions } from 'node:tls'
import {
  type ConnectionInfo,
  type ConnectionOwner,
  type PluginServer,
  printable,
  type TlsInfo,
} from 'rawhttp'
import type { Failure, HandshakeCounts } from './counts.ts'
import { FirstBytes } from './hello.ts'
import { reasonOf } from './pair.ts'
import { alert, refuse } from './refusal.ts'
import { type Applicant, networkOf, type Turns } from './turns.ts'

/** What a handshake needs of its server. */
export interface HandshakeHost {
  readonly server: PluginServer
  readonly turns: Turns
  readonly counts: HandshakeCounts
  /** The options of the socket, with the certificates as they are when its turn comes. */
  socketOptions(): TLSSocketOptions
  readonly asksClient: boolean
  readonly isClientRequired: boolean
}

/** What Node's own TLS server uses of a socket, without documents. Tests fail should it go away. */
interface Inner {
  /** Also of faults after the handshake, which a socket without a `tls.Server` keeps to itself. */
  on(event: '_tlsError', listener: (error: Error) => void): void
  readonly ssl: { verifyError(): Error | null } | null
}

/**
 * A stream on its way to TLS: it waits for the client's hello, then for its turn, then for the handshake, and gives
 * itself back to the kernel. A client that says nothing holds a socket, but no place.
 */
export class Handshake implements ConnectionOwner, Applicant {
  readonly name = 'tls'
  readonly network: string
  since = 0
  before: Applicant | null = null
  after: Applicant | null = null
  readonly #stream: Duplex
  readonly #info: ConnectionInfo
  readonly #host: HandshakeHost
  /** Until they are given on: a connection that lives long need not keep them. */
  #first: FirstBytes | null = new FirstBytes()
  #socket: TLSSocket | null = null
  #hasAsked = false
  #isOver = false

  constructor(stream: Duplex, info: ConnectionInfo, host: HandshakeHost) {
    this.#stream = stream
    this.#info = info
    this.network = networkOf(info.client.address)
    this.#host = host
    stream.on('data', this.#onData).on('end', this.#onEnd).once('close', this.#onClose)
    stream.resume()
  }

  // --- the kernel's part ---------------------------------------------------------------------------------------

  /** Nothing was asked yet, so there is nothing to finish: a stop must not wait for a client that fell silent. */
  drain(): void {
    this.destroy()
  }

  destroy(): void {
    // Whoever has said nothing yet was not shaking hands.
    if (!this.#isOver && this.#hasAsked) this.#host.counts.failed('given_up')
    this.#over()
    this.#socket?.destroy()
    this.#stream.destroy()
  }

  // --- before its turn -----------------------------------------------------------------------------------------

  readonly #onData = (piece: Buffer): void => {
    const first = this.#first!
    const opening = first.add(piece)
    if (opening === 'unfinished') return
    this.#first = null
    this.#stopReading()
    if (opening !== 'hello') return this.#refuse(opening)
    this.#stream.pause()
    this.#stream.unshift(first.bytes)
    this.#hasAsked = true
    this.#host.turns.enter(this)
  }

  /** The client has gone without a word, or in the middle of one. */
  readonly #onEnd = (): void => this.destroy()

  readonly #onClose = (): void => {
    if (!this.#isOver && this.#hasAsked) this.#host.counts.failed('left')
    this.#over()
  }

  #stopReading(): void {
    this.#stream.off('data', this.#onData).off('end', this.#onEnd)
  }

  #refuse(opening: 'http' | 'other'): void {
    this.#fail('not_tls', opening === 'http' ? 'it sent plain HTTP' : 'it sent something else')
    if (opening === 'other') alert(this.#stream)
    else
      refuse(
        this.#stream,
        'This port speaks HTTPS, and the request came without TLS: use https:// in the address.',
      )
  }

  // --- the handshake -------------------------------------------------------------------------------------------

  begin(): void {
    // It may be gone, and its 'close' not have come yet.
    if (this.#stream.destroyed) return this.destroy()
    const socket = new TLSSocket(this.#stream, this.#host.socketOptions())
    this.#socket = socket
    socket.once('secure', () => this.#secured(socket))
    socket.on('error', this.#onError).on('end', this.#onLeft)
    const inner = socket as unknown as Inner
    inner.on('_tlsError', error => void socket.destroy(error))
  }

  giveWay(): void {
    this.#fail('given_up', 'it took more than a second while others waited for its place')
    this.destroy()
  }

  #secured(socket: TLSSocket): void {
    this.#over()
    const problem = this.#host.asksClient ? clientProblem(socket, this.#host.isClientRequired) : null
    if (problem !== null) return this.#refuseClient(socket, problem)
    const tls = tlsInfo(socket, this.#host.asksClient)
    this.#host.counts.done(tls.protocol, socket.isSessionReused())
    this.#host.server.serve(socket, { ...this.#info, tls, via: [...this.#info.via, 'tls'] })
  }

  // OpenSSL has finished the handshake by now, and Node has no way to send an alert.
  #refuseClient(socket: TLSSocket, problem: string): void {
    const why = `its certificate is not accepted: ${problem}`
    this.#fail('client_certificate', why, 'TLS_CLIENT_CERTIFICATE')
    refuse(socket, `The certificate of the client is not accepted: ${problem}.`)
  }

  readonly #onError = (error: Error): void => {
    this.#fail('handshake', reasonOf(error))
    this.destroy()
  }

  readonly #onLeft = (): void => {
    this.#fail('left', 'it left in the middle of the handshake')
    this.destroy()
  }

  /** It needs no place any more. */
  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stream.off('close', this.#onClose)
    this.#socket?.off('error', this.#onError).off('end', this.#onLeft)
    if (this.#hasAsked) this.#host.turns.leave(this)
  }

  #fail(failure: Failure, why: string, code = 'TLS_HANDSHAKE'): void {
    this.#over()
    this.#host.counts.failed(failure)
    const { client, listener } = this.#info
    const message = printable(`no TLS with ${client.address || 'a client'} on ${listener}: ${why}`)
    this.#host.server.report({ code, message, severity: 'info' })
  }
}

/**
 * Why a client may not come in, or null. Node leaves the check to its TLS server, so it is made here.
 *
 * A resumed session of TLS 1.3 counts as verified even without a certificate; hence the second question.
 */
function clientProblem(socket: TLSSocket, isRequired: boolean): string | null {
  const hasCertificate = socket.getPeerX509Certificate() !== undefined
  if (!hasCertificate) return isRequired ? 'there is none' : null
  const { ssl } = socket as unknown as Inner
  if (ssl === null) return 'the connection is gone'
  const error = ssl.verifyError()
  return error === null ? null : error.message
}

function tlsInfo(socket: TLSSocket, asksClient: boolean): TlsInfo {
  const { servername, alpnProtocol } = socket as TLSSocket & { readonly servername?: unknown }
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    serverName: typeof servername === 'string' ? servername.toLowerCase() : undefined,
    alpn: typeof alpnProtocol === 'string' ? alpnProtocol : undefined,
    ...(asksClient && socket.getPeerX509Certificate() !== undefined
      ? { peerCertificate: socket.getPeerCertificate() }
      : {}),
  }
}
