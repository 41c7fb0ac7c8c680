import { describe, expect, it } from 'vitest'
import {
  FIELD_VALUE,
  fieldName,
  HEX,
  httpVersion,
  isFieldValue,
  isHost,
  isToken,
  PCHAR,
  TARGET,
  TOKEN,
  VISIBLE,
} from '../../core/head-syntax.ts'

const codes = Array.from({ length: 256 }, (_, code) => code)
const allowedIn = (table: Uint8Array) => codes.filter(code => table[code] === 1)
const matching = (pattern: RegExp) => codes.filter(code => pattern.test(String.fromCharCode(code)))
const name = (text: string) => fieldName(Buffer.from(`..${text}:`, 'latin1'), 2, 2 + text.length)

describe('the tables', () => {
  it.each([
    ['TOKEN', TOKEN, /[-!#$%&'*+.^_`|~0-9A-Za-z]/],
    ['VISIBLE', VISIBLE, /[\x21-\x7e]/],
    ['TARGET', TARGET, /[\x21\x22\x24-\x7e]/],
    ['FIELD_VALUE', FIELD_VALUE, /[\t\x20-\x7e\x80-\xff]/],
    ['PCHAR', PCHAR, /[-._~0-9A-Za-z!$&'()*+,;=:@]/],
  ])('%s has exactly the characters of its grammar', (_, table, pattern) => {
    expect(allowedIn(table)).toEqual(matching(pattern))
  })

  it('HEX knows the digits in both cases and nothing else', () => {
    const expected = codes.map(code =>
      /[0-9a-f]/i.test(String.fromCharCode(code)) ? Number.parseInt(String.fromCharCode(code), 16) : -1,
    )
    expect([...HEX]).toEqual(expected)
  })
})

describe('a token', () => {
  it.each(['a', 'X-1', "!#$%&'*+-.^_`|~"])('is %s', text => {
    expect(isToken(text)).toBe(true)
  })

  it.each(['', 'a b', 'a:', 'a\r', 'a\x00', 'é', 'Ā', '(', '"a"'])('is not %j', text => {
    expect(isToken(text)).toBe(false)
  })
})

describe('a field value', () => {
  it.each(['', 'a b', '\t', '\xe9'])('is %j', text => {
    expect(isFieldValue(text)).toBe(true)
  })

  // U+010A ends in the byte of LF: cut to latin1 it would split the head.
  it.each(['a\rb', 'a\nb', '\x00', '\x7f', '\u010a', '€', '😀'])('is not %j', text => {
    expect(isFieldValue(text)).toBe(false)
  })
})

describe('a host', () => {
  it.each([
    'a',
    'localhost',
    'example.org',
    'EXAMPLE.org.',
    'a_b.c',
    'xn--bcher-kva.example',
    '127.0.0.1',
    '[::1]',
    '[2001:DB8::1]',
    '[::ffff:1.2.3.4]',
    "!$&'()*+;=~",
    'a:',
    'a:0',
    'a:80',
    'a:65535',
    '[::1]:',
    '[::1]:8080',
  ])('is %s', text => {
    expect(isHost(text)).toBe(true)
  })

  it.each([
    '',
    ':',
    ':80',
    'a b',
    'a\t',
    'a:b',
    'a:80:80',
    'a:-1',
    'a:+1',
    'a: 80',
    'a:123456',
    'a:65536',
    'a,b',
    'a@b',
    'u:p@a',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    'a%41',
    '"a"',
    '<a>',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[a]',
    '[::1]a',
    '[::1]:a',
    '[::1%eth0]',
    '[::1%25eth0]',
    '[v1.a]',
    '[1.2.3.4]',
    '[:::1]',
    'a[::1]',
    '[[::1]]',
    'é',
    '\x00',
  ])('is not %j', text => {
    expect(isHost(text)).toBe(false)
  })
})

describe('a field name', () => {
  it.each(['Host', 'HOST', 'host', 'Content-Length', 'Sec-WebSocket-Key', 'X-Forwarded-For', 'DNT', 'ETag'])(
    '%s is known in any case, as one constant',
    text => {
      expect(name(text)).toBe(text.toLowerCase())
    },
  )

  it.each([
    'X',
    'X-Unknown',
    'Hosts',
    'Hos',
    'Content_Length',
    'Content.Length',
    'h~st',
    'Te^',
    '|',
    'A'.repeat(31),
    'A'.repeat(32),
    'A'.repeat(500),
  ])('%s is itself in lower case', text => {
    expect(name(text)).toBe(text.toLowerCase())
  })

  it.each(['content-length', 'expect', 'x-forwarded-for'])(
    'is told from every name that differs from %s in one byte',
    known => {
      for (let at = 0; at < known.length; at++) {
        for (const code of allowedIn(TOKEN)) {
          const text = known.slice(0, at) + String.fromCharCode(code) + known.slice(at + 1)
          expect(name(text)).toBe(text.toLowerCase())
        }
      }
    },
  )
})

describe('a version', () => {
  const version = (text: string) => httpVersion(Buffer.from(`/ ${text}\r\n`, 'latin1'), 2, 2 + text.length)

  it.each([
    ['HTTP/1.1', 11],
    ['HTTP/1.0', 10],
    ['HTTP/0.0', 0],
    ['HTTP/0.9', 9],
    ['HTTP/2.0', 20],
    ['HTTP/9.9', 99],
  ])('%s is %i', (text, expected) => {
    expect(version(text)).toBe(expected)
  })

  it.each([
    '',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/1.10',
    'http/1.1',
    'HTTp/1.1',
    'HTTP\\1.1',
    'HTTP/1,1',
    'HTTP/a.1',
    'HTTP/1.a',
    'HTTP/:.1',
    'HTTP/1./',
    'XTTP/1.1',
  ])('%j is none', text => {
    expect(version(text)).toBe(-1)
  })
})
