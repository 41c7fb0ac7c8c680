import { stat } from 'node:fs/promises'
import fc from 'fast-check'
import {
  canonicalPath,
  createServer,
  FileSlice,
  Handle,
  type HttpRequest,
  HttpResponse,
  type InjectOptions,
  type Plugins,
  scope,
} from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { tls } from 'rawhttp/plugins/tls'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { tempSite } from '../static/temp-site.ts'

type Options = Parameters<typeof rewrites>[0]

/** Serves rewrites before an answer that shows path and query. */
async function rewriting(options: Options, more: Plugins = []) {
  const shows = answering(({ path, search }) => HttpResponse.text(`${path}${search}`))
  const { server, reports, done } = await serve({
    sites: [{ name: 'a', plugins: [rewrites(options), more, shows] }],
  })
  const ask = (url: string, rest: InjectOptions = {}) => server.inject({ url, ...rest })
  const seen = async (url: string, rest?: InjectOptions) => (await ask(url, rest)).text()
  return { ask, seen, reports, done }
}

describe('a path becomes', () => {
  test.each([
    ['/a', '/b', '/a', '/b'],
    ['/api/v1/*', '/v1/*', '/api/v1/users/7?x=1', '/v1/users/7?x=1'],
    ['/api*', '/*', '/api/users', '/users'],
    ['/@:name', '/profile?user=:name', '/@ann?user=bob', '/profile?user=ann&user=bob'],
    ['/@:name', '/profile?user=:name', '/@a&admin=1', '/profile?user=a%26admin%3D1'],
    ['/list/:page?', '/pages/:page', '/list', '/pages/'],
    ['/caf\xe9/:x', '/:x', '/caf%c3%a9/%7ea%2Fb', '/~a%2Fb'],
    ['/a', '/a/a', '/a', '/a/a'],
  ])('by %s and %s: %s is %s', async (from, to, url, expected) => {
    const { seen } = await rewriting({ [from]: to })
    expect(await seen(url)).toBe(expected)
  })

  test('nothing else, when no rule is for it', async () => {
    const { seen } = await rewriting({ '/a': '/b', '/': '/index' })
    expect(await seen('/a/?x')).toBe('/a/?x')
    expect(await seen('*', { method: 'OPTIONS' })).toBe('*')
  })

  test('what the first rule says that is for the request', async () => {
    const { seen } = await rewriting([
      { from: '/a/*', to: '/posted/*', methods: ['POST'] },
      { from: '/a/*', to: '/hosted/*', hosts: ['*.example.com'] },
      { from: '/a/b', to: '/exact', query: 'drop' },
      { from: '/*', to: '/rest/*' },
    ])
    expect(await seen('/a/b', { method: 'POST' })).toBe('/posted/b')
    expect(await seen('http://x.example.com/a/b')).toBe('/hosted/b')
    expect(await seen('/a/b?c')).toBe('/exact')
    expect(await seen('/a/c?c')).toBe('/rest/a/c?c')
  })
})

describe('a request is rewritten once', () => {
  test('by an instance, though the rule fits what it made', async () => {
    const { seen } = await rewriting({ '/*': '/x/*' })
    expect(await seen('/a')).toBe('/x/a')
  })

  test('and by the next instance what the first one made', async () => {
    const { seen } = await rewriting({ '/a': '/b' }, [rewrites({ '/b': '/c' })])
    expect(await seen('/a')).toBe('/c')
    expect(await seen('/b')).toBe('/c')
  })

  test('also when its file changed and it is handled again', async () => {
    const path = await tempFile('a.txt', 'text')
    const paths: string[] = []
    const plugins = [
      rewrites({ '/*': '/x/*' }),
      answering(async request => {
        paths.push(`${request.path}${request.search}`)
        const { size, mtimeMs } = await stat(path)
        const changed = new FileSlice(path, { size, mtimeMs: mtimeMs - 1_000 })
        return new HttpResponse(200, paths.length === 1 ? changed : new FileSlice(path, await stat(path)))
      }),
    ]
    const { ask } = await serve(plugins)
    expect((await ask('/a?b')).text()).toBe('text')
    expect(paths).toEqual(['/x/a?b', '/x/a?b'])
  })
})

describe('what a rewrite makes', () => {
  const guard = onSite('guard', site =>
    site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard }, () => HttpResponse.error(401)),
  )

  test('is what guards see, however it was asked for', async () => {
    const { ask } = await rewriting({ '/public/*': '/admin/*', '/p*': '/*' }, [
      scope({ path: '/admin/*' }, [guard]),
    ])
    for (const url of [
      '/public/x',
      '/public/',
      '//public//x',
      '/%70ublic/x',
      '/p/admin/x',
      '/p//admin',
      '/padmin/x',
    ])
      expect([url, (await ask(url)).status]).toEqual([url, 401])
    expect((await ask('/padmi')).status).toBe(200)
  })

  test('is no way to a place below that a guard keeps: dot segments are 400', async () => {
    const { ask } = await rewriting({ '/:a-:b': '/open/:b/x' }, [scope({ path: '/x' }, [guard])])
    expect((await ask('/a-..')).status).toBe(400)
    expect((await ask('/a-%2e%2E')).status).toBe(400)
    expect((await ask('/a-b')).text()).toBe('/open/b/x')
  })

  test('never leaves what the rule leads to', async () => {
    const { ask } = await rewriting({ '/go/:a-:b': '/in/:b/:a', '/go/*': '/in/*', '/go*': '/in*' })
    const words = [
      '..',
      '.',
      '%2e',
      '/',
      '//',
      '%2F',
      '%5C',
      '-',
      'a',
      ';',
      '%252e',
      '%00',
      '\\',
      '?',
      '%3F',
      'go',
    ]
    const tail = fc.array(fc.constantFrom(...words), { maxLength: 8 }).map(parts => parts.join(''))
    await fc.assert(
      fc.asyncProperty(tail, async text => {
        const { status, body } = await ask(`/go${text}`)
        const path = body.toString().replace(/\?.*/s, '')
        if (status !== 200) {
          expect(status).toBe(400)
          return
        }
        const asked = canonicalPath(`/go${text}`.replace(/\?.*/s, ''))
        if (asked.startsWith('/go')) expect(path).toMatch(/^\/in/)
        else expect(path).toBe(asked)
      }),
      { numRuns: 1_000 },
    )
  })

  test('is what routes, files and the cache go by, and the log has what the client sent', async () => {
    await using site = await tempSite({ 'v2/a.txt': 'a file' })
    const logged: HttpRequest[] = []
    const server = await createServer({
      plugins: [
        onSite('log', ({ hooks }) => hooks.done.tap('log', request => void logged.push(request))),
        cache(),
        rewrites({ '/v1/*': '/v2/*' }),
        router({ 'GET /v2/:id(\\d+)': ({ params }) => `user ${params.id}` }),
        staticFiles({ root: site.root }),
      ],
    })
    const text = async (url: string) => (await server.inject({ url })).text()
    expect(await text('/v1/7')).toBe('user 7')
    expect(await text('/v1/a.txt')).toBe('a file')
    expect(await text('/v2/a.txt')).toBe('a file')
    expect(logged.map(({ target, path }) => [target, path])).toEqual([
      ['/v1/7', '/v2/7'],
      ['/v1/a.txt', '/v2/a.txt'],
      ['/v2/a.txt', '/v2/a.txt'],
    ])
    await server.stop()
  })

  test('is not what a client is sent to by the redirect to https', async () => {
    const { ask } = await rewriting({ '/a': '/inner' }, [tls({ redirect: true })])
    expect((await ask('http://x.example/a?b')).headers.get('location')).toBe('https://x.example/a?b')
  })
})
