import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { originsOf, problemWithOrigin, problemWithPattern } from '../../../plugins/cors/origins.ts'
import { requestOf } from '../../support/in-memory.ts'

const A = 'https://a.example'

const allows = (option: Parameters<typeof originsOf>[0], origin: string | undefined) =>
  originsOf(option).allow(origin, requestOf())

/** What somebody may register, or send, to be taken for A. */
const traps = [
  'https://a.example.evil.net',
  'https://evil-a.example',
  'https://evil.net/https://a.example',
  'https://a.example@evil.net',
  'https://a.example:443',
  'https://a.example/',
  'https://A.example',
  'http://a.example',
  'https://a.example ',
  'https://aXexample',
  'https://a.example, https://a.example',
  'https://a.example\nhttps://evil.net',
  'https://evil.net#https://a.example',
  'null',
  '',
  'file://',
  `https://${'a'.repeat(300)}.a.example`,
]

describe.each<[string, Parameters<typeof originsOf>[0]]>([
  ['a list', [A]],
  ['an expression', /^https:\/\/a\.example$/],
  ['an expression with flags that keep a place', [/^https:\/\/a\.example$/gy]],
])('%s', (_, option) => {
  test('lets its own origin in, each time', () => {
    const { allow } = originsOf(option)
    for (let turn = 0; turn < 3; turn++) expect(allow(A, requestOf())).toBe(A)
  })

  test.each(traps)('does not take %j for it', origin => {
    expect(allows(option, origin)).toBeNull()
  })

  test('has nothing for who sends no origin', () => {
    expect(allows(option, undefined)).toBeNull()
  })
})

test('each alternative of an expression is matched whole', () => {
  const option = /^https:\/\/a\.example|https:\/\/b\.example$/
  expect(allows(option, A)).toBe(A)
  expect(allows(option, 'https://a.example.evil.net')).toBeNull()
  expect(allows(option, 'https://evil.net:1https://b.example')).toBeNull()
})

test.each([
  'https://evil.net/x.a.example',
  'https://evil.net?x.a.example',
  'https://ann@evil.net:1@x.a.example',
  `https://${'a'.repeat(300)}.a.example`,
])('a wide expression never sees what is no origin, as %s', origin => {
  expect(allows(/^https:\/\/.+\.a\.example$/, origin)).toBeNull()
  expect(allows(/^https:\/\/.+\.a\.example$/, 'https://x.a.example')).toBe('https://x.a.example')
})

test.each([
  'http://localhost:5173',
  'http://[::1]:80',
  'http://xn--bcher-kva.example',
  'app://x',
  'chrome-extension://abc',
])('%s is an origin', origin => {
  expect(allows([origin], origin)).toBe(origin)
})

test('a function is asked for each origin, null too, and for nothing that is none', () => {
  const asked: string[] = []
  const option = (origin: string) => asked.push(origin) > 0
  for (const origin of [A, 'null', undefined, 'https://a.example/', 'x\r\ny']) allows(option, origin)
  expect(asked).toEqual([A, 'null'])
})

test('only what the list has is ever sent back, and never anything but an origin', () => {
  const list = [A, 'http://localhost:3000', /^https:\/\/[a-z]+\.b\.example$/]
  const origin = fc.oneof(
    fc.string(),
    fc.webUrl({ withFragments: true }),
    fc.constantFrom(...traps, A, 'https://x.b.example'),
    fc.tuple(fc.constantFrom(A, 'https://x.b.example'), fc.string()).map(([start, end]) => start + end),
    fc.tuple(fc.string(), fc.constantFrom(A, 'https://x.b.example')).map(([start, end]) => start + end),
  )
  fc.assert(
    fc.property(origin, text => {
      const allowed = allows(list, text)
      if (allowed === null) return
      expect(allowed).toBe(text)
      expect(URL.parse(text)?.origin).toBe(text)
      expect(text).toMatch(/^(?:https:\/\/a\.example|http:\/\/localhost:3000|https:\/\/[a-z]+\.b\.example)$/)
    }),
  )
})

test('an origin of the config is what browsers send for it, or a sentence', () => {
  fc.assert(
    fc.property(fc.webUrl(), url => {
      const { origin } = new URL(url)
      expect(problemWithOrigin(origin)).toBeNull()
      if (url !== origin) expect(problemWithOrigin(url)).toContain(`did you mean '${origin}'?`)
    }),
  )
})

test.each([
  /^https:\/\/[^.]+\.example\.com$/,
  /^https:\/\/.+\.example\.com$/,
  /^https?:\/\/localhost:\d{4}$/i,
  /^https:\/\/[.a-z]*example\.com$/,
])('%s is a good expression', pattern => {
  expect(problemWithPattern(pattern)).toBeNull()
})
