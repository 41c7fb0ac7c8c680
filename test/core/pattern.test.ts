import { describe, expect, test } from 'vitest'
import { readPattern } from '../../core/pattern.ts'

const text = (each: string) => ({ kind: 'static', text: each })
const param = (name: string, regex = '', isOptional = false) => ({ kind: 'param', name, regex, isOptional })

describe('a pattern is read', () => {
  test('as text in canonical form', () => {
    expect(readPattern('/caf%c3%a9//b').variants).toEqual([[text('/caf%C3%A9/b')]])
    expect(readPattern('/café/b').variants).toEqual([[text('/caf%C3%A9/b')]])
    expect(readPattern('/a::b').variants).toEqual([[text('/a:b')]])
  })

  test('with parameters, expressions and a wildcard, by name in their order', () => {
    const { variants, names } = readPattern('/:a/x-:b(\\d+)/*')
    expect(variants).toEqual([
      [text('/'), param('a'), text('/x-'), param('b', '(\\d+)'), text('/'), { kind: 'wildcard' }],
    ])
    expect(names).toEqual(['a', 'b', '*'])
  })

  test('with and without its last segment, when that may be missing', () => {
    expect(readPattern('/a/:page?').variants).toEqual([[text('/a/'), param('page', '', true)], [text('/a')]])
    expect(readPattern('/:page?').variants[1]).toEqual([text('/')])
  })
})

// Keys of routes go through the same function: test/plugins/router/config.test.ts has more of its sentences.
test.each([
  ['a', 'expected a path that starts with "/"'],
  ['', 'expected a path that starts with "/"'],
  ['/a/*/b', '"*" stands for all that is left and can only be the last character'],
  ['/:a/:a', 'two parameters are named "a"'],
  ['/a/../b', 'no request has a dot segment in its path'],
])('%j is refused', (written, sentence) => {
  expect(() => readPattern(written)).toThrow(sentence)
})
