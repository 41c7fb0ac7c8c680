import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  ConfigError,
  definePlugin,
  Handle,
  type HttpRequest,
  type PluginSite,
  ROOT_SITE,
  readOptions,
} from 'rawhttp'
import type { TokenClaims } from './claims.ts'
import { type Guard, makeGuard } from './guard.ts'
import { JwtVerifier } from './jwt.ts'
import {
  type BearerAuthOptions,
  type BearerAuthSettings,
  bearerAuthOptions,
  type Verified,
  type Verify,
} from './schema.ts'
import { staticTokens } from './tokens.ts'

export { BearerClaims, type TokenClaims } from './claims.ts'
export type { Guard } from './guard.ts'
export type {
  Algorithm,
  BearerAuthOptions,
  JwtOptions,
  TokenOptions,
  Verified,
  Verify,
} from './schema.ts'
export { hashToken } from './tokens.ts'

type Resolve = PluginSite['resolve']

interface Compiled {
  readonly guard: Guard
  /** To be loaded before the first request. */
  readonly jwt: JwtVerifier | null
}

/**
 * Asks for a token (RFC 6750) before anything else answers, the cache included. Who holds it is in `Slots.user`
 * afterwards, and what is known of it in `BearerClaims`.
 *
 * @example
 * plugins: [scope({ path: '/api/*' }, [bearerAuth({ tokens: { deploy: 'sha256:5e88…' } })])]
 * @example
 * bearerAuth({
 *   jwt: {
 *     jwks: 'https://issuer.example/.well-known/jwks.json',
 *     issuer: 'https://issuer.example/',
 *     audience: 'https://api.example.com',
 *     algorithms: ['RS256'],
 *   },
 *   scope: ['read'],
 * })
 * @throws Error, when the config loads, for a token that is not hashed, or keys that cannot be read; at start when
 *   `jwt` is used and jose is not installed.
 */
export const bearerAuth = definePlugin({
  name: 'bearer-auth',
  options: bearerAuthOptions,
  site(site, settings) {
    // Refused messages reach no guard.
    if (site.name === ROOT_SITE) return
    const { guard, jwt } = compile(settings, path => site.resolve(path))
    if (jwt !== null)
      site.server.hooks.start.tapPromise('bearer-auth', async () => {
        await jwt.prepare()
      })
    site.hooks.handle.tapAsync({ name: 'bearer-auth', stage: Handle.Guard }, (request, callback) => {
      const answer = guard(request)
      if (answer === undefined) return callback()
      answer.then(
        () => callback(),
        // To a callback `undefined` means that all is well, and a promise may be rejected with it.
        reason =>
          callback(reason instanceof Error ? reason : new Error(`verify failed with ${String(reason)}`)),
      )
    })
  },
})

/**
 * The same as a guard of a route. Key files have absolute paths; jose is loaded with the first request.
 *
 * @example
 * const writers = bearerAuthGuard({ tokens: { deploy: { hash: 'sha256:5e88…', scope: ['write'] } }, scope: ['write'] })
 * router({ 'PUT /pages/:id': route({ guards: [writers] }, ({ params, body }) => write(params.id, body)) })
 * @throws ConfigError for options that the plugin would refuse, too.
 */
export function bearerAuthGuard(options: BearerAuthOptions): Guard {
  return compile(readOptions(bearerAuthOptions, options, 'bearerAuthGuard()'), absolute).guard
}

function compile({ realm, scope, source }: BearerAuthSettings, resolve: Resolve): Compiled {
  if (source.kind === 'tokens')
    return { guard: makeGuard({ realm, scope, verify: staticTokens(source.tokens) }), jwt: null }
  if (source.kind === 'verify')
    return { guard: makeGuard({ realm, scope, verify: checked(source.verify) }), jwt: null }
  const jwt = new JwtVerifier(source.jwt, resolve)
  return { guard: makeGuard({ realm, scope, verify: token => jwt.verify(token) }), jwt }
}

/** What the config's function says, as claims. */
function checked(
  verify: Verify,
): (token: string, request: HttpRequest) => TokenClaims | null | Promise<TokenClaims | null> {
  return (token, request) => {
    const answer = verify(token, request)
    return isPromise(answer) ? Promise.resolve(answer).then(claimsOf) : claimsOf(answer)
  }
}

const isPromise = (value: unknown): value is PromiseLike<Verified> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'

// True, a number or an empty text are slips in that function; taken for a user, they would let everybody in.
function claimsOf(answer: Verified): TokenClaims | null {
  if (answer === null || answer === undefined) return null
  if (typeof answer === 'string' && answer !== '') return { sub: answer }
  if (typeof answer === 'object' && (answer.sub === undefined || typeof answer.sub === 'string'))
    return answer
  throw new TypeError(`bearer-auth: verify must answer a name, claims or null, got ${typeof answer}`)
}

function absolute(path: string | URL): string {
  const file = path instanceof URL || path.startsWith('file:') ? fileURLToPath(path) : path
  if (isAbsolute(file)) return file
  const expected = 'an absolute path, or a URL (a guard belongs to no folder)'
  throw new ConfigError({ path: 'bearerAuthGuard().jwt.jwks', expected, received: `'${file}'` })
}
