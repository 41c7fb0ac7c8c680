import { createServer } from 'rawhttp'
import { type BearerAuthOptions, bearerAuth, bearerAuthGuard, hashToken } from 'rawhttp/plugins/bearer-auth'
import { describe, expect, test } from 'vitest'

const hash = hashToken('0123456789abcdefghij')
const jwt = { jwks: 'https://issuer.example/keys', issuer: 'a', audience: 'b', algorithms: ['RS256'] }

const mistakes: [string, unknown, string, string][] = [
  ['nothing', {}, '', 'expected one of tokens, verify and jwt, got none'],
  [
    'two sources',
    { tokens: { a: hash }, verify: () => null },
    '',
    'expected one of tokens, verify and jwt, got tokens and verify',
  ],
  ['no token', { tokens: {} }, '.tokens', 'expected at least one token, got none'],
  [
    'a token',
    { tokens: { a: 'token-secret' } },
    '.tokens.a',
    "expected 'sha256:' and 64 hex digits, made by hashToken()",
  ],
  ['half a hash', { tokens: { a: hash.slice(0, 40) } }, '.tokens.a', "expected 'sha256:' and 64 hex digits"],
  [
    'one token for two',
    { tokens: { a: hash, b: { hash } } },
    '.tokens.b',
    'is the same token as that of "a"',
  ],
  [
    'a misspelt part of a token',
    { tokens: { a: { hash, scopes: [] } } },
    '.tokens.a',
    "expected 'sha256:…', or an object",
  ],
  [
    'a scope with a space',
    { tokens: { a: hash }, scope: ['a b'] },
    '.scope',
    "expected names such as ['read']",
  ],
  [
    'a scope that is no list',
    { tokens: { a: hash }, scope: 'read' },
    '.scope',
    "expected names such as ['read']",
  ],
  ['a realm with a line break', { tokens: { a: hash }, realm: 'a\nb' }, '.realm', 'expected printable ASCII'],
  ['a token for a function', { verify: 'token-secret' }, '.verify', 'expected a function'],
  [
    'no algorithm',
    { jwt: { ...jwt, algorithms: [] } },
    '.jwt.algorithms',
    'expected at least one algorithm, got none',
  ],
  [
    'the algorithm none',
    { jwt: { ...jwt, algorithms: ['none'] } },
    '.jwt.algorithms',
    'expected a public-key algorithm',
  ],
  [
    'a symmetric one',
    { jwt: { ...jwt, algorithms: ['RS256', 'HS256'] } },
    '.jwt.algorithms',
    'expected a public-key',
  ],
  [
    'keys over plain http',
    { jwt: { ...jwt, jwks: 'http://issuer.example/' } },
    '.jwt.jwks',
    'expected an https URL',
  ],
  [
    'keys over ftp',
    { jwt: { ...jwt, jwks: new URL('ftp://issuer.example/') } },
    '.jwt.jwks',
    'expected an https URL',
  ],
  ['a URL that is none', { jwt: { ...jwt, jwks: 'https://' } }, '.jwt.jwks', 'expected an https URL'],
  ['an empty audience', { jwt: { ...jwt, audience: [] } }, '.jwt.audience', 'expected whom tokens are for'],
  ['an empty issuer', { jwt: { ...jwt, issuer: '' } }, '.jwt.issuer', 'expected the issuer'],
  [
    'a time without a unit',
    { jwt: { ...jwt, clockTolerance: '5' } },
    '.jwt.clockTolerance',
    'expected a duration',
  ],
]

describe.each(mistakes)('%s', (_, options, path, problem) => {
  test('is refused when the config loads', async () => {
    const start = createServer({ plugins: [bearerAuth(options as BearerAuthOptions)] })
    await expect(start).rejects.toThrow(`config: plugins[0] (bearer-auth): options${path}`)
    await expect(start).rejects.toThrow(`: ${problem}`)
    await expect(start).rejects.not.toThrow('token-secret')
  })

  test('is refused by the guard in the same words', () => {
    const make = () => bearerAuthGuard(options as BearerAuthOptions)
    expect(make).toThrow(`config: bearerAuthGuard()${path}`)
    expect(make).toThrow(`: ${problem}`)
    expect(make).not.toThrow('token-secret')
  })
})

test.each(['jwks', 'issuer', 'audience', 'algorithms'] as const)('jwt needs %s', async option => {
  const { [option]: _, ...rest } = jwt
  await expect(createServer({ plugins: [bearerAuth({ jwt: rest as never })] })).rejects.toThrow(
    `options.jwt.${option}: is required`,
  )
})
