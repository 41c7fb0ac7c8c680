import { slot } from 'rawhttp'

/** What is known of who holds a token: the claims of a JSON Web Token, or what `verify` answered. */
export interface TokenClaims {
  /** Who it is. Becomes `Slots.user`. */
  readonly sub?: string | undefined
  /** What the token is good for: names between spaces (RFC 8693 section 4.2), or a list of them. */
  readonly scope?: string | readonly string[] | undefined
  readonly [claim: string]: unknown
}

/** The claims of the token that a request was let in by. */
export const BearerClaims = slot<TokenClaims>('bearer-auth.claims')

/** Whether a token is good for everything in a list. `scp` is how some issuers call the claim. */
export function hasScopes({ scope, scp }: TokenClaims, needed: readonly string[]): boolean {
  if (needed.length === 0) return true
  const given = new Set([...namesIn(scope), ...namesIn(scp)])
  return needed.every(name => given.has(name))
}

function namesIn(claim: unknown): readonly unknown[] {
  if (typeof claim === 'string') return claim.split(' ')
  return Array.isArray(claim) ? claim : []
}
