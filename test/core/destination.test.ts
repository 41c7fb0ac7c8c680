import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDestination } from '../../core/destination.ts'
import { canonicalPath, PathError } from '../../core/path.ts'
import { readPattern } from '../../core/pattern.ts'
import { PatternTable } from '../../core/pattern-table.ts'

const whole = (to: string, params: Record<string, string> = {}, search = '') => {
  const destination = readDestination(to, [...Object.keys(params), 'missing'])
  const reached = destination.reach(new Map(Object.entries(params)), search)
  return `${destination.origin ?? ''}${reached.path}${reached.search}${destination.fragment}`
}

describe('a destination is reached', () => {
  test.each<[string, Record<string, string>, string]>([
    ['/', {}, '/'],
    ['/new', {}, '/new'],
    ['/new/:id', { id: '1' }, '/new/1'],
    ['/new/:id.html', { id: 'a%2Fb' }, '/new/a%2Fb.html'],
    ['/a/*', { '*': 'b/c/' }, '/a/b/c/'],
    ['/a/*', { '*': '' }, '/a/'],
    ['/a/:missing/b', {}, '/a/b'],
    ['/a/:missing', {}, '/a/'],
    ['/:missing/b', {}, '/b'],
    ['/*', { '*': '/host.example' }, '/host.example'],
    ['/a/*', { '*': '/b' }, '/a/b'],
    ['/a*', { '*': '/b' }, '/a/b'],
    ['/a::b', {}, '/a:b'],
    ['/caf\xe9 x', {}, '/caf%C3%A9%20x'],
    ['/caf%c3%a9//x', {}, '/caf%C3%A9/x'],
    ['/s?q=:id', { id: '1' }, '/s?q=1'],
    ['/s?q=:id&r=::', { id: 'a&b=c+d;e' }, '/s?q=a%26b%3Dc%2Bd%3Be&r=:'],
    ['/s?q=:missing', {}, '/s?q='],
    ['/s?path=/*', { '*': 'a/b' }, '/s?path=/a/b'],
    ['/s?q=\xe9 "', {}, '/s?q=%C3%A9%20%22'],
    ['/p#part', {}, '/p#part'],
    ['/p?a=b#:c?d', {}, '/p?a=b#:c?d'],
    ['https://example.com', {}, 'https://example.com/'],
    ['https://example.com?a=b', {}, 'https://example.com/?a=b'],
    ['HTTPS://Example.COM:443/A', {}, 'https://example.com/A'],
    ['http://[::1]:8080/:id', { id: 'x' }, 'http://[::1]:8080/x'],
    [
      'https://web.example/web/https:://example.com/*',
      { '*': 'a' },
      'https://web.example/web/https://example.com/a',
    ],
    ['https://a.example/%7e%3d', {}, 'https://a.example/%7e%3d'],
  ])('%s with %j as %s', (to, params, expected) => {
    expect(whole(to, params)).toBe(expected)
  })

  test('with the query of the client behind its own', () => {
    expect(whole('/a', {}, '?x=1')).toBe('/a?x=1')
    expect(whole('/a?b=2', {}, '?x=1')).toBe('/a?b=2&x=1')
    expect(whole('/a?b=2#c', {}, '')).toBe('/a?b=2#c')
    expect(whole('/a', {}, '?')).toBe('/a')
  })

  test.each([
    ['/a/:id', '..'],
    ['/a/:id', '.'],
    ['/a/:id/b', '..'],
    ['/a/.:id', '.'],
    ['/a/*', '..'],
    ['https://example.com/:id', '..'],
  ])('%s never by a dot segment', (to, value) => {
    const destination = readDestination(to, ['id', '*'])
    const params = new Map([
      ['id', value],
      ['*', value],
    ])
    expect(() => destination.reach(params)).toThrow('the path leads to a dot segment')
  })
})

describe('is refused:', () => {
  test.each([
    ['', 'expected a path that starts with one "/", or a URL such as "https://example.com/"'],
    ['a', 'expected a path that starts with one "/"'],
    ['//evil.example', 'expected a path that starts with one "/"'],
    ['?a', 'expected a path that starts with one "/"'],
    ['ftp://a/', 'expected a path that starts with one "/"'],
    ['javascript:alert(1)', 'expected a path that starts with one "/"'],
    ['https:/a', 'expected a path that starts with one "/"'],
    ['https://', '"https://" is not the beginning of a URL; parameters belong behind it'],
    ['https://:id.example/', 'is not the beginning of a URL; parameters belong behind it'],
    ['https://*.example/', 'is not the beginning of a URL'],
    ['https://user@a.example/', 'is not the beginning of a URL'],
    ['https://a.example\\b/', 'is not the beginning of a URL'],
    ['https://a.exa\nmple/', 'is not the beginning of a URL'],
    ['https://a.example:x/', 'is not the beginning of a URL'],
    ['/:nam', '":nam" is not in the pattern, which has :name, :id; did you mean \'name\'?'],
    ['/*', '"*" is not in the pattern, which has :name, :id'],
    ['/a?b=:x', '":x" is not in the pattern'],
    ['/:name(\\d+)', 'a regular expression belongs to the pattern, not to where it leads'],
    ['/:name?', 'its query is empty; a parameter is written ":name", also one that may be missing'],
    ['/a:', '":" begins a parameter and needs a name; "::" is a literal colon'],
    ['/a/../b', 'the path climbs above its root'],
    ['/a/.', 'it has a dot segment'],
    ['https://a.example/b/%2e%2E/c', 'it has a dot segment'],
    ['/a\\b', 'the path has a character that must be escaped'],
    ['/a\r\nb', 'the path has a character that must be escaped'],
    ['/a%zz', 'the path has a broken percent escape'],
    ['/a?b=\r\nset-cookie::x', 'it has a character that no URL has, or a broken percent escape'],
    ['/a?b=%', 'it has a character that no URL has'],
    ['/a#\x7f', 'it has a character that no URL has'],
    ['https://a.example/\\b', 'it has a character that no URL has'],
    ['/a?\ud800', 'it has a character that no URL has'],
  ])('%j', (to, sentence) => {
    expect(() => readDestination(to, ['name', 'id'])).toThrow(sentence)
  })

  test('a parameter of a pattern without any', () => {
    expect(() => readDestination('/:a', [])).toThrow('":a" is not in the pattern, which has no parameters')
  })
})

/** What somebody sends who wants to be led elsewhere, and any bytes. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '.',
        '..',
        '%2e',
        '%2F',
        '%5C',
        '%0D%0A',
        '%00',
        '@',
        ':',
        'evil.example',
        '&',
        '=',
        '+',
      ),
      fc.constantFrom('-', 'a', '%C3%A9', '%FF', ';', '%23', '%3F', '%25', "'", '%22', '~', '$'),
      fc.integer({ min: 0, max: 255 }).map(code => `%${code.toString(16).padStart(2, '0')}`),
    ),
    { maxLength: 10 },
  )
  .map(parts => `/${parts.join('')}`)

const rules: readonly [pattern: string, to: string][] = [
  ['/*', '/*'],
  ['/*', '/new*'],
  ['/*', 'https://example.com/*'],
  ['/*', 'https://example.com/a?to=*&b=c'],
  ['/:a/*', '/*'],
  ['/:a/*', '/:a*'],
  ['/:a-:b', '/:a/:b'],
  ['/:a-:b', 'https://example.com/:b/:a'],
  ['/:a.:b', '/.:b'],
  ['/:a(.+)', '/:a'],
  ['/a*', '/*'],
  ['/:a/:b?', '/:b/:a'],
  ['/:a/:b?', 'https://example.com/:b/:a?q=:b#f'],
]

test('wherever a path leads, the origin is that of the rule, and nothing of the path gets out of its place', () => {
  const property = fc.property(
    fc.constantFrom(...rules),
    hostile,
    fc.constantFrom('', '?x=%0A'),
    (rule, path, search) => {
      const [pattern, to] = rule
      const reached = ledTo(pattern, to, path, search)
      if (reached === null) return
      expect(reached).toMatch(/^[\x21-\x7e]+$/)
      const own = 'https://own.example'
      const origin = /^https:..[^/]+/.exec(to)?.[0] ?? own
      const url = new URL(reached, own)
      expect(url.origin).toBe(origin)
      // What a browser makes of it is what was meant: no dot segment moves it, no query or fragment begins early.
      expect(url.pathname).toBe(reached.replace(origin, '').split(/[?#]/, 1)[0])
      const names = [...new URL(to, own).searchParams.keys()]
      expect([...url.searchParams.keys()]).toEqual(search === '' ? names : [...names, 'x'])
      if (origin === own) expect(canonicalPath(url.pathname)).toBe(url.pathname)
    },
  )
  fc.assert(property, { numRuns: 5_000 })
})

/** Where a rule leads a path, whole; null for a path that is refused, or that the rule is not for. */
function ledTo(pattern: string, to: string, path: string, search: string): string | null {
  const { names } = readPattern(pattern)
  const destination = readDestination(to, names)
  try {
    const found = new PatternTable<null>().add(readPattern(pattern), null).find(canonicalPath(path))
    if (found === null) return null
    const reached = destination.reach(found.params, search)
    return `${destination.origin ?? ''}${reached.path}${reached.search}${destination.fragment}`
  } catch (error) {
    if (error instanceof PathError) return null
    expect(error).toMatchObject({ status: 400, code: 'DESTINATION' })
    return null
  }
}
