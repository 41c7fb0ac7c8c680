import fc from 'fast-check'
import { Slots } from 'rawhttp'
import { BearerClaims, bearerAuthGuard, hashToken, type TokenClaims } from 'rawhttp/plugins/bearer-auth'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { parseTokenHash, staticTokens } from '../../../plugins/bearer-auth/tokens.ts'
import { requestOf, serve } from '../../support/in-memory.ts'
import { bearer, challengeOf, guarded } from './site.ts'

const DEPLOY = 'deploy-0123456789abcdef'
const REPORT = 'report~0123456789+/abcdef=='

const tokens = {
  deploy: hashToken(DEPLOY),
  report: { hash: hashToken(REPORT), scope: ['read', 'stats'] },
}

describe('bearer-auth', () => {
  test('lets in who holds a token, and says who it is and what for', async () => {
    const { as } = await guarded({ tokens })
    expect((await as(DEPLOY)).json()).toEqual({ user: 'deploy', claims: { sub: 'deploy', scope: [] } })
    expect((await as(REPORT)).json()).toEqual({
      user: 'report',
      claims: { sub: 'report', scope: ['read', 'stats'] },
    })
  })

  // RFC 6750 section 3: no error for who sent nothing.
  test.each([undefined, '', 'Basic YTpi', 'Bearertoken', DEPLOY])(
    'asks who sends %j',
    async authorization => {
      const { ask } = await guarded({ tokens, realm: 'The "API"', scope: ['read', 'stats'] })
      const answer = await ask(authorization === undefined ? {} : { headers: { authorization } })
      expect(challengeOf(answer)).toBe('401 Bearer realm="The \\"API\\"", scope="read stats"')
    },
  )

  test.each([`${DEPLOY}0`, DEPLOY.slice(1), DEPLOY.toUpperCase(), 'x'])(
    'refuses the token %j',
    async token => {
      const { as, done } = await guarded({ tokens })
      expect(challengeOf(await as(token))).toBe(
        '401 Bearer realm="Restricted", error="invalid_token", error_description="The token is not valid, or not any more."',
      )
      expect(done[0]?.request.get(Slots.user)).toBeUndefined()
    },
  )

  test.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer "a"',
    `Bearer ${DEPLOY}, Bearer ${DEPLOY}`,
    'bearer =a',
  ])('cannot read %j, which is a 400', async authorization => {
    const { ask } = await guarded({ tokens })
    expect(challengeOf(await ask({ headers: { authorization } }))).toMatch(
      /^400 Bearer realm="Restricted", error="invalid_request", error_description="[\w ]+\."$/,
    )
  })

  test('takes one Authorization field, no more', async () => {
    const { ask } = await guarded({ tokens })
    const field = ['authorization', `Bearer ${DEPLOY}`] as const
    expect(challengeOf(await ask({ headers: [field, field] }))).toContain('400 Bearer')
  })

  test('never looks for a token in the URL or the body', async () => {
    const { ask } = await guarded({ tokens })
    const answer = await ask({
      method: 'POST',
      url: `/?access_token=${DEPLOY}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `access_token=${DEPLOY}`,
    })
    expect(answer.status).toBe(401)
  })

  test('asks for every scope of the list', async () => {
    const { as } = await guarded({ tokens, scope: ['read', 'stats'] })
    expect((await as(REPORT)).status).toBe(200)
    expect(challengeOf(await as(DEPLOY))).toBe(
      '403 Bearer realm="Restricted", error="insufficient_scope", error_description="The token is not good for this.", scope="read stats"',
    )
  })

  test('restricts every request, refused ones too', async () => {
    const { ask, as, done } = await guarded({ tokens })
    await ask()
    await as('x')
    await as(DEPLOY)
    expect(done.map(({ request }) => request.restriction)).toEqual(Array(3).fill('bearer-auth'))
  })

  test('answers any field with 200, 400 or 401, and reports nothing', async () => {
    const { ask, reports } = await guarded({ tokens })
    const field = fc.oneof(
      fc.string(),
      fc.string().map(text => `Bearer ${text}`),
      fc.constant(`bEARER  ${DEPLOY}`),
    )
    await fc.assert(
      fc.asyncProperty(field, async authorization => {
        const { status } = await ask({ headers: { authorization } })
        expect([200, 400, 401]).toContain(status)
        expect(status === 200).toBe(/^bearer +deploy-0123456789abcdef$/i.test(authorization))
      }),
    )
    expect(reports).toEqual([])
  })
})

describe('verify', () => {
  test.each([
    ['a name', () => 'ann', { user: 'ann', claims: { sub: 'ann' } }],
    ['claims', () => ({ sub: 'ann', role: 'x' }), { user: 'ann', claims: { sub: 'ann', role: 'x' } }],
    ['claims of nobody', () => ({ role: 'x' }), { claims: { role: 'x' } }],
    ['a promise of a name', async () => 'ann', { user: 'ann', claims: { sub: 'ann' } }],
  ])('may answer %s', async (_, verify, known) => {
    const { as } = await guarded({ verify })
    expect((await as('abc')).json()).toEqual(known)
  })

  test('is given the token and the request', async () => {
    const { as } = await guarded({ verify: (token, { path }) => `${token} at ${path}` })
    expect((await as('abc')).json()).toMatchObject({ user: 'abc at /' })
  })

  test.each([
    ['null', () => null],
    ['nothing', () => undefined],
    ['a promise of null', async () => null],
  ])('refuses by %s', async (_, verify) => {
    const { as } = await guarded({ verify })
    expect(challengeOf(await as('abc'))).toContain('401 Bearer realm="Restricted", error="invalid_token"')
  })

  test.each([
    ['true', () => true],
    ['an empty name', () => ''],
    ['a number', async () => 1],
    ['a name that is none', () => ({ sub: 1 })],
    ['a rejection with nothing', () => Promise.reject(undefined)],
    [
      'a throw',
      () => {
        throw new Error('verify is away')
      },
    ],
  ])('lets nobody in by %s: that is a 500', async (_, verify) => {
    const { as, reports } = await guarded({ verify: verify as unknown as () => null })
    expect((await as('abc-secret')).status).toBe(500)
    expect(reports[0]).toMatchObject({ plugin: 'bearer-auth', hook: 'handle' })
    expect(reports[0]?.message).toContain('verify')
    expect(reports[0]?.message).not.toContain('abc-secret')
  })

  test.each([
    [{ scope: 'read write' }, 200],
    [{ scope: ['write', 'read'] }, 200],
    [{ scp: 'read' }, 200],
    [{ scp: ['read'] }, 200],
    [{ scope: 'reading' }, 403],
    [{ scope: ['read write'] }, 403],
    [{ scope: 1 }, 403],
    [{}, 403],
  ])('may say %j, which for "read" is a %i', async (claims, status) => {
    const { as } = await guarded({ verify: () => claims as TokenClaims, scope: ['read'] })
    expect((await as('abc')).status).toBe(status)
  })
})

test('one of two scopes is not both', async () => {
  const scoped = (scope: string) => guarded({ verify: () => ({ scope }), scope: ['read', 'write'] })
  expect((await (await scoped('read')).as('abc')).status).toBe(403)
  expect((await (await scoped('write')).as('abc')).status).toBe(403)
  expect((await (await scoped('write read')).as('abc')).status).toBe(200)
})

test.each([0, 15, 31])('a token whose hash differs in byte %i alone is another token', at => {
  const digest = parseTokenHash(tokens.deploy)!
  const claims = { sub: 'deploy' }
  expect(staticTokens([{ digest, claims }])(DEPLOY)).toBe(claims)
  digest[at]! ^= 1
  expect(staticTokens([{ digest, claims }])(DEPLOY)).toBeNull()
})

describe('bearerAuthGuard', () => {
  test('guards a route, each with a scope of its own', async () => {
    const guard = (scope: string[]) => bearerAuthGuard({ tokens, scope })
    const { ask } = await serve([
      router({
        'GET /stats': route(
          { guards: [guard(['stats'])] },
          ({ request }) => `for ${request.get(BearerClaims)?.sub}`,
        ),
        'PUT /stats': route({ guards: [guard(['write'])] }, () => 'written'),
      }),
    ])
    expect((await ask('/stats')).status).toBe(401)
    expect((await ask({ url: '/stats', headers: bearer(REPORT) })).text()).toBe('for report')
    expect((await ask({ method: 'PUT', url: '/stats', headers: bearer(REPORT) })).status).toBe(403)
  })

  test('judges tokens of the config without a promise', () => {
    const guard = bearerAuthGuard({ tokens })
    expect(guard(requestOf({ headers: bearer(DEPLOY) }))).toBeUndefined()
    expect(() => guard(requestOf({ headers: bearer('x') }))).toThrow(expect.objectContaining({ status: 401 }))
  })
})

describe('hashToken', () => {
  test('is SHA-256 in hex', () => {
    expect(hashToken('abcdefghijklmnopqrstuvwxyz')).toBe(
      'sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73',
    )
  })

  test.each(['short', 'has a space and is long enough', '', 'is-long-enough-but-é-is-no-token', 3])(
    'refuses %j',
    token => {
      expect(() => hashToken(token as string)).toThrow(/^hashToken: expected/)
    },
  )
})
