import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/** The shortest secret that is taken, in bytes: that of the HMAC's own output (RFC 2104 section 3). */
export const LEAST_SECRET = 32

/** What a signed cookie says, once its signature was found to be right. */
export interface SignedCookie {
  readonly value: string
  /** Whether a secret behind the first one has signed it: set it again, as long as the old secret is there. */
  readonly isOld: boolean
}

/** A value with its end and signature: `value.seconds since 1970.HMAC`; a cookie without an end has no seconds. */
const SIGNED = /^(.*)\.(\d*)\.([\w-]{43})$/s

/** Signs and verifies. The secrets are in key objects, which show nothing when they are printed. */
export class Keyring {
  readonly #keys: readonly KeyObject[]

  /** @param secrets The first signs, all of them verify. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(secret => createSecretKey(Buffer.from(secret)))
  }

  /**
   * The text for a cookie. It is right for this name only, so that nobody can pass one cookie off as another.
   *
   * @param until Seconds since 1970, from which on it is refused; null for as long as its secret is there.
   */
  sign(name: string, value: string, until: number | null): string {
    const payload = `${value}.${until ?? ''}`
    return `${payload}.${macOf(this.#keys[0]!, name, payload)}`
  }

  /** What a signed cookie says; undefined for what none of the secrets has signed, or is out of date. */
  verify(name: string, text: string, now: number): SignedCookie | undefined {
    const [, value, until, mac] = SIGNED.exec(text) ?? []
    if (value === undefined) return undefined
    const signer = this.#keys.findIndex(key => isSame(mac!, macOf(key, name, `${value}.${until}`)))
    if (signer === -1 || (until !== '' && Number(until) * 1_000 <= now)) return undefined
    return { value, isOld: signer > 0 }
  }
}

// A name has no line end and the payload's last dot stands before digits, so that no two cookies have one text. The
// first line keeps it apart from whatever else is signed with the same secret.
function macOf(key: KeyObject, name: string, payload: string): string {
  return createHmac('sha256', key).update(`rawhttp cookie 1\n${name}\n${payload}`).digest('base64url')
}

/** Compares the texts, not what they decode to: the last character of base64url has bits that mean nothing. */
const isSame = (mac: string, expected: string): boolean =>
  timingSafeEqual(Buffer.from(mac, 'latin1'), Buffer.from(expected, 'latin1'))
