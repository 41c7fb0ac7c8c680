import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../core/config/json.ts'

describe('a mistake in JSON', () => {
  it('is on the line that is named, wherever that line is', () => {
    const property = fc.property(fc.nat({ max: 30 }), fc.nat({ max: 30 }), (before, after) => {
      const lines = ['[', ...Array(before).fill('1,'), '?', ...Array(after).fill(',1'), ']']
      const parse = () => parseJson('x.json', lines.join('\n'))
      expect(parse).toThrow(`line ${before + 2}: syntax error: Unexpected token '?'`)
    })
    fc.assert(property)
  })
})
