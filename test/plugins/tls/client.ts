import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { RawClient } from '../../support/raw-client.ts'

/** A client that speaks HTTP by hand over TLS. */
export interface TlsClient extends AsyncDisposable {
  readonly tls: TLSSocket
  readonly http: RawClient
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
  await once(tls, 'secureConnect')
  const http = RawClient.over(tls)
  return { tls, http, [Symbol.asyncDispose]: async () => void tls.destroy() }
}

/** The host names of the certificate that the server showed. */
export const namesShown = (tls: TLSSocket): string => tls.getPeerCertificate().subjectaltname ?? ''
