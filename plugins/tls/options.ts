import { type Duration, expected, parseDuration } from 'rawhttp'
import * as v from 'valibot'

/** A PEM file by its path or `file:` URL, or what would stand in it. A relative path counts from the config's folder. */
export type PemInput = string | URL | Uint8Array

const isPem = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '') ||
  value instanceof Uint8Array ||
  (value instanceof URL && value.protocol === 'file:')

const pem = (what: string) => v.custom<PemInput>(isPem, expected(`${what}: a path, a file: URL, or PEM`))

const isDuration = (value: unknown): boolean => {
  try {
    return parseDuration(value as Duration) > 0
  } catch {
    return false
  }
}

const duration = (example: string) =>
  v.pipe(
    v.custom<Duration>(isDuration, expected(`a duration such as '${example}'`)),
    v.transform(parseDuration),
  )

const count = (from: number, to: number) =>
  v.pipe(
    v.number(expected(`a number from ${from} to ${to}`)),
    v.integer(expected(`a whole number from ${from} to ${to}`)),
    v.minValue(from, expected(`a number from ${from} to ${to}`)),
    v.maxValue(to, expected(`a number from ${from} to ${to}`)),
  )

const flag = v.boolean(expected('true or false'))

const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i

const certificate = v.strictObject(
  {
    /** The server's certificate, behind it those of its issuers up to the root, which may be left out. */
    cert: pem('a certificate with its chain'),
    key: pem('a private key'),
    /** Of the key, if it is encrypted. */
    passphrase: v.optional(v.string('is not a text')),
    /** The names that it answers to, `*.example.com` among them. Default: those in the certificate. */
    hosts: v.optional(
      v.pipe(
        v.array(v.pipe(v.string(), v.regex(HOST, expected('a host such as example.com or *.example.com')))),
        v.minLength(1, expected('at least one host')),
      ),
    ),
  },
  expected('an object such as { cert, key }'),
)

const clientCertificates = v.strictObject(
  {
    /** Who issues the certificates of clients: one or more PEM files. Nobody else is trusted. */
    ca: v.union(
      [pem('a certificate'), v.pipe(v.array(pem('a certificate')), v.minLength(1))],
      expected('certificates of issuers: a path, a file: URL, PEM, or a list of them'),
    ),
    /** Whether a client without a certificate is turned away. Default: true. */
    required: v.optional(flag, true),
  },
  expected("an object such as { ca: './clients.pem' }"),
)

const YEAR = '365d'

const hsts = v.pipe(
  v.strictObject(
    {
      /** How long browsers stay with https. Default: a year. */
      maxAge: v.optional(
        v.pipe(
          v.union([v.literal(0), v.custom<Duration>(isDuration)], expected("a duration such as '365d'")),
          v.transform(parseDuration),
        ),
        YEAR,
      ),
      /** Whether it holds for all names below, too. Default: false. */
      includeSubDomains: v.optional(flag, false),
      /** Whether browsers may have it built in (hstspreload.org). Default: false. */
      preload: v.optional(flag, false),
    },
    expected('true, false or an object such as { includeSubDomains: true }'),
  ),
  v.check(
    ({ maxAge, includeSubDomains, preload }) =>
      !preload || (includeSubDomains && maxAge >= parseDuration(YEAR)),
    'preload needs includeSubDomains and a maxAge of a year or more (hstspreload.org)',
  ),
)

const fields = v.strictObject(
  {
    /** One certificate, with its chain. Without it and {@link certificates} one for localhost is made. */
    cert: v.optional(certificate.entries.cert),
    /** The private key of {@link cert}. */
    key: v.optional(certificate.entries.key),
    passphrase: certificate.entries.passphrase,
    /** Several certificates: a client gets the one of the name that it asks for, else the first. */
    certificates: v.optional(
      v.pipe(v.array(certificate), v.minLength(1, expected('at least one certificate'))),
    ),
    /** Asks clients for certificates of their own. */
    clientCertificates: v.optional(clientCertificates),
    /** Handshakes that are under way at one time; more wait. Default: 512. */
    maxHandshakes: v.optional(count(1, 1_000_000), 512),
    /** How often the keys of session tickets are new. Default: 12 hours. */
    ticketRotation: v.optional(duration('12h'), '12h'),
    /** How often files are looked at; false: only at a reload. Default: 10 s. */
    watch: v.optional(
      v.union([v.literal(false), duration('10s')], expected("false or a duration such as '10s'")),
      '10s',
    ),
    /** Sends requests that come without TLS to https: to the default port, or to this one. Default: false. */
    redirect: v.optional(v.union([flag, count(1, 65_535)], expected('true, false or a port')), false),
    /** Tells browsers to come by https only (RFC 6797). Default: false. */
    hsts: v.optional(v.union([flag, hsts], expected('true, false or options')), false),
  },
  expected("options such as { cert: './cert.pem', key: './key.pem' }"),
)

// These sentences show no values: an object that holds a key or a passphrase must not be printed.
/** The options of `tls`. */
export const tlsOptions = v.pipe(
  v.optional(fields, {}),
  v.forward(
    v.check(
      ({ cert, certificates }) => cert === undefined || certificates === undefined,
      'stands beside cert: give cert and key, or certificates',
    ),
    ['certificates'],
  ),
  v.forward(
    v.check(({ cert, key }) => cert === undefined || key !== undefined, 'is required with cert'),
    ['key'],
  ),
  v.forward(
    v.check(
      ({ cert, key, passphrase }) => cert !== undefined || (key === undefined && passphrase === undefined),
      'is required with key and passphrase',
    ),
    ['cert'],
  ),
)

export type TlsSettings = v.InferOutput<typeof tlsOptions>
export type CertificateOptions = v.InferOutput<typeof certificate>
