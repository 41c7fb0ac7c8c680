import { readFileSync } from 'node:fs'
import type { JSONWebKeySet, JWTVerifyGetKey, JWTVerifyOptions } from 'jose'
import { ConfigError, HttpError } from 'rawhttp'
import type { TokenClaims } from './claims.ts'
import type { JwtSettings } from './schema.ts'

type Jose = typeof import('jose')

/** How long a fetch of keys may take. */
const KEYS_TIMEOUT = 5_000
/** How long nobody asks again for keys that could not be had. */
const KEYS_PAUSE = 5_000

/** What is wrong with a token, in the words of jose; all else is wrong with us or with the issuer. */
const ofToken: ReadonlySet<string> = new Set([
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
])

/** Checks JSON Web Tokens (RFC 7519, RFC 8725) against the public keys of their issuer. */
export class JwtVerifier {
  readonly #settings: JwtSettings
  readonly #keySet: JSONWebKeySet | null
  readonly #load: () => Promise<Jose>
  #ready: Promise<Ready> | null = null
  #pausedUntil = 0

  /**
   * @param resolve Makes the path of a key file absolute.
   * @param load For tests.
   * @throws ConfigError for a key file that cannot be read, or holds what must be kept secret.
   */
  constructor(
    settings: JwtSettings,
    resolve: (path: string | URL) => string,
    load: () => Promise<Jose> = () => import('jose'),
  ) {
    this.#settings = settings
    this.#keySet = settings.jwks.kind === 'file' ? readKeys(resolve(settings.jwks.file)) : null
    this.#load = load
  }

  /**
   * Loads what is needed, once.
   *
   * @throws Error that names the package to install.
   */
  prepare(): Promise<unknown> {
    this.#ready ??= this.#make()
    return this.#ready
  }

  /**
   * The claims of a token; null for one that is not to be trusted.
   *
   * @throws HttpError 503 while the issuer's keys cannot be had.
   */
  async verify(token: string): Promise<TokenClaims | null> {
    this.#ready ??= this.#make()
    const { jose, keys, isFresh, options } = await this.#ready
    if (performance.now() < this.#pausedUntil) throw unavailable()
    try {
      return (await jose.jwtVerify(token, keys, options)).payload
    } catch (error) {
      if (ofToken.has((error as { code?: string }).code ?? '')) return null
      // What is known of other keys still holds, when one that nobody knows made the set be asked for in vain.
      if (!isFresh()) this.#pausedUntil = performance.now() + KEYS_PAUSE
      throw unavailable(error)
    }
  }

  async #make(): Promise<Ready> {
    const { jwks, issuer, audience, algorithms, clockTolerance, type } = this.#settings
    const jose = await this.#load().catch((error: unknown) => {
      throw missing(error)
    })
    const options: JWTVerifyOptions = {
      issuer: [...issuer],
      audience: [...audience],
      algorithms: [...algorithms],
      clockTolerance: clockTolerance / 1_000,
      // A token for ever cannot be taken back.
      requiredClaims: ['exp'],
      ...(type === undefined ? {} : { typ: type }),
    }
    if (jwks.kind === 'file')
      return { jose, keys: jose.createLocalJWKSet(this.#keySet!), isFresh: () => true, options }
    const keys = jose.createRemoteJWKSet(jwks.url, { timeoutDuration: KEYS_TIMEOUT })
    return { jose, keys, isFresh: () => keys.fresh, options }
  }
}

interface Ready {
  readonly jose: Jose
  readonly keys: JWTVerifyGetKey
  /** Whether keys of the issuer are at hand that hold yet. */
  readonly isFresh: () => boolean
  readonly options: JWTVerifyOptions
}

const unavailable = (cause?: unknown): HttpError =>
  new HttpError(503, 'bearer-auth: the keys of the issuer cannot be had', {
    code: 'BEARER_AUTH_KEYS',
    headers: { 'retry-after': String(KEYS_PAUSE / 1_000) },
    cause,
  })

function missing(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return error
  return new Error('bearer-auth: the option jwt needs the package jose: npm install jose', { cause: error })
}

function readKeys(file: string): JSONWebKeySet {
  const fail = (problem: string, cause?: unknown): never => {
    throw new ConfigError({ path: 'jwt.jwks', problem: `${file}: ${problem}` }, { cause })
  }
  let set: unknown
  try {
    set = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return fail(code === undefined ? 'is not JSON' : code === 'ENOENT' ? 'no such file' : code, error)
  }
  const keys: unknown = (set as { keys?: unknown } | null)?.keys
  const isKey = (key: unknown) => typeof (key as { kty?: unknown } | null)?.kty === 'string'
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isKey))
    return fail('expected a JSON Web Key Set such as {"keys":[{"kty":"EC",…}]}')
  // RFC 7518 section 6: the members of private and symmetric keys. Whoever can read them can make tokens.
  if (keys.some(key => 'd' in key || 'k' in key || 'priv' in key))
    return fail('has a private or symmetric key, where only public ones are needed')
  return set as JSONWebKeySet
}
