import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { contextOf } from './contexts.ts'
import { blocksOf, CERTIFICATE, type PemSource, PRIVATE_KEY, placeOf, readPem, wrong } from './pem.ts'

/** Where a certificate and its key come from. */
export interface PairSource {
  readonly cert: PemSource
  readonly key: PemSource
  readonly passphrase: string | undefined
  /** The names it answers to, in lower case; undefined: those that it has. */
  readonly hosts: readonly string[] | undefined
}

/** A certificate with its chain and its key, checked. */
export interface Pair {
  readonly cert: string
  readonly key: string
  /** The server's own certificate: the first of the chain. */
  readonly leaf: X509Certificate
  /** Host names in lower case, `*.example.com` among them. */
  readonly names: readonly string[]
  /** What is odd and yet works. */
  readonly warnings: readonly string[]
  /** The certificate's file, or that it stands in the config. */
  readonly place: string
}

/**
 * Reads and checks a certificate and its key.
 *
 * @throws ConfigError that names the option, the file and what is wrong.
 */
export async function readPair(source: PairSource): Promise<Pair> {
  const chain = chainOf(source.cert, await readPem(source.cert))
  const key = keyOf(source, await readPem(source.key))
  checkMatch(source, chain, key)
  const leaf = chain[0]!
  const pair = {
    cert: chain.map(String).join(''),
    // Decrypted once, here: OpenSSL need not be told the passphrase again.
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    leaf,
    names: source.hosts ?? namesOf(leaf),
    warnings: chainWarnings(chain, source.cert),
    place: placeOf(source.cert),
  }
  tryOut(pair, source.cert)
  return pair
}

/** OpenSSL has a mind of its own: it refuses short keys and old signatures. */
function tryOut(pair: Pair, source: PemSource): void {
  try {
    contextOf(pair, { clients: null, ticketKeys: null })
  } catch (error) {
    throw wrong(source, 'a certificate that OpenSSL takes', `one that it refuses, ${reasonOf(error)}`, error)
  }
}

/**
 * The certificates of a PEM text, at least one.
 *
 * @throws ConfigError when there is none, or one cannot be parsed.
 */
export function chainOf(source: PemSource, text: string): X509Certificate[] {
  const blocks = blocksOf(text, CERTIFICATE)
  if (blocks.length === 0) throw wrong(source, 'a certificate in PEM form', without(text))
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      const which = blocks.length === 1 ? '' : ` (number ${at + 1} of ${blocks.length})`
      const received = `one that cannot be parsed${which}, ${reasonOf(error)}`
      throw wrong(source, 'a certificate', received, error)
    }
  })
}

/** In DER, PKCS #12 above all, everything is a sequence: the first byte is 0x30. */
const without = (text: string): string =>
  text.charCodeAt(0) === 0x30 ? 'binary (openssl can turn it into PEM)' : 'nothing of that kind'

function keyOf({ key: source, passphrase }: PairSource, text: string): KeyObject {
  const [block] = blocksOf(text, PRIVATE_KEY)
  if (block === undefined) throw wrong(source, 'a private key in PEM form', without(text))
  try {
    return createPrivateKey({ key: block, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (error) {
    throw wrong(source, 'a private key', keyProblem(block, passphrase, error), error)
  }
}

function keyProblem(block: string, passphrase: string | undefined, error: unknown): string {
  if (!block.includes('ENCRYPTED')) return `one that cannot be parsed, ${reasonOf(error)}`
  return passphrase === undefined
    ? 'an encrypted one without passphrase'
    : 'one that the passphrase does not open'
}

function checkMatch(
  { cert, key: source }: PairSource,
  chain: readonly X509Certificate[],
  key: KeyObject,
): void {
  const at = chain.findIndex(certificate => certificate.checkPrivateKey(key))
  if (at === 0) return
  if (at > 0)
    throw wrong(cert, "the server's own certificate first, behind it its issuers", `it as number ${at + 1}`)
  throw wrong(source, `the private key of ${placeOf(cert)}`, 'the key of another certificate')
}

// Clients of TLS 1.2 need not sort a chain (RFC 5246 section 7.4.2: each certificate certifies the one before).
function chainWarnings(chain: readonly X509Certificate[], source: PemSource): string[] {
  const at = chain.findIndex((each, index) => index > 0 && !chain[index - 1]!.checkIssued(each))
  if (at === -1) return []
  return [
    `${placeOf(source)}: certificate ${at + 1} did not issue certificate ${at}; some clients will refuse the chain`,
  ]
}

/** The host names of a certificate. Addresses are left out: no client can ask for one (RFC 6066 section 3). */
function namesOf(leaf: X509Certificate): string[] {
  const names = [...(leaf.subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^",\s]+)/g)].map(([, name]) => name!)
  if (names.length > 0) return names.map(name => name.toLowerCase())
  const common = /^CN=([\w*.-]+)$/m.exec(leaf.subject)?.[1]
  return common === undefined ? [] : [common.toLowerCase()]
}

/** OpenSSL's own word for what went wrong, without its file names and line numbers. */
export function reasonOf(error: unknown): string {
  const { reason, message } = error as Error & { readonly reason?: string }
  return reason ?? message
}
