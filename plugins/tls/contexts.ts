import { constants, createHash } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Pair } from './pair.ts'

/**
 * Forward secrecy and authenticated encryption only: the suites of TLS 1.3, and of 1.2 those that Mozilla's
 * "intermediate" list (version 5.8) has, without finite-field DHE, which Node could only do with parameters of its own.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

// A client that puts ChaCha20 first has no hardware for AES, and gets it although the server's order counts.
// A client that renegotiates makes the server work for nothing, and TLS 1.3 has no such thing.
const OPTIONS = constants.SSL_OP_PRIORITIZE_CHACHA | constants.SSL_OP_NO_RENEGOTIATION

/** How long a session can be resumed, in seconds. The client's certificate is not looked at again for so long. */
const SESSION_TIMEOUT = 3_600

/** Who may issue the certificates of clients. */
export interface ClientAuthority {
  /** Certificates in PEM form. */
  readonly ca: readonly string[]
  readonly required: boolean
}

/** What all contexts of a server have in common. */
export interface ContextFacts {
  readonly clients: ClientAuthority | null
  /** The keys of session tickets; null for a context that is only tried. */
  readonly ticketKeys: Buffer | null
}

/**
 * OpenSSL's form of a certificate and all that it is used with.
 *
 * @throws Error when OpenSSL refuses the certificate: a key that is too short, a signature by MD5.
 */
export function contextOf({ cert, key }: Pair, { clients, ticketKeys }: ContextFacts): SecureContext {
  return createSecureContext({
    cert,
    key,
    // Without the option Node would load all root certificates that it has, and trust clients by them.
    ca: clients === null ? [] : [...clients.ca],
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: 'auto',
    secureOptions: OPTIONS,
    sessionTimeout: SESSION_TIMEOUT,
    sessionIdContext: sessionContextOf(clients),
    ...(ticketKeys === null ? {} : { ticketKeys }),
  })
}

/**
 * A session may only be resumed by who would be let in now: the ticket keys outlive reloads, and a client that came
 * when no certificate was asked for must not come back by a ticket of that time.
 */
function sessionContextOf(clients: ClientAuthority | null): string {
  const hash = createHash('sha256').update(JSON.stringify(clients))
  // OpenSSL takes 32 bytes at most.
  return hash.digest('hex').slice(0, 32)
}
