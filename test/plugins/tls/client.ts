import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { RawClient } from '../../support/raw-client.ts'

/** A client that speaks HTTP by hand over TLS. */
export interface TlsClient extends AsyncDisposable {
  readonly tls: TLSSocket
  readonly http: RawClient
  /** What the connection can be resumed with. By TLS 1.3 it comes after the handshake, with the first answer at the latest. */
  readonly session: Promise<Buffer>
}

/**
 * Shakes hands with a server on the loopback interface, by the name localhost unless another is given.
 *
 * @throws what ends the handshake.
 */
export async function shakeHands(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
  const tls = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    // Half-open like a client of RFC 9112 section 9.6.
    allowHalfOpen: true,
    ...options,
  } as ConnectionOptions)
  const { promise: session, resolve } = Promise.withResolvers<Buffer>()
  tls.once('session', resolve)
  await once(tls, 'secureConnect')
  const http = RawClient.over(tls)
  return { tls, http, session, [Symbol.asyncDispose]: async () => void tls.destroy() }
}

/** The host names of the certificate that the server showed. */
export const namesShown = (tls: TLSSocket): string => tls.getPeerCertificate().subjectaltname ?? ''
