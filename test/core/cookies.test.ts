import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCookies } from '../../core/cookies.ts'
import { requestOf } from '../support/in-memory.ts'

const of = (field: string | undefined) => [...parseCookies(field)]

describe('cookies of a request', () => {
  test('are the first of each name', () => {
    expect(of('a=1; b=2; a=3')).toEqual([
      ['a', '1'],
      ['b', '2'],
    ])
  })

  test('lose quotes and white space around them, and nothing inside', () => {
    expect(of('a="two words";\tb = 2 ; c="; d=""; e=x=y')).toEqual([
      ['a', 'two words'],
      ['b', '2'],
      ['c', '"'],
      ['d', ''],
      ['e', 'x=y'],
    ])
  })

  test('are decoded where their escapes are whole', () => {
    expect(of('a=%C3%A9; b=%zz; c=%E0%A4; d="%20"')).toEqual([
      ['a', 'é'],
      ['b', '%zz'],
      ['c', '%E0%A4'],
      ['d', ' '],
    ])
  })

  test('have a name and an equals sign', () => {
    expect(of('a; =b; ;; = ; c=1')).toEqual([['c', '1']])
    for (const field of [undefined, '', '=', ';', 'a']) expect(of(field)).toEqual([])
  })

  test('may have any name', () => {
    expect(of('__proto__=1; constructor=2; hasOwnProperty=3')).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['hasOwnProperty', '3'],
    ])
    expect(({} as Record<string, unknown>)['1']).toBeUndefined()
  })

  test('may be long, and hundreds', () => {
    const long = 'x'.repeat(4_096)
    expect(parseCookies(`a=${long}`).get('a')).toBe(long)
    const many = Array.from({ length: 800 }, (_, index) => `name${index}=${index}`)
    expect(parseCookies(many.join('; ')).size).toBe(800)
  })

  test('never make trouble', () => {
    const text = fc.string({ unit: fc.constantFrom(...'a=;" %25é\\,\t_') })
    fc.assert(fc.property(text, field => void parseCookies(field)))
  })

  test('are parsed when somebody asks, and once, of all lines of the field', () => {
    const request = requestOf({
      headers: [
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
      ],
    })
    expect([...request.cookies]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ])
    expect(request.cookies).toBe(request.cookies)
    expect(requestOf().cookies.size).toBe(0)
  })
})
