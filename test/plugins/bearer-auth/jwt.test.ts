import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createServer, HttpResponse } from 'rawhttp'
import { bearerAuth, bearerAuthGuard } from 'rawhttp/plugins/bearer-auth'
import { describe, expect, test, vi } from 'vitest'
import { JwtVerifier } from '../../../plugins/bearer-auth/jwt.ts'
import { serve } from '../../support/in-memory.ts'
import { answering, startServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { bearer, challengeOf, guarded } from './site.ts'

const ISSUER = 'https://issuer.example/'
const AUDIENCE = 'https://api.example.com'
const facts = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['ES256'] } as const

async function makeKey(kid: string, alg = 'ES256') {
  const pair = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg }
  return { ...pair, jwk, kid, alg }
}

type Key = Awaited<ReturnType<typeof makeKey>>

const good = { iss: ISSUER, aud: AUDIENCE, sub: 'ann', scope: 'read' }
const soon = () => Math.floor(Date.now() / 1_000) + 60

const sign = ({ privateKey, kid, alg }: Key, claims: JWTPayload, header = {}): Promise<string> =>
  new SignJWT({ exp: soon(), ...claims }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)

const key = await makeKey('one')
const secret = await exportJWK(key.privateKey)
const keySet = JSON.stringify({ keys: [key.jwk] })

describe('a JSON Web Token', () => {
  test('of the issuer lets in, and its claims are known', async () => {
    const jwks = await tempFile('keys.json', keySet)
    const { as } = await guarded({ jwt: { jwks, ...facts }, scope: ['read'] })
    expect((await as(await sign(key, good))).json()).toMatchObject({ user: 'ann', claims: good })
  })

  test.each<[string, JWTPayload]>([
    ['of another issuer', { ...good, iss: 'https://evil.example/' }],
    ['for somebody else', { ...good, aud: 'https://other.example.com' }],
    ['for nobody', { iss: ISSUER }],
    ['that is over', { ...good, exp: soon() - 120 }],
    ['that is not yet', { ...good, nbf: soon() }],
    ['that holds for ever', { ...good, exp: undefined as never }],
  ])('%s is refused', async (_, claims) => {
    const jwks = await tempFile('keys.json', keySet)
    const { as, reports } = await guarded({ jwt: { jwks, ...facts } })
    expect(challengeOf(await as(await sign(key, claims)))).toContain(
      '401 Bearer realm="Restricted", error="invalid_token"',
    )
    expect(reports).toEqual([])
  })

  test('that is over by less than the clocks may be apart is taken', async () => {
    const jwks = await tempFile('keys.json', keySet)
    const { as } = await guarded({ jwt: { jwks, ...facts, clockTolerance: '10m' } })
    expect((await as(await sign(key, { ...good, exp: soon() - 300 }))).status).toBe(200)
  })

  test('must say that it is of the kind that is asked for', async () => {
    const jwks = await tempFile('keys.json', keySet)
    const { as } = await guarded({ jwt: { jwks, ...facts, type: 'at+jwt' } })
    expect((await as(await sign(key, good, { typ: 'at+jwt' }))).status).toBe(200)
    expect((await as(await sign(key, good, { typ: 'JWT' }))).status).toBe(401)
    expect((await as(await sign(key, good))).status).toBe(401)
  })

  test('without a scope that is needed is a 403', async () => {
    const jwks = await tempFile('keys.json', keySet)
    const { as } = await guarded({ jwt: { jwks, ...facts }, scope: ['write'] })
    expect(challengeOf(await as(await sign(key, good)))).toMatch(/^403 .*insufficient_scope.*scope="write"$/)
  })

  test('is signed by an algorithm of the list, whatever other keys the issuer has', async () => {
    const other = await makeKey('other', 'ES384')
    const jwks = await tempFile('keys.json', JSON.stringify({ keys: [key.jwk, other.jwk] }))
    const token = await sign(other, good)
    expect((await (await guarded({ jwt: { jwks, ...facts } })).as(token)).status).toBe(401)
    const algorithms = ['ES256', 'ES384'] as const
    expect((await (await guarded({ jwt: { jwks, ...facts, algorithms } })).as(token)).status).toBe(200)
  })

  test('that somebody else has made is refused, however it is disguised', async () => {
    const jwks = await tempFile('keys.json', keySet)
    const { as, reports } = await guarded({ jwt: { jwks, ...facts } })
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = part({ ...good, exp: soon() })
    const forged = (header: object, signature: (text: string) => string) => {
      const text = `${part(header)}.${claims}`
      return `${text}.${signature(text)}`
    }
    const spki = await exportSPKI(key.publicKey)
    const real = (await sign(key, good)).split('.')
    const stranger = await makeKey('one')
    const tokens = [
      forged({ alg: 'none' }, () => ''),
      forged({ alg: 'none', kid: 'one' }, () => real[2]!),
      // The public key as the secret of an HMAC (RFC 8725 section 2.1).
      forged({ alg: 'HS256', kid: 'one' }, text =>
        createHmac('sha256', spki).update(text).digest('base64url'),
      ),
      forged({ alg: 'ES256', kid: 'one' }, () => Buffer.alloc(64).toString('base64url')),
      forged({ alg: 'ES256', kid: 'one', crit: ['x'], x: 1 }, () => real[2]!),
      `${real[0]}.${claims}.${real[2]}`,
      await sign(stranger, good),
      await sign(stranger, good, { jwk: stranger.jwk }),
      await sign(await makeKey('two'), good),
      await sign(await makeKey('one', 'ES384'), good),
      'a.b.c',
      'abc',
      real.slice(0, 2).join('.'),
    ]
    for (const token of tokens) {
      const answer = await as(token)
      if (answer.status !== 401 && answer.status !== 400) expect.unreachable(`${answer.status} for ${token}`)
    }
    expect(reports).toEqual([])
  })
})

describe('the keys of an issuer', () => {
  /** An issuer on the loopback interface that counts how often it is asked. */
  const issuer = async () => {
    const state = { keys: [key.jwk], isAway: false, asked: 0 }
    const server = await startServer({
      plugins: [
        answering(() => {
          state.asked++
          return state.isAway ? HttpResponse.error(503) : HttpResponse.json({ keys: state.keys })
        }),
      ],
    })
    return { state, server, jwks: `${server.url}/keys` }
  }

  test('are fetched with the first token, and kept', async () => {
    const { state, server, jwks } = await issuer()
    await using _ = server
    const { as } = await guarded({ jwt: { jwks, ...facts } })
    expect(state.asked).toBe(0)
    const token = await sign(key, good)
    const all = await Promise.all([as(token), as(token), as(token)])
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(state.asked).toBe(1)
  })

  test('are not fetched again for each token with a key that nobody knows', async () => {
    const { state, server, jwks } = await issuer()
    await using _ = server
    const { as } = await guarded({ jwt: { jwks, ...facts } })
    expect((await as(await sign(key, good))).status).toBe(200)
    for (const kid of ['a', 'b', 'c'])
      expect((await as(await sign(await makeKey(kid), good))).status).toBe(401)
    expect(state.asked).toBe(1)
  })

  test('that cannot be had are a 503 that is reported, and are not asked for at every request', async () => {
    const { state, server, jwks } = await issuer()
    await using _ = server
    state.isAway = true
    const { as, reports } = await guarded({ jwt: { jwks, ...facts } })
    const token = await sign(key, good)
    const answer = await as(token)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
    expect(reports[0]?.message).toContain('the keys of the issuer cannot be had')
    expect(String((reports[0]!.cause as Error).cause)).toContain('Expected 200 OK')
    expect((await as(token)).status).toBe(503)
    expect(state.asked).toBe(1)
  })

  test('are asked for again after a pause', async () => {
    const { state, server, jwks } = await issuer()
    await using _ = server
    state.isAway = true
    const { as } = await guarded({ jwt: { jwks, ...facts } })
    const token = await sign(key, good)
    expect((await as(token)).status).toBe(503)
    state.isAway = false
    const now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 6_000)
    try {
      expect((await as(token)).status).toBe(200)
    } finally {
      clock.mockRestore()
    }
  })

  test('that are known still hold while others cannot be had', async () => {
    const { state, server, jwks } = await issuer()
    await using _ = server
    const { as } = await guarded({ jwt: { jwks, ...facts } })
    const token = await sign(key, good)
    expect((await as(token)).status).toBe(200)
    state.isAway = true
    // Behind the time for which jose does not ask again.
    const later = Date.now() + 60_000
    const stranger = await sign(await makeKey('two'), { ...good, exp: soon() + 120 })
    const lasting = await sign(key, { ...good, exp: soon() + 120 })
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => later)
    try {
      expect((await as(stranger)).status).toBe(503)
      expect((await as(lasting)).status).toBe(200)
    } finally {
      clock.mockRestore()
    }
  })
})

describe('a key file', () => {
  test("is found from the site's folder", async () => {
    const file = await tempFile('keys.json', keySet)
    const { ask } = await serve({
      sites: [
        { name: 'a', dir: join(file, '..'), plugins: [bearerAuth({ jwt: { jwks: 'keys.json', ...facts } })] },
      ],
    })
    expect((await ask({ headers: bearer(await sign(key, good)) })).status).toBe(404)
  })

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['no keys', '{"keys":[]}', 'expected a JSON Web Key Set'],
    ['null', 'null', 'expected a JSON Web Key Set'],
    ['something else', '{"keys":[{}]}', 'expected a JSON Web Key Set'],
    ['a private key', JSON.stringify({ keys: [key.jwk, secret] }), 'has a private or symmetric key'],
    ['a secret', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', 'has a private or symmetric key'],
  ])('with %s fails the start', async (_, content, problem) => {
    const jwks = await tempFile('keys.json', content)
    await expect(createServer({ plugins: [bearerAuth({ jwt: { jwks, ...facts } })] })).rejects.toThrow(
      `config: plugins[0] (bearer-auth): options.jwt.jwks: ${jwks}: ${problem}`,
    )
  })

  test('that is not there fails the start', async () => {
    const start = createServer({ plugins: [bearerAuth({ jwt: { jwks: '/none/keys.json', ...facts } })] })
    await expect(start).rejects.toThrow('options.jwt.jwks: /none/keys.json: no such file')
  })

  test('of a guard has an absolute path', async () => {
    const jwks = await tempFile('keys.json', keySet)
    expect(bearerAuthGuard({ jwt: { jwks, ...facts } })).toBeTypeOf('function')
    expect(() => bearerAuthGuard({ jwt: { jwks: 'keys.json', ...facts } })).toThrow(
      "config: bearerAuthGuard().jwt.jwks: expected an absolute path, or a URL (a guard belongs to no folder), got 'keys.json'",
    )
  })
})

test('a missing jose is named with what to type', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  const jwt = new JwtVerifier(
    {
      jwks: { kind: 'url', url: new URL('https://issuer.example/') },
      issuer: ['a'],
      audience: ['b'],
      algorithms: ['RS256'],
      clockTolerance: 0,
    },
    String,
    () => Promise.reject(missing),
  )
  await expect(jwt.prepare()).rejects.toThrow(
    'bearer-auth: the option jwt needs the package jose: npm install jose',
  )
})
