import { redirects } from 'rawhttp/plugins/redirects'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { tls } from 'rawhttp/plugins/tls'
import { describe, expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { tempSite } from '../static/temp-site.ts'
import { redirecting } from './serve.ts'

describe('www', () => {
  const both = ['example.com', 'www.example.com']

  test.each([
    ['add', 'http://example.com/a?b', 'http://www.example.com/a?b'],
    ['add', 'https://Example.COM/', 'https://www.example.com/'],
    ['add', 'http://example.com:8080/a', 'http://www.example.com:8080/a'],
    ['remove', 'http://www.example.com/a?b', 'http://example.com/a?b'],
    ['remove', 'https://WWW.example.com.:8443/', 'https://example.com:8443/'],
  ] as const)('%s: %s goes to %s', async (www, url, location) => {
    const { told } = await redirecting({ www }, both)
    expect(await told(`GET ${url}`)).toEqual([308, location])
    expect((await told(`GET ${location}`))[0]).toBe(200)
  })

  test.each<['add' | 'remove', readonly string[], string]>([
    ['add', [...both, 'api.example.com'], 'api.example.com'],
    ['add', ['example.com', '127.0.0.1', '[::1]', 'localhost'], '127.0.0.1'],
    ['add', ['example.com', '127.0.0.1', '[::1]', 'localhost'], '[::1]:80'],
    ['add', ['example.com', 'localhost'], 'localhost'],
    ['add', ['example.com', '*'], 'made-up.example'],
    ['remove', ['*'], 'www.com'],
    ['remove', ['*'], 'wwwx.example.com'],
  ])('%s at the hosts %j leaves %s alone', async (www, hosts, host) => {
    const { told } = await redirecting({ www }, hosts)
    expect(await told('GET /', { headers: { host } })).toEqual([200, 'at /'])
  })

  test('is put before all that a site of its own names, and a wildcard may be the other one', async () => {
    const apart = await redirecting({ www: 'add' }, ['a.example', 'b.example'])
    expect(await apart.told('GET http://b.example/')).toEqual([308, 'http://www.b.example/'])
    const wild = await redirecting({ www: 'add' }, ['a.example', '*.a.example', 'b.example'])
    expect(await wild.told('GET http://a.example/')).toEqual([308, 'http://www.a.example/'])
    expect((await wild.told('GET http://b.example/'))[0]).toBe(200)
  })
})

test('behind a trusted proxy host and scheme are those that the client used', async () => {
  await using server = await startServer({
    trustedProxies: ['127.0.0.1'],
    sites: [
      {
        name: 'a',
        hosts: ['example.com', 'www.example.com', '127.0.0.1'],
        plugins: [redirects({ www: 'add' })],
      },
    ],
  })
  const asked = async (fields: string) => {
    await using client = await RawClient.connect(server.port)
    client.send(`GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}\r\n`)
    return (await client.response()).field('location')
  }
  const fields = 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: example.com:8443\r\n'
  expect(await asked(fields)).toBe('https://www.example.com:8443/a')
  expect(await asked('X-Forwarded-Proto: https\r\n')).toBeUndefined()
})

describe('a slash at the end', () => {
  test.each([
    ['add', '/a', '/a/'],
    ['add', '/a/b?c=d', '/a/b/?c=d'],
    ['add', '//a//b', '/a/b/'],
    ['remove', '/a/', '/a'],
    ['remove', '/a/b/?c', '/a/b?c'],
    ['remove', '//a///', '/a'],
  ] as const)('%s: %s goes to %s', async (trailingSlash, url, location) => {
    const { told } = await redirecting({ trailingSlash, status: 301 })
    expect(await told(`GET ${url}`)).toEqual([301, location])
  })

  test.each([
    ['add', '/'],
    ['add', '/a/'],
    ['add', '/a/app.js'],
    ['add', '/.well-known/security'],
    ['remove', '/'],
    ['remove', '/a'],
    ['remove', '/.well-known/x/'],
  ] as const)('%s: %s stays', async (trailingSlash, path) => {
    const { told } = await redirecting({ trailingSlash })
    expect(await told(`GET ${path}`)).toEqual([200, `at ${path}`])
  })

  test('never names another host', async () => {
    const { told } = await redirecting({ trailingSlash: 'remove' })
    expect(await told('GET //evil.example//')).toEqual([308, '/evil.example'])
    expect(await told('GET /%5Cevil.example/')).toEqual([308, '/%5Cevil.example'])
  })
})

describe('rule, host and slash are one redirect', () => {
  const hosts = ['example.com', 'www.example.com']

  test('with the rule found also under the right path', async () => {
    const rules = { '/old': '/new/', '/docs/*': 'https://docs.example.com/*/' } as const
    const { told } = await redirecting({ rules, www: 'add', trailingSlash: 'remove' }, hosts)
    expect(await told('GET http://example.com/old/?a')).toEqual([308, 'http://www.example.com/new?a'])
    expect(await told('GET http://www.example.com/old')).toEqual([308, '/new'])
    expect(await told('GET http://example.com/docs/a')).toEqual([308, 'https://docs.example.com/a/'])
    expect(await told('GET http://example.com/x/')).toEqual([308, 'http://www.example.com/x'])
  })

  test('which does not go round when a rule and the slash are against each other', async () => {
    const rules = { '/a': '/a/' } as const
    const { told } = await redirecting({ rules, trailingSlash: 'remove' })
    expect(await told('GET /a')).toEqual([200, 'at /a'])
    expect(await told('GET /a/')).toEqual([308, '/a'])
  })

  test('after the one to https, which is to the same host as HSTS wants it', async () => {
    const plugins = [redirects({ www: 'add' }), tls({ redirect: true })]
    const { server } = await serve({ sites: [{ name: 'a', hosts, plugins }] })
    const to = async (url: string) => (await server.inject({ url })).headers.get('location')
    expect(await to('http://example.com/a')).toBe('https://example.com/a')
    expect(await to('https://example.com/a')).toBe('https://www.example.com/a')
  })
})

describe('a plugin that sends clients to the form which is sent back', () => {
  test('is told of once', async () => {
    await using files = await tempSite({ 'docs/index.html': 'docs' })
    const plugins = [redirects({ trailingSlash: 'remove' }), staticFiles({ root: files.root })]
    const { server, reports } = await serve({ sites: [{ name: 'a', plugins }] })
    const ask = (url: string) => server.inject({ url })
    expect((await ask('/docs/')).headers.get('location')).toBe('/docs')
    expect(reports).toEqual([])
    expect((await ask('/docs?a')).headers.get('location')).toBe('/docs/?a')
    await ask('/docs')
    expect(reports).toMatchObject([
      {
        plugin: 'redirects',
        severity: 'error',
        site: 'a',
        message: '/docs is sent to /docs/, which trailingSlash sends back; a client goes round in a circle',
      },
    ])
  })

  test('is not suspected for other redirects', async () => {
    const routes = { 'GET /b/': () => 'b' }
    const plugins = [redirects({ trailingSlash: 'add' }), router(routes, { trailingSlash: 'redirect' })]
    const { server, reports } = await serve({ sites: [{ name: 'a', plugins }] })
    expect((await server.inject({ url: '/b' })).headers.get('location')).toBe('/b/')
    expect((await server.inject({ url: '/b/' })).text()).toBe('b')
    expect(reports).toEqual([])
  })
})
