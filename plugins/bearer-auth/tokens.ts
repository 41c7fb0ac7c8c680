import { createHash, timingSafeEqual } from 'node:crypto'
import type { TokenClaims } from './claims.ts'

/** The characters of a token (RFC 6750 section 2.1). */
export const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

/** Fewer characters can be guessed from their hash. */
const FEWEST = 20

/**
 * The form in which `tokens` takes a token: `sha256:<hex>`. A token is long and random, so that one round is enough;
 * `randomBytes(32).toString('base64url')` makes one.
 *
 * @throws TypeError for what cannot be sent as a token (RFC 6750 section 2.1), and for fewer than 20 characters.
 */
export function hashToken(token: string): string {
  if (typeof token !== 'string' || !TOKEN.test(token))
    throw new TypeError('hashToken: expected letters, digits and -._~+/ (RFC 6750 section 2.1)')
  if (token.length < FEWEST)
    throw new TypeError(`hashToken: expected at least ${FEWEST} random characters, got ${token.length}`)
  return `sha256:${digestOf(token).toString('hex')}`
}

/** A token of the config. */
export interface StoredToken {
  readonly digest: Buffer
  readonly claims: TokenClaims
}

const HASH = /^sha256:([0-9a-f]{64})$/i

/** The digest in what `hashToken` has made; null for anything else. */
export function parseTokenHash(text: unknown): Buffer | null {
  const hex = typeof text === 'string' ? HASH.exec(text)?.[1] : undefined
  return hex === undefined ? null : Buffer.from(hex, 'hex')
}

/** Compares with every token that there is, so that the time tells nothing of which was near. */
export function staticTokens(tokens: readonly StoredToken[]): (token: string) => TokenClaims | null {
  return token => {
    const digest = digestOf(token)
    let found: TokenClaims | null = null
    for (const stored of tokens) if (timingSafeEqual(digest, stored.digest)) found = stored.claims
    return found
  }
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()
