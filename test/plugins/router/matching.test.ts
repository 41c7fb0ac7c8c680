import { definePlugin, Handle, HttpResponse, Slots } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { serve } from './serve.ts'

const json = async (served: Awaited<ReturnType<typeof serve>>, line: string) =>
  (await served.ask(line)).json()

describe('a route', () => {
  test('is found by method and path, and given its decoded parameters', async () => {
    const served = await serve(
      router({
        'GET /users/:id': ({ params }) => ({ get: params.id }),
        'POST /users/:id': ({ params }) => ({ post: params.id }),
        'GET /users/me': () => ({ me: true }),
      }),
    )
    expect(await json(served, 'GET /users/J%C3%BCrgen%20%F0%9F%90%A3')).toEqual({ get: 'Jürgen 🐣' })
    expect(await json(served, 'POST /users/7')).toEqual({ post: '7' })
    expect(await json(served, 'GET /users/me')).toEqual({ me: true })
    expect((await served.ask('GET /users/7/posts')).status).toBe(404)
    expect((await served.ask('GET /Users/7')).status).toBe(404)
  })

  test('may have several parameters in one segment, and regular expressions', async () => {
    const served = await serve(
      router({
        'GET /at/:hour(\\d{2})h:minute(\\d{2})m': ({ params }) => params,
        'GET /files/:name.:ext': ({ params }) => params,
        'GET /years/:year(^(?:19|20)\\d\\d$)': ({ params }) => params,
        'GET /cities/:city(^[a-zü ]+$)': ({ params }) => params,
      }),
    )
    expect(await json(served, 'GET /at/08h15m')).toEqual({ hour: '08', minute: '15' })
    expect((await served.ask('GET /at/8h15m')).status).toBe(404)
    expect(await json(served, 'GET /files/a.b.json')).toEqual({ name: 'a.b', ext: 'json' })
    expect(await json(served, 'GET /years/1999')).toEqual({ year: '1999' })
    expect((await served.ask('GET /years/1899')).status).toBe(404)
    expect(await json(served, 'GET /cities/m%C3%BCnchen%20s%C3%BCd')).toEqual({ city: 'münchen süd' })
  })

  test('may have an optional last parameter', async () => {
    const served = await serve(
      router({
        'GET /posts/:page?': ({ params }) => ({ page: params.page ?? 'first', has: 'page' in params }),
        'GET /n/:n(\\d+)?': ({ params }) => ({ n: params.n ?? 'none' }),
        'GET /:any?': ({ params }) => ({ any: params.any ?? 'none' }),
      }),
    )
    expect(await json(served, 'GET /posts/2')).toEqual({ page: '2', has: true })
    expect(await json(served, 'GET /posts')).toEqual({ page: 'first', has: false })
    expect(await json(served, 'GET /n/12')).toEqual({ n: '12' })
    expect(await json(served, 'GET /n')).toEqual({ n: 'none' })
    expect((await served.ask('GET /n/x')).status).toBe(404)
    expect(await json(served, 'GET /')).toEqual({ any: 'none' })
    expect(await json(served, 'GET /x')).toEqual({ any: 'x' })
  })

  test('may end in a wildcard, which takes all that is left', async () => {
    const served = await serve(router({ 'GET /files/:user/*': ({ params }) => params }))
    expect(await json(served, 'GET /files/ann/a/b%20c/')).toEqual({ user: 'ann', '*': 'a/b c/' })
    expect(await json(served, 'GET /files/ann/')).toEqual({ user: 'ann', '*': '' })
    expect((await served.ask('GET /files/ann')).status).toBe(404)
  })

  test('does not take an empty segment for a parameter', async () => {
    const served = await serve(
      router({
        'DELETE /users/:id': () => null,
        'GET /f/:name.json': () => null,
        'GET /any/:id(\\d*)': () => 'any',
      }),
    )
    expect((await served.ask('DELETE /users/')).status).toBe(404)
    expect((await served.ask('GET /f/.json')).status).toBe(404)
    expect((await served.ask('GET /any/')).text()).toBe('any')
  })

  test('takes a parameter of 4,000 characters', async () => {
    const served = await serve(router({ 'GET /t/:token': ({ params }) => String(params.token.length) }))
    expect((await served.ask(`GET /t/${'x'.repeat(4_000)}`)).text()).toBe('4000')
  })

  test('matches spellings of one path alike, in the pattern and in the request', async () => {
    const served = await serve(
      router({
        'GET /caf%c3%A9/%7euser/:id': ({ params }) => params.id,
        'GET /straße': () => 'ß',
        'GET /a%2Fb%3F%23%25c': () => 'reserved',
        'GET /v1/users::bulk': () => 'bulk',
        'GET /latin1/%E9': () => 'latin1',
      }),
    )
    for (const path of ['/caf%C3%A9/~user/1', '/./caf%c3%a9//%7Euser/1', '/x/../caf%C3%A9/~user/1']) {
      expect((await served.ask(`GET ${path}`)).text()).toBe('1')
    }
    expect((await served.ask('GET /stra%C3%9Fe')).text()).toBe('ß')
    expect((await served.ask('GET /a%2fb%3f%23%25c')).text()).toBe('reserved')
    expect((await served.ask('GET /a/b%3F%23%25c')).status).toBe(404)
    expect((await served.ask('GET /a%252Fb%3F%23%25c')).status).toBe(404)
    expect((await served.ask('GET /v1/users:bulk')).text()).toBe('bulk')
    expect((await served.ask('GET /v1/users%3Abulk')).text()).toBe('bulk')
    expect((await served.ask('GET /v1/usersbulk')).status).toBe(404)
    expect((await served.ask('GET /latin1/%e9')).text()).toBe('latin1')
  })

  test('sees %2F as a slash in parameters only', async () => {
    const served = await serve(
      router({ 'GET /p/:path': ({ params }) => params.path, 'GET /p/a/b': () => 'two segments' }),
    )
    expect((await served.ask('GET /p/a%2Fb')).text()).toBe('a/b')
    expect((await served.ask('GET /p/a/b')).text()).toBe('two segments')
    expect((await served.ask('GET /p/a%252Fb')).text()).toBe('a%2Fb')
    expect((await served.ask('GET /p/%3F%23%25')).text()).toBe('?#%')
  })

  test('refuses bytes that are not UTF-8 in a parameter with 400, and leaves other paths alone', async () => {
    const served = await serve(
      router({ 'GET /users/:id': ({ params }) => params.id, 'GET /w/*': ({ params }) => params['*'] }),
    )
    for (const path of ['/users/%FF', '/users/a%C3b', '/users/%ED%A0%80', '/w/a/%E9']) {
      const answer = await served.ask(`GET ${path}`)
      expect([path, answer.status, answer.text()]).toEqual([
        path,
        400,
        expect.stringContaining('is not valid UTF-8'),
      ])
    }
    expect((await served.ask('GET /other/%FF')).status).toBe(404)
    // The bytes of the characters that stand for folded escapes are text like any other.
    expect((await served.ask('GET /users/%EE%80%AF%F0%9F%90%A3')).text()).toBe('\ue02f🐣')
  })

  test('refuses a wildcard with a dot segment after decoding with 400', async () => {
    const served = await serve(
      router({ 'GET /files/*': ({ params }) => params['*'], 'GET /p/:name': ({ params }) => params.name }),
    )
    for (const path of ['..%2Fetc', 'a/..%2F..%2Fetc', 'a%2F..', '..%5Cetc', 'a%2F.%2Fb', '%2E%2E%2Fetc']) {
      const answer = await served.ask(`GET /files/${path}`)
      expect([path, answer.status]).toEqual([path, 400])
    }
    expect((await served.ask('GET /files/a..b%2F...%2Fc')).text()).toBe('a..b/.../c')
    expect((await served.ask('GET /p/..%2Fx')).text()).toBe('../x')
  })

  test('may have a parameter of any name', async () => {
    const served = await serve(
      router({ 'GET /:__proto__/:constructor': ({ params }) => Object.entries(params) }),
    )
    expect(await json(served, 'GET /a/b')).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })

  test('is named in Slots.route by its pattern, with the prefix', async () => {
    const seen: unknown[] = []
    const watcher = definePlugin({
      name: 'watcher',
      site: site => site.hooks.done.tap('watcher', request => void seen.push(request.get(Slots.route))),
    })
    const served = await serve(
      watcher,
      router('/orgs/:org', { 'GET /users/:id(\\d+)': () => null, 'GET /': () => null }),
      router({ 'GET /p/:page?': () => null }),
    )
    for (const path of ['/orgs/a/users/1', '/orgs/a', '/orgs/a/', '/p', '/nothing'])
      await served.ask(`GET ${path}`)
    expect(seen).toEqual(['/orgs/:org/users/:id(\\d+)', '/orgs/:org', '/orgs/:org', '/p/:page?', undefined])
  })
})

describe('HEAD', () => {
  test('is answered by the GET route without its body', async () => {
    const served = await serve(router({ 'GET /x': ({ request }) => request.method }))
    const answer = await served.ask('HEAD /x')
    expect([answer.status, answer.headers.get('content-length'), answer.body.length]).toEqual([200, '4', 0])
  })

  test('goes to a route of its own if there is one', async () => {
    const served = await serve(
      router({
        'GET /x': () => 'get',
        'HEAD /x': () => HttpResponse.empty({ status: 200, headers: { 'x-own': '1' } }),
      }),
    )
    expect((await served.ask('HEAD /x')).headers.get('x-own')).toBe('1')
  })
})

describe('a path without a route for the method', () => {
  test('is 405 with all methods that the routers know, and 204 to OPTIONS', async () => {
    const served = await serve(
      router({ 'GET /x/:a': () => null, 'POST /x/y': () => null }),
      router({ 'PUT /x/:a': () => null, 'PURGE /other': () => null }),
    )
    const refused = await served.ask('DELETE /x/y')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST, PUT'])
    const options = await served.ask('OPTIONS /x/y')
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST, PUT'])
    expect((await served.ask('OPTIONS /nothing')).status).toBe(404)
    expect((await served.ask('GET /other')).headers.get('allow')).toBe('OPTIONS, PURGE')
  })

  test('says nothing about routes to OPTIONS *', async () => {
    const served = await serve(router({ 'GET /': () => 'root', 'OPTIONS /': () => 'options' }))
    const answer = await served.ask('OPTIONS *')
    expect([answer.status, answer.headers.get('allow'), answer.text()]).toEqual([204, undefined, ''])
  })

  test('goes on to what answers it: a page and a route may share a path', async () => {
    const page = definePlugin({
      name: 'page',
      site: site =>
        site.hooks.handle.tap({ name: 'page', stage: Handle.Static }, request =>
          request.path === '/login' && request.method === 'GET' ? HttpResponse.text('page') : undefined,
        ),
    })
    const served = await serve(router({ 'POST /login': () => 'route' }), page)
    expect((await served.ask('GET /login')).text()).toBe('page')
    expect((await served.ask('POST /login')).text()).toBe('route')
    expect((await served.ask('PUT /login')).status).toBe(405)
  })

  test('does not fail for a parameter that only another method would decode', async () => {
    const served = await serve(router({ 'POST /x/:id': () => null }))
    expect((await served.ask('GET /x/%FF')).status).toBe(405)
  })
})

test('of two routers that know a path the first in the config has it', async () => {
  const served = await serve(
    router({ 'GET /x': () => 'first' }),
    router({ 'GET /x': () => 'second', 'GET /y': () => 'y' }),
  )
  expect((await served.ask('GET /x')).text()).toBe('first')
  expect((await served.ask('GET /y')).text()).toBe('y')
})
