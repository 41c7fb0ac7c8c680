import { Handle, HttpResponse } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { redirects } from 'rawhttp/plugins/redirects'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { locked, redirecting } from './serve.ts'

describe('a rule leads', () => {
  test.each([
    ['/old', '/new', '/old', '/new'],
    ['/old', '/new', '//x/..//old', '/new'],
    ['/blog/:slug', '/articles/:slug', '/blog/hello', '/articles/hello'],
    ['/blog/:slug', '/articles/:slug', '/blog/caf%c3%a9%2Fx', '/articles/caf%C3%A9%2Fx'],
    ['/:year(\\d{4})/:slug', '/archive/:slug/:year', '/2030/x', '/archive/x/2030'],
    ['/docs/*', 'https://docs.example.com/v2/*', '/docs/a/b', 'https://docs.example.com/v2/a/b'],
    ['/list/:page?', '/all/:page', '/list', '/all/'],
    ['/search/:term', '/find?q=:term#hits', '/search/a&b', '/find?q=a%26b#hits'],
    ['/x*', '/*', '/x/evil.example', '/evil.example'],
    ['/x/*', '/*', '/x/%5Cevil.example', '/%5Cevil.example'],
  ])('%s to %s: %s goes to %s', async (from, to, url, location) => {
    const { told } = await redirecting({ rules: { [from]: to } })
    expect(await told(`GET ${url}`)).toEqual([308, location])
  })

  test('with its own status, else that of the options, else 308', async () => {
    const rules = [
      { from: '/a', to: '/b', status: 302 },
      { from: '/c', to: '/d' },
    ] as const
    const own = await redirecting({ rules, status: 301 })
    expect(await own.told('GET /a')).toEqual([302, '/b'])
    expect(await own.told('GET /c')).toEqual([301, '/d'])
    expect(await (await redirecting({ rules })).told('GET /c')).toEqual([308, '/d'])
  })

  test.each([301, 302, 303, 307, 308] as const)('with %i, whatever the method', async status => {
    const { told } = await redirecting({ rules: { '/a': { to: '/b', status } } })
    expect(await told('GET /a')).toEqual([status, '/b'])
    expect(await told('HEAD /a')).toEqual([status, '/b'])
    expect(await told('POST /a', { body: 'x' })).toEqual([status, '/b'])
  })

  test('and not from other paths', async () => {
    const { told } = await redirecting({ rules: { '/a': '/b', '/c/*': '/d/*' } })
    for (const path of ['/a/', '/b', '/A', '/c', '/ab'])
      expect(await told(`GET ${path}`)).toEqual([200, `at ${path}`])
  })
})

describe('the query', () => {
  test('is kept, behind that of the rule', async () => {
    const { told } = await redirecting({ rules: { '/a': '/b', '/c': '/d?x=1' } })
    expect(await told('GET /a?y=%20&z')).toEqual([308, '/b?y=%20&z'])
    expect(await told('GET /c?y=2')).toEqual([308, '/d?x=1&y=2'])
    expect(await told('GET /c')).toEqual([308, '/d?x=1'])
    expect(await told('GET /a?')).toEqual([308, '/b'])
  })

  test('may be dropped', async () => {
    const { told } = await redirecting({ rules: { '/a': { to: '/b', query: 'drop' } } })
    expect(await told('GET /a?y=1')).toEqual([308, '/b'])
  })

  test('cannot leave the line', async () => {
    const { told } = await redirecting({ rules: { '/a': '/b' } })
    expect(await told('GET /a?"<>%0d%0aset-cookie:x')).toEqual([308, '/b?%22%3C%3E%0d%0aset-cookie:x'])
  })
})

describe('a rule is for', () => {
  test('the methods that it names, GET with HEAD', async () => {
    const { told } = await redirecting({ rules: { '/a': { to: '/b', methods: ['GET'] } } })
    expect(await told('GET /a')).toEqual([308, '/b'])
    expect(await told('HEAD /a')).toEqual([308, '/b'])
    expect(await told('POST /a')).toEqual([200, 'at /a'])
  })

  test('all but OPTIONS, unless it names that', async () => {
    const rules = { '/a': '/b', '/c': { to: '/d', methods: ['OPTIONS'] } }
    const { told } = await redirecting({ rules, trailingSlash: 'add' })
    expect(await told('OPTIONS /a')).toEqual([200, 'at /a'])
    expect(await told('OPTIONS /x')).toEqual([200, 'at /x'])
    expect(await told('OPTIONS *')).toEqual([200, 'at *'])
    expect(await told('OPTIONS /c')).toEqual([308, '/d/'])
  })

  test('the hosts that it names', async () => {
    const rules = [
      { from: '/*', to: 'https://new.example/*', hosts: ['old.example', '*.old.example'] },
      { from: '/a', to: '/b' },
    ]
    const { told } = await redirecting({ rules })
    const at = (host: string) => told('GET /a', { headers: { host } })
    expect(await at('OLD.example:80')).toEqual([308, 'https://new.example/a'])
    expect(await at('x.old.example')).toEqual([308, 'https://new.example/a'])
    expect(await at('other.example')).toEqual([308, '/b'])
  })
})

test('the first rule that is for a request has it', async () => {
  const { told } = await redirecting({
    rules: [
      { from: '/a/:x', to: '/post/:x', methods: ['POST'] },
      { from: '/a/special', to: '/s' },
      { from: '/a/*', to: '/all/*' },
    ],
  })
  expect(await told('POST /a/special')).toEqual([308, '/post/special'])
  expect(await told('GET /a/special')).toEqual([308, '/s'])
  expect(await told('GET /a/x')).toEqual([308, '/all/x'])
})

test('what is gone is 410, with the page of errors', async () => {
  const { ask } = await redirecting({ rules: { '/old/*': { status: 410 } } }, ['*'], [errorPages(), locked])
  const { status, headers } = await ask('GET /old/x', { headers: { accept: 'text/html' } })
  expect([status, headers.get('content-type')]).toEqual([410, 'text/html; charset=utf-8'])
})

test('parameters that would make a dot segment are 400', async () => {
  const { told } = await redirecting({ rules: { '/:a-:b': '/:a/:b/x' } })
  expect(await told('GET /a-b')).toEqual([308, '/a/b/x'])
  expect(await told('GET /a-..')).toEqual([400, expect.stringContaining('the path leads to a dot segment')])
})

describe('Cache-Control', () => {
  const rules = { '/a': '/b', '/c': { to: '/d', status: 302 } } as const
  const fieldOf = async (options: { cacheControl?: string | false }, path: string) => {
    const { ask } = await redirecting({ rules, ...options })
    return (await ask(`GET ${path}`)).headers.get('cache-control')
  }

  test('keeps what is permanent from being kept for ever', async () => {
    expect(await fieldOf({}, '/a')).toBe('max-age=3600')
    expect(await fieldOf({ cacheControl: 'no-cache' }, '/a')).toBe('no-cache')
    expect(await fieldOf({ cacheControl: false }, '/a')).toBeUndefined()
  })

  test('is not needed for what is not', async () => {
    expect(await fieldOf({}, '/c')).toBeUndefined()
  })
})

describe('a request that is where it should be', () => {
  test('is not sent to the place where it is', async () => {
    const rules = { '/*': 'https://example.com/*' } as const
    const { told } = await redirecting({ rules })
    const https = { headers: { host: 'EXAMPLE.com:443' } }
    expect(await told('GET https://example.com/a?b')).toEqual([200, 'at /a'])
    expect(await told('GET https://EXAMPLE.com:443/a')).toEqual([200, 'at /a'])
    expect(await told('GET http://example.com/a?b', https)).toEqual([308, 'https://example.com/a?b'])
    expect(await told('GET https://www.example.com/a')).toEqual([308, 'https://example.com/a'])
  })

  test('nor to its own path by a wide rule', async () => {
    const { told } = await redirecting({ rules: { '/*': { to: '/closed', status: 302 } } })
    expect(await told('GET /a')).toEqual([302, '/closed'])
    expect(await told('GET /closed')).toEqual([200, 'at /closed'])
  })
})

describe('the answer', () => {
  test('comes before guards', async () => {
    const { told } = await redirecting({ rules: { '/a': '/b' } }, ['*'], [locked])
    expect(await told('GET /a')).toEqual([308, '/b'])
    expect((await told('GET /b'))[0]).toBe(401)
  })

  test('comes after what needs nothing at all, and has ids that were given before', async () => {
    const early = onSite('early', site => {
      site.hooks.handle.tap({ name: 'id', stage: Handle.Prepare }, request => void request.log.info('id'))
      site.hooks.handle.tap({ name: 'early', stage: Handle.Early }, ({ path }) =>
        path === '/health' ? HttpResponse.text('well') : undefined,
      )
    })
    const { told, reports } = await redirecting({ rules: { '/*': '/b' } }, ['*'], [early])
    expect(await told('GET /health')).toEqual([200, 'well'])
    expect(await told('GET /a')).toEqual([308, '/b'])
    expect(reports).toHaveLength(2)
  })

  test('is about what the client asked for, not about what rewrites make of it', async () => {
    const pretty = rewrites({ '/:page': '/index.php?page=:page' })
    const { told } = await redirecting({ rules: { '/index.php': '/home' } }, ['*'], [pretty])
    expect(await told('GET /index.php')).toEqual([308, '/home'])
    expect(await told('GET /home')).toEqual([200, 'at /index.php'])
  })

  test('of several instances is that of the first that has one', async () => {
    const more = [redirects({ rules: { '/a': '/second', '/b': '/second' } })]
    const { told } = await redirecting({ rules: { '/a': '/first' } }, ['*'], more)
    expect(await told('GET /a')).toEqual([308, '/first'])
    expect(await told('GET /b')).toEqual([308, '/second'])
  })
})

test('thousands of rules are found by the path', async () => {
  const rules = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, index) => [`/p/:id/old-${index}`, `/p/:id/new-${index}`]),
  )
  const { told } = await redirecting({ rules })
  expect(await told('GET /p/7/old-2999')).toEqual([308, '/p/7/new-2999'])
  expect(await told('GET /p/7/old-3000')).toEqual([200, 'at /p/7/old-3000'])
})
