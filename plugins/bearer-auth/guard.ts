import { type HttpRequest, Slots } from 'rawhttp'
import { Challenge } from './challenge.ts'
import { BearerClaims, hasScopes, type TokenClaims } from './claims.ts'
import { TOKEN } from './tokens.ts'

/** Lets a request through, or throws its refusal. */
export type Guard = (request: HttpRequest) => undefined | Promise<undefined>

/** What a guard is made of. */
export interface GuardParts {
  readonly realm: string
  readonly scope: readonly string[]
  /** Null: the token is nobody's. */
  readonly verify: (token: string, request: HttpRequest) => TokenClaims | null | Promise<TokenClaims | null>
}

/** A guard that lets in who holds a token (RFC 6750). */
export function makeGuard({ realm, scope, verify }: GuardParts): Guard {
  const challenge = new Challenge(realm, scope)
  const decide = (request: HttpRequest, claims: TokenClaims | null): undefined => {
    if (claims === null) throw challenge.refused('invalid_token', 'The token is not valid, or not any more.')
    if (!hasScopes(claims, scope))
      throw challenge.refused('insufficient_scope', 'The token is not good for this.')
    request.set(BearerClaims, claims)
    if (typeof claims.sub === 'string') request.set(Slots.user, claims.sub)
  }
  return request => {
    // Before anything is answered, so that no cache takes the answer for everybody's.
    request.restrict('bearer-auth')
    const claims = verify(tokenOf(request, challenge), request)
    return claims instanceof Promise ? claims.then(later => decide(request, later)) : decide(request, claims)
  }
}

/**
 * The token of a request. Only the Authorization field counts: what stands in a URL is in logs, histories and referers
 * (RFC 9700 section 4.3.2).
 */
function tokenOf({ headers }: HttpRequest, challenge: Challenge): string {
  const [field = '', ...more] = headers.getAll('authorization')
  const [scheme = '', ...rest] = field.split(' ')
  if (more.length > 0)
    throw challenge.refused('invalid_request', 'There is more than one Authorization field.')
  if (scheme.toLowerCase() !== 'bearer') throw challenge.missing()
  const token = rest.join(' ').trim()
  if (TOKEN.test(token)) return token
  throw challenge.refused('invalid_request', 'The token has characters that no token has.')
}
