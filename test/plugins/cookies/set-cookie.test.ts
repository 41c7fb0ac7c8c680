import { parseSetCookie } from 'cookie'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCookies } from '../../../core/cookies.ts'
import { type CookieOptions, cookieLine } from '../../../plugins/cookies/set-cookie.ts'

const line = (name: string, value: string, options: CookieOptions = {}, isHttps = false, defaults = {}) =>
  cookieLine({ name, value, options, defaults, isHttps }).line

describe('a cookie', () => {
  test('is for this host, not for scripts, and stays when others link here', () => {
    expect(line('a', '1')).toBe('a=1; Path=/; HttpOnly; SameSite=Lax')
  })

  test('that is set by https goes over https alone', () => {
    expect(line('a', '1', {}, true)).toBe('a=1; Path=/; HttpOnly; Secure; SameSite=Lax')
    expect(line('a', '1', { secure: false }, true)).not.toContain('Secure')
    expect(line('a', '1', { secure: true })).toContain('Secure')
  })

  test('takes options before defaults, and defaults before what is built in', () => {
    const defaults: CookieOptions = { path: '/d', domain: 'd.test', maxAge: '1h', sameSite: 'strict' }
    expect(line('a', '1', {}, false, defaults)).toBe(
      'a=1; Max-Age=3600; Domain=d.test; Path=/d; HttpOnly; SameSite=Strict',
    )
    const options: CookieOptions = {
      path: '/o',
      domain: 'o.test',
      maxAge: 1_500,
      sameSite: 'lax',
      httpOnly: false,
    }
    expect(line('a', '1', options, false, defaults)).toBe(
      'a=1; Max-Age=2; Domain=o.test; Path=/o; SameSite=Lax',
    )
    expect(line('a', '1', { path: undefined, httpOnly: undefined })).toBe(
      'a=1; Path=/; HttpOnly; SameSite=Lax',
    )
  })

  test('has a value of any text, which comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), value => {
        const text = line('a', value)
        expect(text).toMatch(/^[\x20-\x7e]+$/)
        expect(parseSetCookie(text).value).toBe(value)
        expect(parseCookies(text.split(';')[0]).get('a')).toBe(value)
      }),
    )
  })

  test('never becomes two, whatever name, value, path and domain say', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...'a;=,\r\n\0 "\\%é\u{1f36a}/') })
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (name, value, path, domain) => {
        let text: string
        try {
          text = line(name, value, { path: `/${path}`, domain })
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          expect((error as Error).message).toMatch(/^cookies: [\x20-\x7e]+$/)
          return
        }
        expect(text).toMatch(/^[\x20-\x7e]+$/)
        expect(text.split(';').length).toBe(domain === '' ? 4 : 5)
      }),
    )
  })
})

describe('what is refused', () => {
  test.each([
    ['a name that is no token', ['a b', '1'], 'a name must be a token (RFC 6265 section 4.1.1), got "a b"'],
    ['an empty name', ['', '1'], 'a name must be a token (RFC 6265 section 4.1.1), got ""'],
    ['a name with a line end', ['a\r\nb', '1'], String.raw`got "a\\x0d\\x0ab"`],
    [
      'half a character',
      ['a', '\ud83c'],
      '"a": the value must be well-formed text, got half a surrogate pair',
    ],
    ['a path that is none', ['a', '1', { path: 'x' }], '"a": path must begin with "/", got x'],
    ['an attribute in the path', ['a', '1', { path: '/; Domain=evil.test' }], '"a": cookie path is invalid'],
    ['a line end in the path', ['a', '1', { path: '/\r\nx: y' }], String.raw`path is invalid: /\x0d\x0ax: y`],
    ['an attribute in the domain', ['a', '1', { domain: 'a; Secure' }], '"a": cookie domain is invalid'],
    ['a time that is none', ['a', '1', { maxAge: '1 week' as '1d' }], '"a": expected a duration'],
    ['an odd sameSite', ['a', '1', { sameSite: 'loose' as 'lax' }], '"a": cookie sameSite is invalid: loose'],
  ] as [string, Parameters<typeof line>, string][])('%s', (_what, args, message) => {
    expect(() => line(...args)).toThrow(message)
  })

  test('what is not text, without showing it', () => {
    const bad = { toString: () => 'secret' } as unknown as string
    expect(() => line('a', bad)).toThrow('"a": the value must be well-formed text, got object')
    expect(() => line(bad, 'a')).toThrow('got object')
  })

  test('more than browsers keep, with the name and without the value', () => {
    const room = 4_096 - line('a', '').length
    expect(line('a', 'x'.repeat(room)).length).toBe(4_096)
    expect(() => line('a', 'x'.repeat(room + 1))).toThrow(
      'cookies: "a": browsers keep 4096 bytes at most, attributes included; this has 4097',
    )
  })
})

describe('a name with a prefix', () => {
  test.each([
    ['__Secure-a', 'Path=/; HttpOnly; Secure; SameSite=Lax'],
    ['__Host-a', 'Path=/; HttpOnly; Secure; SameSite=Lax'],
    ['__host-a', 'Path=/; HttpOnly; Secure; SameSite=Lax'],
  ])('%s has what browsers demand, by http too and whatever the defaults say', (name, attributes) => {
    const defaults: CookieOptions = { secure: false }
    expect(line(name, '1', { secure: 'auto' }, false, defaults)).toBe(`${name}=1; ${attributes}`)
  })

  test('__Host- is for one host and its root, __Http- not for scripts', () => {
    const defaults: CookieOptions = { path: '/d', domain: 'd.test', httpOnly: false }
    expect(line('__Host-a', '1', {}, true, defaults)).toBe('__Host-a=1; Path=/; Secure; SameSite=Lax')
    expect(line('__Host-Http-a', '1', {}, true, defaults)).toBe(
      '__Host-Http-a=1; Path=/; HttpOnly; Secure; SameSite=Lax',
    )
    expect(line('__Http-a', '1', {}, true, defaults)).toContain('; Path=/d; HttpOnly; Secure')
  })

  test.each([
    ['__Secure-a', { secure: false }, 'must have secure true, got false'],
    ['__SECURE-a', { secure: false }, 'must have secure true, got false'],
    ['__Host-a', { secure: false }, 'must have secure true, got false'],
    ['__Host-a', { path: '/a' }, 'must have path /, got /a'],
    ['__Host-a', { domain: 'a.test' }, 'may have no domain, got a.test'],
    ['__Http-a', { httpOnly: false }, 'must have httpOnly true, got false'],
    ['__Host-Http-a', { httpOnly: false }, 'must have httpOnly true, got false'],
    ['a', { sameSite: 'none', secure: false }, 'must have secure true, got false'],
    ['a', { partitioned: true, secure: false }, 'must have secure true, got false'],
  ] as [string, CookieOptions, string][])('%s with %o is refused', (name, options, message) => {
    expect(() => line(name, '1', options, true)).toThrow(message)
  })

  test('sameSite none and partitioned are secure without being told', () => {
    expect(line('a', '1', { sameSite: 'none' })).toContain('Secure; SameSite=None')
    expect(line('a', '1', { partitioned: true })).toContain('Secure; Partitioned')
  })
})
