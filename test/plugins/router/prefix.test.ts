import { definePlugin, Handle, HttpResponse, scope } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { serve } from './serve.ts'

/** Answers every GET that nobody else did, as a single-page application does. */
const spa = definePlugin({
  name: 'spa',
  site: site =>
    site.hooks.handle.tap({ name: 'spa', stage: Handle.Fallback }, request =>
      request.method === 'GET' ? HttpResponse.text('spa') : undefined,
    ),
})

describe('a router with a prefix', () => {
  test('answers below it, and its own path with and without a slash', async () => {
    const served = await serve(
      router('/orgs/:org', {
        'GET /': ({ params }) => `org ${params.org}`,
        'GET /users/:id': ({ params }) => `${params.org}/${params.id}`,
      }),
    )
    expect((await served.ask('GET /orgs/acme')).text()).toBe('org acme')
    expect((await served.ask('GET /orgs/acme/')).text()).toBe('org acme')
    expect((await served.ask('GET /orgs/a%20b/users/7')).text()).toBe('a b/7')
    expect((await served.ask('GET /users/7')).status).toBe(404)
  })

  test('owns it: what no route takes there is 404, and the SPA page does not answer', async () => {
    const served = await serve(spa, router('/api', { 'GET /users': () => 'users' }))
    for (const path of [
      '/api',
      '/api/',
      '/api/nothing',
      '/api/users/x',
      '//api/./nothing',
      '/%61pi/nothing',
      '/api/%FF',
    ]) {
      expect([path, (await served.ask(`GET ${path}`)).status]).toEqual([path, 404])
    }
    for (const path of ['/', '/apis', '/apx', '/other/api', '/api%2Fnothing']) {
      expect([path, (await served.ask(`GET ${path}`)).text()]).toEqual([path, 'spa'])
    }
  })

  test('owns it with parameters in it', async () => {
    const served = await serve(spa, router('/orgs/:org(\\d+)/api', { 'GET /users': () => 'users' }))
    expect((await served.ask('GET /orgs/7/api/users')).text()).toBe('users')
    expect((await served.ask('GET /orgs/7/api/nothing')).status).toBe(404)
    expect((await served.ask('GET /orgs/x/api/nothing')).text()).toBe('spa')
  })

  test('answers a method without a route with 405 and Allow, and leaves OPTIONS to the kernel', async () => {
    const served = await serve(
      spa,
      router('/api', { 'GET /users': () => 'users', 'POST /users': () => null, 'PUT /u': () => null }),
    )
    const refused = await served.ask('DELETE /api/users')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST'])
    expect((await served.ask('GET /api/u')).headers.get('allow')).toBe('OPTIONS, PUT')
    const options = await served.ask('OPTIONS /api/users')
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST'])
    expect((await served.ask('OPTIONS /api/nothing')).status).toBe(404)
  })

  test('lets other routers and files answer below it', async () => {
    const file = definePlugin({
      name: 'file',
      site: site =>
        site.hooks.handle.tap({ name: 'file', stage: Handle.Static }, request =>
          request.path === '/api/openapi.json' ? HttpResponse.json({}) : undefined,
        ),
    })
    const served = await serve(
      spa,
      router('/api', { 'GET /a': () => 'a' }),
      router({ 'GET /api/b': () => 'b' }),
      file,
    )
    expect((await served.ask('GET /api/b')).text()).toBe('b')
    expect((await served.ask('GET /api/openapi.json')).text()).toBe('{}')
    expect((await served.ask('GET /api/c')).status).toBe(404)
  })

  test('passes on what no route takes with passThrough', async () => {
    const served = await serve(
      spa,
      router('/api', { 'GET /a': () => 'a', 'POST /p': () => null }, { passThrough: true }),
    )
    expect((await served.ask('GET /api/a')).text()).toBe('a')
    expect((await served.ask('GET /api/b')).text()).toBe('spa')
    expect((await served.ask('GET /api/p')).text()).toBe('spa')
    expect((await served.ask('PUT /api/p')).headers.get('allow')).toBe('OPTIONS, POST')
  })

  test('of "/" owns everything', async () => {
    const served = await serve(spa, router('/', { 'GET /a': () => 'a', 'GET /': () => 'root' }))
    expect((await served.ask('GET /')).text()).toBe('root')
    expect((await served.ask('GET /a')).text()).toBe('a')
    expect((await served.ask('GET /b')).status).toBe(404)
  })
})

test('a router inside a scope sees only its requests', async () => {
  const served = await serve(
    spa,
    scope({ hosts: ['api.example.com'] }, [router('/', { 'GET /a': () => 'scoped' })]),
    router({ 'GET /a': () => 'plain' }),
  )
  expect((await served.ask('GET /a', { host: 'api.example.com' })).text()).toBe('scoped')
  expect((await served.ask('GET /b', { host: 'api.example.com' })).status).toBe(404)
  expect((await served.ask('GET /a', { host: 'example.com' })).text()).toBe('plain')
  expect((await served.ask('GET /b', { host: 'example.com' })).text()).toBe('spa')
})
