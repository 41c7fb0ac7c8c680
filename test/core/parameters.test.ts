import { describe, expect, test } from 'vitest'
import { readParameters } from '../../core/parameters.ts'

const read = (text: string) => {
  const { value, parameters } = readParameters(text) ?? {}
  return parameters === undefined ? null : [value, Object.fromEntries(parameters)]
}

describe('parameters', () => {
  test.each<[string, string, Record<string, string>]>([
    ['text/plain', 'text/plain', {}],
    ['Form-Data;name=a', 'form-data', { name: 'a' }],
    ['a; X="b; c=d" ; y=e;', 'a', { x: 'b; c=d', y: 'e' }],
    ['a;; b=1', 'a', { b: '1' }],
    ['a; b="say \\"hi\\" \\\\ C:\\dir"', 'a', { b: 'say "hi" \\ C:\\dir' }],
    ['a; boundary==_Part/1:2', 'a', { boundary: '=_Part/1:2' }],
    ['a; b=""', 'a', { b: '' }],
  ])('of %j are read', (text, value, parameters) => {
    expect(read(text)).toEqual([value, parameters])
  })

  test.each(['a; b', 'a; b="c', 'a; b="c"d', 'a; b=c d', 'a; b=1; B=2', 'a; =b', 'a; b = c', 'a; b="\\"'])(
    'of %j cannot be read',
    text => {
      expect(read(text)).toBeNull()
    },
  )
})
