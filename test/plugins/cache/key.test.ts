import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMeant, keyBeside, keyOf, meantBy } from '../../../plugins/cache/key.ts'
import { requestOf } from '../../support/in-memory.ts'

const key = (host: string, target = '/', scheme = 'http') =>
  keyOf(requestOf({ target, scheme, headers: { host } }))

describe('a key', () => {
  test.each([
    ['Example.COM', 'http://example.com/'],
    ['example.com.', 'http://example.com/'],
    ['example.com:80', 'http://example.com/'],
    ['example.com:', 'http://example.com/'],
    ['example.com:0080', 'http://example.com/'],
    ['example.com:443', 'http://example.com:443/'],
    ['example.com.:8080', 'http://example.com:8080/'],
    ['[::1]:80', 'http://[::1]/'],
    ['[::1]:8080', 'http://[::1]:8080/'],
    ['', 'http:///'],
  ])('of host %j is %s', (host, expected) => {
    expect(key(host)).toBe(expected)
    expect(key(host)).toBe(expected)
  })

  test('has the default port of its scheme', () => {
    expect(key('a:443', '/', 'https')).toBe('https://a/')
    expect(key('a:80', '/', 'https')).toBe('https://a:80/')
  })

  test('has the canonical path and the raw query', () => {
    expect(key('a', '/x/../%62?Q=%62&q')).toBe('http://a/b?Q=%62&q')
    expect(key('a', '/b?')).toBe('http://a/b?')
  })

  test('is right for any number of hosts, long ones too', () => {
    for (let i = 0; i < 600; i++) expect(key(`H${i}`)).toBe(`http://h${i}/`)
    expect(key('H0')).toBe('http://h0/')
    const long = 'a'.repeat(300)
    expect(key(long.toUpperCase())).toBe(`http://${long}/`)
  })
})

describe('what is meant', () => {
  test('by a path is that path on every origin', () => {
    const meant = meantBy('/a')
    expect(['http://x/a', 'https://y:1/a', 'http://[::1]/a'].every(each => isMeant(each, meant, false))).toBe(
      true,
    )
    expect(['http://x/a?', 'http://x/b/a', 'http://x/ab'].some(each => isMeant(each, meant, false))).toBe(
      false,
    )
  })

  test('by an origin alone is its first page, or all of it as a prefix', () => {
    const meant = meantBy('https://X:443')
    expect([isMeant('https://x/', meant, false), isMeant('https://x/a', meant, false)]).toEqual([true, false])
    expect([isMeant('https://x/a', meant, true), isMeant('https://x.test/a', meant, true)]).toEqual([
      true,
      false,
    ])
  })

  test('by the URL of any request is its key', () => {
    const part = fc.stringMatching(/^[a-z0-9.%2F_~-]{0,8}$/).filter(text => !/%(?![0-9a-f]{2})/i.test(text))
    fc.assert(
      fc.property(fc.array(part), fc.option(part), (path, query) => {
        const target = `/${path.join('/')}${query === null ? '' : `?${query}`}`
        let made: string
        try {
          made = key('a.test', target)
        } catch {
          return
        }
        expect(isMeant(made, meantBy(target), false)).toBe(true)
        expect(isMeant(made, meantBy(`http://A.test:80${target}`), false)).toBe(true)
      }),
    )
  })
})

test('a reference leads to a key of the same origin, or to none', () => {
  expect(keyBeside('http://a/b/c?d', '../e?f')).toBe('http://a/e?f')
  expect(keyBeside('http://a/b', 'http://A:80/x')).toBe('http://a/x')
  expect(keyBeside('http://a/b', 'https://a/x')).toBe(null)
  expect(keyBeside('http://a/b', '//other/x')).toBe(null)
  expect(keyBeside('http://a/b', 'http://')).toBe(null)
  expect(keyBeside('http://a/b', '/100%zz')).toBe(null)
})
