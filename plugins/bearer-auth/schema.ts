import { type Duration, type HttpRequest, isDuration, parseDuration } from 'rawhttp'
import * as v from 'valibot'
import type { TokenClaims } from './claims.ts'
import { parseTokenHash, type StoredToken } from './tokens.ts'

/** Algorithms that are verified by a public key. None is symmetric: who verifies could also sign. */
const algorithms = [
  ...['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
  ...['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
] as const

export type Algorithm = (typeof algorithms)[number]

/** What `verify` answers: a name, or claims; null for a token that lets nobody in. */
export type Verified = string | TokenClaims | null | undefined

/** Says whose a token is. */
export type Verify = (token: string, request: HttpRequest) => Verified | Promise<Verified>

/** A token of the config with what it is good for. */
export interface TokenOptions {
  /** Made by `hashToken`. */
  readonly hash: string
  /** Default: nothing that could be asked for. */
  readonly scope?: readonly string[] | undefined
}

/** How JSON Web Tokens are checked. Needs the package `jose`. */
export interface JwtOptions {
  /** The issuer's public keys (RFC 7517): an https URL, or a file. A relative path counts from the site's `dir`. */
  readonly jwks: string | URL
  /** Who may have issued the token (`iss`). */
  readonly issuer: string | readonly string[]
  /** Whom the token must be for (`aud`): one of these. */
  readonly audience: string | readonly string[]
  /** The algorithms that the issuer signs with. */
  readonly algorithms: readonly Algorithm[]
  /** How far clocks may be apart. Default: `'5s'`. */
  readonly clockTolerance?: Duration | undefined
  /** The kind that a token must say it is (`typ`): `at+jwt` for access tokens by RFC 9068. Default: any. */
  readonly type?: string | undefined
}

/** The options of `bearerAuth` and `bearerAuthGuard`. One of `tokens`, `verify` and `jwt` is needed. */
export interface BearerAuthOptions {
  /** What the token is for: printable ASCII. Default: `Restricted`. */
  readonly realm?: string | undefined
  /** What a token must be good for; all of it. Default: nothing. */
  readonly scope?: readonly string[] | undefined
  /** Hashes of tokens by the name of who holds them, made by `hashToken`: `{ deploy: 'sha256:…' }`. */
  readonly tokens?: Readonly<Record<string, string | TokenOptions>> | undefined
  /** Asks something else whose a token is. */
  readonly verify?: Verify | undefined
  /** JSON Web Tokens (RFC 7519) of an issuer. */
  readonly jwt?: JwtOptions | undefined
}

/** What {@link JwtOptions} come to. */
export interface JwtSettings {
  readonly jwks:
    | { readonly kind: 'url'; readonly url: URL }
    | { readonly kind: 'file'; readonly file: string | URL }
  readonly issuer: readonly string[]
  readonly audience: readonly string[]
  readonly algorithms: readonly Algorithm[]
  /** Milliseconds. */
  readonly clockTolerance: number
  readonly type?: string | undefined
}

/** What the options come to. */
export interface BearerAuthSettings {
  readonly realm: string
  readonly scope: readonly string[]
  readonly source:
    | { readonly kind: 'tokens'; readonly tokens: readonly StoredToken[] }
    | { readonly kind: 'verify'; readonly verify: Verify }
    | { readonly kind: 'jwt'; readonly jwt: JwtSettings }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

// RFC 6749 section 3.3.
const isScope = (value: unknown): boolean =>
  typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)

const scope = v.optional(
  v.custom<readonly string[]>(
    value => Array.isArray(value) && value.every(isScope),
    "expected names such as ['read'] (RFC 6749 section 3.3)",
  ),
  [],
)

const texts = (what: string) =>
  v.pipe(
    v.custom<string | readonly string[]>(
      value => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
      `expected ${what}`,
    ),
    v.transform((value): readonly string[] => (typeof value === 'string' ? [value] : value)),
  )

const jwt = v.strictObject(
  {
    jwks: v.pipe(
      v.custom<string | URL>(
        value => isText(value) || value instanceof URL,
        "expected a URL such as 'https://issuer.example/keys', or a file",
      ),
      v.rawTransform(({ dataset: { value }, addIssue, NEVER }): JwtSettings['jwks'] => {
        const isPath = typeof value === 'string' && !/^https?:/i.test(value)
        const url = isPath ? null : URL.parse(value)
        if (isPath || url?.protocol === 'file:') return { kind: 'file', file: value }
        if (url !== null && isSafe(url)) return { kind: 'url', url }
        addIssue({ message: 'expected an https URL: who changes keys on the way can make tokens' })
        return NEVER
      }),
    ),
    issuer: texts("the issuer such as 'https://issuer.example/', or a list"),
    audience: texts("whom tokens are for such as 'https://api.example.com', or a list"),
    algorithms: v.pipe(
      v.array(
        v.picklist(algorithms, `expected a public-key algorithm: ${algorithms.join(', ')}`),
        "expected the algorithms of the issuer such as ['RS256']",
      ),
      v.minLength(1, 'expected at least one algorithm, got none'),
    ),
    clockTolerance: v.pipe(
      v.optional(v.custom<Duration>(isDuration, "expected a duration such as '5s'"), '5s'),
      v.transform(parseDuration),
    ),
    type: v.optional(v.custom<string>(isText, "expected a type such as 'at+jwt'")),
  },
  'expected an object such as { jwks, issuer, audience, algorithms }',
)

/** On the machine itself nobody stands in between. */
const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' ||
  (protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))

const tokens = v.pipe(
  v.custom<Readonly<Record<string, string | TokenOptions>>>(
    value => typeof value === 'object' && value !== null && !Array.isArray(value),
    "expected hashes by name such as { deploy: 'sha256:…' }",
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const stored: StoredToken[] = []
    for (const [name, written] of Object.entries(dataset.value)) {
      const token = storedToken(name, written, stored)
      if (typeof token !== 'string') {
        stored.push(token)
        continue
      }
      const step = { type: 'object', origin: 'value', input: {}, key: name, value: undefined } as const
      addIssue({ message: token, path: [step] })
      return NEVER
    }
    if (stored.length > 0) return stored
    addIssue({ message: 'expected at least one token, got none' })
    return NEVER
  }),
)

const tokenOptions = v.strictObject({ hash: v.string(), scope })

// What came is never shown: it may be the token itself.
function storedToken(name: string, written: unknown, before: readonly StoredToken[]): StoredToken | string {
  const parsed = v.safeParse(tokenOptions, typeof written === 'string' ? { hash: written } : written)
  if (!parsed.success)
    return "expected 'sha256:…', or an object such as { hash: 'sha256:…', scope: ['read'] }"
  const digest = parseTokenHash(parsed.output.hash)
  if (digest === null) return "expected 'sha256:' and 64 hex digits, made by hashToken()"
  const same = before.find(each => each.digest.equals(digest))
  if (same !== undefined) return `is the same token as that of "${same.claims.sub}"`
  return { digest, claims: Object.freeze({ sub: name, scope: Object.freeze([...parsed.output.scope]) }) }
}

const options = v.strictObject(
  {
    realm: v.optional(
      v.custom<string>(
        value => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value),
        'expected printable ASCII (RFC 9110 section 5.6.4)',
      ),
      'Restricted',
    ),
    scope,
    tokens: v.optional(tokens),
    verify: v.optional(v.custom<Verify>(value => typeof value === 'function', 'expected a function')),
    jwt: v.optional(jwt),
  },
  "expected options such as { tokens: { deploy: 'sha256:…' } }",
)

export const bearerAuthOptions: v.GenericSchema<BearerAuthOptions, BearerAuthSettings> = v.pipe(
  options,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const { realm, scope, tokens, verify, jwt } = dataset.value
    const sources: BearerAuthSettings['source'][] = []
    if (tokens !== undefined) sources.push({ kind: 'tokens', tokens })
    if (verify !== undefined) sources.push({ kind: 'verify', verify })
    if (jwt !== undefined) sources.push({ kind: 'jwt', jwt })
    const [source] = sources
    if (source !== undefined && sources.length === 1) return { realm, scope, source }
    const got = sources.length === 0 ? 'none' : sources.map(({ kind }) => kind).join(' and ')
    addIssue({ message: `expected one of tokens, verify and jwt, got ${got}` })
    return NEVER
  }),
)
