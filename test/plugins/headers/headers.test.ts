import { Deliver, Handle, HttpError, HttpResponse, type Plugins } from 'rawhttp'
import { headers } from 'rawhttp/plugins/headers'
import { redirects } from 'rawhttp/plugins/redirects'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { tempSite } from '../static/temp-site.ts'

type Options = Parameters<typeof headers>[0]

/** What answers have, with some fields to work on. */
const answer = answering(({ path }) => {
  const status = Number(path.slice(1)) || 200
  const fields = { 'x-a': 'given', 'x-powered-by': 'php', vary: 'Origin' }
  return HttpResponse.text('text', { status, headers: fields })
    .append('set-cookie', 'a=1')
    .append('set-cookie', 'b=2')
})

async function fieldsOf(options: Options, url = '/', more: Plugins = [answer]) {
  const { ask } = await serve({ sites: [{ name: 'a', plugins: [headers(options), more] }] })
  const response = await ask(url)
  return (name: string) => response.headers.getAll(name)
}

describe('a field', () => {
  test('is set in the place of all of its name', async () => {
    const field = await fieldsOf({ set: { 'X-A': 'new', 'x-b': 'b', 'Set-Cookie': 'c=3' } })
    expect([field('x-a'), field('x-b'), field('set-cookie')]).toEqual([['new'], ['b'], ['c=3']])
  })

  test('is appended beside others', async () => {
    const field = await fieldsOf({ append: { 'Set-Cookie': 'c=3', link: ['</a>', '</b>'] } })
    expect([field('set-cookie'), field('link')]).toEqual([
      ['a=1', 'b=2', 'c=3'],
      ['</a>', '</b>'],
    ])
  })

  test('is set where there is none', async () => {
    const field = await fieldsOf({ default: { 'X-A': 'default', 'x-b': 'default' } })
    expect([field('x-a'), field('x-b')]).toEqual([['given'], ['default']])
  })

  test('is removed, all lines of it', async () => {
    const field = await fieldsOf({ remove: ['X-Powered-By', 'set-cookie', 'x-none'] })
    expect([field('x-powered-by'), field('set-cookie')]).toEqual([[], []])
  })

  test('is removed before it is set, and set before a default is', async () => {
    const field = await fieldsOf({
      remove: ['x-a'],
      append: { 'x-a': 'c' },
      set: { 'x-a': 'a' },
      default: { 'x-a': 'b' },
    })
    expect(field('x-a')).toEqual(['a', 'c'])
  })

  test('of Vary only grows, each name once', async () => {
    const field = await fieldsOf({ append: { Vary: 'Cookie, origin' } })
    expect(field('vary')).toEqual(['Origin, Cookie'])
  })

  test('may be any policy of content security', async () => {
    const field = await fieldsOf({ set: { 'content-security-policy': "default-src 'self'" } })
    expect(field('content-security-policy')).toEqual(["default-src 'self'"])
  })
})

describe('a rule is for', () => {
  const has = async (narrow: object, url: string) =>
    (await fieldsOf({ ...narrow, set: { 'x-b': 'b' } }, url))('x-b')[0] === 'b'

  test.each<[object, string, boolean]>([
    [{}, '/404', true],
    [{ status: 404 }, '/404', true],
    [{ status: 404 }, '/403', false],
    [{ status: '4xx' }, '/403', true],
    [{ status: '4xx' }, '/500', false],
    [{ status: '2xx' }, '/', true],
    [{ status: '2xx' }, '/404', false],
    [{ status: 'error' }, '/404', true],
    [{ status: 'error' }, '/503', true],
    [{ status: 'error' }, '/399', false],
    [{ status: [200, 'error'] }, '/200', true],
    [{ status: [200, 'error'] }, '/201', false],
    [{ path: '/404' }, '/404', true],
    [{ path: ['/x', '/y/*'] }, '/y/z', true],
    [{ path: '/y/*' }, '/yz', false],
    [{ methods: ['GET'] }, '/', true],
    [{ methods: ['POST'] }, '/', false],
    [{ hosts: ['*.example.com'] }, 'http://a.example.com/', true],
    [{ hosts: ['example.com'] }, 'http://a.example.com/', false],
    [{ path: '/404', status: 'error', methods: ['GET'], hosts: ['a.example'] }, 'http://a.example/404', true],
    [{ path: '/404', status: '2xx', methods: ['GET'], hosts: ['a.example'] }, 'http://a.example/404', false],
  ])('%j: %s %s', async (narrow, url, expected) => {
    expect(await has(narrow, url)).toBe(expected)
  })

  test('all of a list count, in their order', async () => {
    const field = await fieldsOf(
      [
        { set: { 'x-b': '1', 'x-c': '1' } },
        { path: '/404', append: { 'x-b': '2' } },
        { status: '5xx', remove: ['x-b'] },
        { default: { 'x-c': '4' }, set: { 'x-d': '4' } },
      ],
      '/404',
    )
    expect([field('x-b'), field('x-c'), field('x-d')]).toEqual([['1', '2'], ['1'], ['4']])
  })
})

describe('without a status a rule is for every answer:', () => {
  const options = { set: { 'x-b': 'b' }, remove: ['x-powered-by'] }

  test.each<[string, Plugins]>([
    ["nobody's", []],
    ['a redirect', [redirects({ rules: { '/': '/b' } })]],
    [
      'a thrown error',
      [
        answering(() => {
          throw new HttpError(403, 'no', { headers: { 'x-powered-by': 'x' } })
        }),
      ],
    ],
    [
      'a fault',
      [
        answering(() => {
          throw new Error('broken')
        }),
      ],
    ],
    ['a method that is not there', [router({ 'POST /': () => 'x' })]],
  ])('%s', async (_what, plugins) => {
    const field = await fieldsOf(options, '/', plugins)
    expect([field('x-b'), field('x-powered-by')]).toEqual([['b'], []])
  })

  test('a 304, a 206 and an answer to HEAD', async () => {
    await using site = await tempSite({ 'a.txt': 'text' })
    const { ask } = await serve([headers(options), staticFiles({ root: site.root })])
    const etag = (await ask('/a.txt')).headers.get('etag')!
    for (const [status, init] of [
      [304, { headers: { 'if-none-match': etag } }],
      [206, { headers: { range: 'bytes=0-1' } }],
      [200, { method: 'HEAD' }],
    ] as const) {
      const answer = await ask({ url: '/a.txt', ...init })
      expect([answer.status, answer.headers.get('x-b')]).toEqual([status, 'b'])
    }
  })

  test('a refused message and a host that no site takes, among the root plugins', async () => {
    await using server = await startServer({
      plugins: [headers([options, { status: [400, 421], set: { 'x-c': 'c' } }])],
      sites: [{ name: 'a', hosts: ['a.example'], plugins: [answer] }],
    })
    for (const [status, request] of [
      [400, 'GET /%zz HTTP/1.1\r\nHost: a.example\r\n\r\n'],
      [421, 'GET / HTTP/1.1\r\nHost: b.example\r\n\r\n'],
    ] as const) {
      await using client = await RawClient.connect(server.port)
      client.send(request)
      const answer = await client.response()
      expect([answer.status, answer.field('x-b'), answer.field('x-c')]).toEqual([status, 'b', 'c'])
    }
  })

  test('but among the plugins of a site not those', async () => {
    const { ask } = await serve({
      sites: [{ name: 'a', hosts: ['a.example'], plugins: [headers(options), answer] }],
    })
    expect((await ask('http://b.example/')).headers.get('x-b')).toBeUndefined()
    expect((await ask('http://a.example/')).headers.get('x-b')).toBe('b')
  })
})

test('it comes after plugins that set fields of their own, and before what must see all', async () => {
  const others = onSite('others', ({ hooks }) => {
    hooks.deliver.tap({ name: 'own', stage: Deliver.Headers }, response => void response.set('x-b', 'own'))
    hooks.deliver.tap(
      { name: 'last', stage: Deliver.Last },
      response => void response.set('x-seen', response.headers.get('x-b') ?? 'nothing'),
    )
  })
  const field = await fieldsOf({ set: { 'x-b': 'mine' } }, '/', [others, answer])
  expect([field('x-b'), field('x-seen')]).toEqual([['mine'], ['mine']])
})

test('what it sets for one client is in no other answer', async () => {
  const shared = HttpResponse.text('shared')
  const { ask } = await serve([
    headers({ hosts: ['a.example'], set: { 'x-b': 'b' } }),
    answering(() => shared),
  ])
  expect((await ask('http://a.example/')).headers.get('x-b')).toBe('b')
  expect((await ask('http://b.example/')).headers.get('x-b')).toBeUndefined()
})

test('it sees the path that guards and routes see', async () => {
  const moves = onSite('moves', ({ hooks }) =>
    hooks.handle.tap({ name: 'moves', stage: Handle.Prepare }, request => request.rewrite('/inner')),
  )
  const field = await fieldsOf({ path: '/inner', set: { 'x-b': 'b' } }, '/outer', [moves, answer])
  expect(field('x-b')).toEqual(['b'])
})
