import { describe, expect, it } from 'vitest'
import { canonicalPath, canonicalPattern, decodeSegment, PathError } from '../../core/path.ts'

function refusalOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof PathError) return error.id
    throw error
  }
  return undefined
}

describe('a canonical path', () => {
  it.each([
    // As it came.
    ['/', '/'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a/b.c', '/a/b.c'],
    ['/A/b', '/A/b'],
    ["/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"],
    ['/a;v=1/b', '/a;v=1/b'],
    ['/a..b', '/a..b'],
    ['/a.', '/a.'],
    ['/a..', '/a..'],
    ['/.a', '/.a'],
    ['/..a', '/..a'],
    ['/...', '/...'],
    ['/.well-known/x', '/.well-known/x'],
    ['/..;/a', '/..;/a'],
    // Escapes of characters that need none are decoded, once.
    ['/%61', '/a'],
    ['/%41', '/A'],
    ['/%7E%2D%5F', '/~-_'],
    ['/%7e%2d%5f', '/~-_'],
    ['/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40', "/!$&'()*+,;=:@"],
    ['/%2561', '/%2561'],
    ['/%252e%252e/', '/%252e%252e/'],
    ['/%25%36%31', '/%2561'],
    // All others stay, in upper case.
    ['/%2f', '/%2F'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a%5cb', '/a%5Cb'],
    ['/%20', '/%20'],
    ['/%3f%23', '/%3F%23'],
    ['/%c3%a9', '/%C3%A9'],
    ['/%ff', '/%FF'],
    ['/%c0%af', '/%C0%AF'],
    ['/%0a%0D', '/%0A%0D'],
    ['/%01', '/%01'],
    ['/%7f', '/%7F'],
    ['/%25', '/%25'],
    ['/..%2f..%2fa', '/..%2F..%2Fa'],
    ['/%2e%2e%2f', '/..%2F'],
    // Printable characters outside the grammar get theirs.
    ['/"<>"', '/%22%3C%3E%22'],
    ['/[^]', '/%5B%5E%5D'],
    ['/`{|}', '/%60%7B%7C%7D'],
    ['/a?b', '/a%3Fb'],
    // Slashes are merged.
    ['//', '/'],
    ['//a', '/a'],
    ['/a//b', '/a/b'],
    ['/a///', '/a/'],
    ['////a////b////', '/a/b/'],
    // Dot segments are removed, however they are written.
    ['/.', '/'],
    ['/./', '/'],
    ['/a/.', '/a/'],
    ['/a/./b', '/a/b'],
    ['/./././a', '/a'],
    ['/a/..', '/'],
    ['/a/../', '/'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/../..', '/'],
    ['/a/b/../../c/./d/', '/c/d/'],
    ['/a//../b', '/b'],
    ['/a/.//..//b', '/b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a/%2E./b', '/b'],
    ['/a/%2e/b', '/a/b'],
    ['/%2e', '/'],
    ['/a/%2e%2E', '/'],
    // A first slash is given.
    ['', '/'],
    ['a', '/a'],
    ['a/b/', '/a/b/'],
    ['./a', '/a'],
    ['*', '/*'],
  ])('of %j is %j', (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical)
    expect(canonicalPath(canonical)).toBe(canonical)
  })

  it.each([
    ['PATH-CLIMB', '/..'],
    ['PATH-CLIMB', '/../'],
    ['PATH-CLIMB', '/../a'],
    ['PATH-CLIMB', '/a/../..'],
    ['PATH-CLIMB', '/a/../../a'],
    ['PATH-CLIMB', '/./..'],
    ['PATH-CLIMB', '//../a'],
    ['PATH-CLIMB', '/%2e%2e/a'],
    ['PATH-CLIMB', '/.%2e'],
    ['PATH-CLIMB', '..'],
    ['PATH-ESCAPE', '/%'],
    ['PATH-ESCAPE', '/%4'],
    ['PATH-ESCAPE', '/%4/'],
    ['PATH-ESCAPE', '/%zz'],
    ['PATH-ESCAPE', '/%4g'],
    ['PATH-ESCAPE', '/%g4'],
    ['PATH-ESCAPE', '/%%41'],
    ['PATH-ESCAPE', '/% 41'],
    ['PATH-ESCAPE', '/%u0041'],
    ['PATH-ESCAPE', '/%\u0661\u0661'],
    ['PATH-ESCAPE', '/%00'],
    ['PATH-ESCAPE', '/a%00.html'],
    ['PATH-CHAR', '/a#b'],
    ['PATH-CHAR', '/a\\b'],
    ['PATH-CHAR', '/..\\a'],
    ['PATH-CHAR', '/\x00'],
    ['PATH-CHAR', '/\t'],
    ['PATH-CHAR', '/a b'],
    ['PATH-CHAR', '/\r\n'],
    ['PATH-CHAR', '/\x7f'],
    ['PATH-CHAR', '/\xe9'],
    ['PATH-CHAR', '/\xff'],
    ['PATH-CHAR', '/\u2025'],
    ['PATH-CHAR', '/\uff0e\uff0e'],
    ['PATH-CHAR', '/\ud800'],
  ])('is refused as %s for %j', (id, path) => {
    expect(refusalOf(() => canonicalPath(path))).toBe(id)
  })

  it('is the very string when nothing has to change', () => {
    const path = `/a/${'b'.repeat(100)}.css`
    expect(Object.is(canonicalPath(path), path)).toBe(true)
  })

  it('says in its error what is wrong', () => {
    expect(() => canonicalPath('/%zz')).toThrow(/^PATH-ESCAPE: the path has a broken percent escape/)
  })
})

describe('a canonical pattern', () => {
  it.each([
    ['/admin/*', '/admin/*'],
    ['/%61dmin/*', '/admin/*'],
    ['//admin//*', '/admin/*'],
    ['/a/./b', '/a/b'],
    ['/a/.//./b', '/a/b'],
    ['/a/%2e/b', '/a/b'],
    ['/**', '/**'],
    ['/:id', '/:id'],
    ['/my files/*', '/my%20files/*'],
    ['/caf\xe9', '/caf%C3%A9'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/\u{1f600}', '/%F0%9F%98%80'],
    // Pieces of a pattern, between parameters.
    ['', ''],
    ['-b/', '-b/'],
    ['/.', '/.'],
    ['/..', '/..'],
    ['./', './'],
  ])('of %j is %j', (pattern, canonical) => {
    expect(canonicalPattern(pattern)).toBe(canonical)
    expect(canonicalPattern(canonical)).toBe(canonical)
  })

  it.each([
    ['PATH-CLIMB', '/a/../b'],
    ['PATH-CLIMB', '/%2e%2e/b'],
    ['PATH-CLIMB', '/.././/../b'],
    ['PATH-ESCAPE', '/%zz'],
    ['PATH-ESCAPE', '/%00'],
    ['PATH-CHAR', '/a#b'],
    ['PATH-CHAR', '/a\\b'],
    ['PATH-CHAR', '/\n'],
    ['PATH-CHAR', '/\ud800'],
  ])('is refused as %s for %j', (id, pattern) => {
    expect(refusalOf(() => canonicalPattern(pattern))).toBe(id)
  })

  it('is the canonical path of every path that has no star', () => {
    for (const path of ['/', '/a%20b', '/a//b', '/a/./b/', '/%7euser', '/%2f', '/"x"'])
      expect(canonicalPattern(path)).toBe(canonicalPath(path))
  })
})

describe('a decoded segment', () => {
  it.each([
    ['a', 'a'],
    ['a%20b', 'a b'],
    ['%C3%A9', '\xe9'],
    ['%2F', '/'],
    ['%2525', '%25'],
  ])('of %j is %j', (segment, text) => {
    expect(decodeSegment(segment)).toBe(text)
  })

  it.each(['%FF', '%C0%AF', '%C3', '%ED%A0%80', '%'])('is refused for %j, which is not UTF-8', segment => {
    expect(refusalOf(() => decodeSegment(segment))).toBe('PATH-ESCAPE')
  })
})
