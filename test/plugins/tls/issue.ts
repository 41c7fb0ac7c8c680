import { generate } from 'selfsigned'

/** A certificate and its key, as PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

interface Wish {
  /** Host names; the first is the common name. */
  readonly names?: readonly string[]
  /** Days from now until it ends; negative: it has ended. */
  readonly days?: number
  /** Days from now until it begins. */
  readonly from?: number
  /** Who signs it; without one it signs itself. */
  readonly by?: Issued
  readonly isAuthority?: boolean
  readonly passphrase?: string
  readonly keyType?: 'ec' | 'rsa'
}

const DAY = 86_400_000

/** Makes a certificate in this process, in some milliseconds. */
export async function issue(wish: Wish = {}): Promise<Issued> {
  const {
    names = ['localhost'],
    days = 90,
    from = -400,
    by,
    isAuthority = false,
    keyType = 'ec',
    passphrase,
  } = wish
  const { private: key, cert } = await generate([{ name: 'commonName', value: names[0]! }], {
    keyType,
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from * DAY),
    notAfterDate: new Date(Date.now() + days * DAY),
    extensions: [
      { name: 'basicConstraints', cA: isAuthority, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: isAuthority, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: names.map(value => ({ type: 2, value })) },
    ],
    ...(by === undefined ? {} : { ca: by }),
    ...(passphrase === undefined ? {} : { passphrase }),
  })
  return { cert, key }
}
