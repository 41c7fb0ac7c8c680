import { ConfigError, parseHosts, parseScope, type ScopeOptions } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { requestOf } from '../../support/in-memory.ts'

const admits = (to: ScopeOptions, target: string, method = 'GET') =>
  parseScope(to)?.(requestOf({ method, target, headers: { host: 'Example.com:80' } }))

test('what a plugin narrows means what it means in a scope', () => {
  expect(admits({ path: '/api/*' }, '/api')).toBe(true)
  expect(admits({ path: ['/a', '/b'] }, '/c')).toBe(false)
  expect(admits({ methods: ['GET'] }, '/', 'HEAD')).toBe(true)
  expect(admits({ methods: ['GET'] }, '/', 'POST')).toBe(false)
  expect(admits({ hosts: ['EXAMPLE.com.'] }, '/')).toBe(true)
  expect(admits({ hosts: ['*.com'], path: '/x' }, '/')).toBe(false)
})

test('what narrows nothing is no test', () => {
  expect(parseScope({})).toBeNull()
  expect(parseScope({ path: undefined, methods: undefined, hosts: undefined })).toBeNull()
})

test.each<[unknown, string, string]>([
  [{ path: 'api' }, 'path', "expected a path such as '/admin/*', or a list of at least one, got 'api'"],
  [{ path: '/a/../b' }, 'path', '"/a/../b": PATH-CLIMB: the path climbs above its root'],
  [{ path: '/a*' }, 'path', '"/a*": a * stands only at the end and for all below: /admin/*'],
  [{ methods: ['get'] }, 'methods[0]', "expected a method in capitals such as 'GET', got 'get'"],
  [{ methods: [] }, 'methods', 'expected a list of at least one method, got an empty list'],
  [{ hosts: 'a' }, 'hosts', "expected a list of at least one host, got 'a'"],
  [
    { hosts: ['a', 'https://b.example'] },
    'hosts[1]',
    "got 'https://b.example'; write 'b.example', without scheme",
  ],
])('%j is refused by the name of the option', (to, path, sentence) => {
  const parse = () => parseScope(to as ScopeOptions)
  expect(parse).toThrow(ConfigError)
  expect(parse).toThrow(expect.objectContaining({ path, detail: expect.stringContaining(sentence) }))
})

describe('hosts', () => {
  test('are read as those of sites are', () => {
    expect(parseHosts(['API.Example.com.', '*.example.com', '[0:0::1]', '*'])).toEqual([
      'api.example.com',
      '*.example.com',
      '[::1]',
      '*',
    ])
  })

  test.each([[['*.']], [['http://example.com']], [[]], ['example.com']])('are refused as %j', hosts => {
    expect(() => parseHosts(hosts as string[])).toThrow(ConfigError)
  })
})
