import { HttpResponse } from 'rawhttp'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  checkedTrailers,
  fieldLines,
  headText,
  interimText,
  isBodyless,
  upgradeText,
} from '../../core/head-bytes.ts'

const now = Date.UTC(1994, 10, 6, 8, 49, 37)
const date = 'date: Sun, 06 Nov 1994 08:49:37 GMT\r\n'
const facts = { minor: 1, isHead: false, length: 2, keepAlive: true } as const

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the head of an answer', () => {
  const response = HttpResponse.empty(200)
    .set('X-A', '1')
    .append('set-cookie', 'a=1')
    .append('set-cookie', 'b=2')
  const fields = 'x-a: 1\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n'

  test('is its status, its fields in order, Date, framing, and connection', () => {
    expect(headText(response, facts)).toBe(`HTTP/1.1 200 OK\r\n${fields}${date}content-length: 2\r\n\r\n`)
  })

  test.each([
    ['unknown length', { length: null }, 'transfer-encoding: chunked\r\n'],
    ['unknown length, HEAD', { length: null, isHead: true }, ''],
    ['unknown length, HTTP/1.0', { length: null, minor: 0, keepAlive: false }, 'connection: close\r\n'],
    ['HTTP/1.0 that is kept', { minor: 0 }, 'content-length: 2\r\nconnection: keep-alive\r\n'],
    ['closing', { keepAlive: false }, 'content-length: 2\r\nconnection: close\r\n'],
    ['no bytes', { length: 0 }, 'content-length: 0\r\n'],
  ] as const)('frames %s', (_, more, framing) => {
    expect(headText(response, { ...facts, ...more })).toBe(
      `HTTP/1.1 200 OK\r\n${fields}${date}${framing}\r\n`,
    )
  })

  test.each([204, 304])('of a %i has no framing (RFC 9110 section 8.6)', status => {
    const text = headText(HttpResponse.empty(status), { ...facts, length: 0 })
    expect(text).not.toMatch(/content-length|transfer-encoding/)
  })

  test('announces trailers only where there will be some', () => {
    const trailing = HttpResponse.empty(200).trailers(['X-Sum', 'x-count'], () => ({}))
    expect(headText(trailing, { ...facts, length: null })).toContain(
      '\r\ntransfer-encoding: chunked\r\ntrailer: x-sum, x-count\r\n',
    )
    expect(headText(trailing, facts)).not.toContain('trailer')
  })

  test('has the Date of each second, made once', () => {
    expect(headText(response, facts)).toContain(date)
    vi.setSystemTime(now + 999)
    expect(headText(response, facts)).toContain(date)
    vi.setSystemTime(now + 1_000)
    expect(headText(response, facts)).toContain('date: Sun, 06 Nov 1994 08:49:38 GMT\r\n')
  })

  test('keeps a Date that was set', () => {
    const own = HttpResponse.empty(200).set('Date', 'Thu, 01 Jan 1970 00:00:00 GMT')
    expect(headText(own, facts).match(/date: /g)).toHaveLength(1)
  })

  test('names a status that nobody registered', () => {
    expect(headText(HttpResponse.empty(299), facts)).toMatch(/^HTTP\/1\.1 299 Status 299\r\n/)
  })
})

test.each([
  [103, true],
  [200, false],
  [204, true],
  [205, false],
  [304, true],
])('a %i is bodyless: %s', (status, bodyless) => {
  expect(isBodyless(status)).toBe(bodyless)
})

describe('interim and upgrade heads', () => {
  test('100 is two lines', () => {
    expect(interimText(100)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  })

  test('103 has its fields, and no Date', () => {
    expect(
      interimText(103, [
        ['Link', '</a>'],
        ['link', '</b>'],
      ]),
    ).toBe('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nlink: </b>\r\n\r\n')
  })

  test('101 names the protocol', () => {
    const response = HttpResponse.upgrade({ protocol: 'echo', headers: { 'x-a': '1' } }, () => undefined)
    expect(upgradeText(response)).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-a: 1\r\n${date}\r\n`,
    )
  })
})

describe('trailers', () => {
  const trailing = (values: Record<string, string>) => ({ names: ['x-sum'], values: () => values })

  test('are flat, in lower case, and lines when they are sent', () => {
    const fields = checkedTrailers(trailing({ 'X-Sum': '1', 'X-More': '2' }))
    expect(fields).toEqual(['x-sum', '1', 'x-more', '2'])
    expect(fieldLines(fields)).toBe('x-sum: 1\r\nx-more: 2\r\n')
  })

  test.each([
    ['a line break', { 'x-sum': '1\r\nx: 2' }],
    ['a NUL', { 'x-sum': '\0' }],
    ['a name that is none', { 'x sum': '1' }],
    ['framing', { 'transfer-encoding': 'chunked' }],
    ['routing', { host: 'b' }],
    ['the kernel’s own', { connection: 'close' }],
  ])('with %s are refused', (_, values) => {
    expect(() => checkedTrailers(trailing(values as Record<string, string>))).toThrow(TypeError)
  })
})
