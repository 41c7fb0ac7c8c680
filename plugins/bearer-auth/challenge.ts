import { HttpError } from 'rawhttp'

/** The errors of RFC 6750 section 3.1, with their statuses. */
const statuses = { invalid_request: 400, invalid_token: 401, insufficient_scope: 403 } as const

/** Makes the refusals of one guard. */
export class Challenge {
  readonly #base: string
  readonly #scope: string

  constructor(realm: string, scope: readonly string[]) {
    this.#base = `Bearer realm="${realm.replace(/["\\]/g, '\\$&')}"`
    this.#scope = scope.length === 0 ? '' : `, scope="${scope.join(' ')}"`
  }

  /** For who sent no token: without an error, as section 3 asks. */
  missing(): HttpError {
    const headers = { 'www-authenticate': this.#base + this.#scope }
    return new HttpError(401, 'A bearer token is needed.', { code: 'BEARER_AUTH_MISSING', headers })
  }

  /** @param description Of ours: nothing of the client's is in it. */
  refused(error: keyof typeof statuses, description: string): HttpError {
    const detail = `, error="${error}", error_description="${description}"`
    const scope = error === 'insufficient_scope' ? this.#scope : ''
    const headers = { 'www-authenticate': this.#base + detail + scope }
    const code = `BEARER_AUTH_${error.toUpperCase()}`
    return new HttpError(statuses[error], description, { code, headers })
  }
}
