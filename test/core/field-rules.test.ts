import { describe, expect, test } from 'vitest'
import { checkedName, checkedTrailerName, checkValue, isRepresentationField } from '../../core/field-rules.ts'

test('a field name is given back in lower case', () => {
  expect(checkedName('X-Own_Field.1')).toBe('x-own_field.1')
  expect(() => checkedName('a b')).toThrow('"a b" is not a field name (RFC 9110 section 5.1)')
  expect(() => checkedName('TE')).toThrow('te belongs to the kernel')
})

test('a name is judged the same every time', () => {
  for (const _ of [1, 2]) {
    expect(checkedName('X-Twice')).toBe('x-twice')
    expect(() => checkedName('x twice')).toThrow('is not a field name')
    expect(() => checkedName('Upgrade')).toThrow('belongs to the kernel')
  }
})

test('every character but those of field values is refused in one', () => {
  const refused: number[] = []
  for (let code = 0; code < 0x300; code++) {
    try {
      checkValue('x', `a${String.fromCharCode(code)}b`)
    } catch {
      refused.push(code)
    }
  }
  const controls = [...Array(0x20).keys(), 0x7f].filter(code => code !== 0x09)
  expect(refused).toEqual([...controls, ...Array.from({ length: 0x200 }, (_, at) => 0x100 + at)])
})

describe('a field of the representation', () => {
  test.each(['content-type', 'content-disposition', 'etag', 'last-modified', 'accept-ranges'])(
    '%s is one',
    field => {
      expect(isRepresentationField(field)).toBe(true)
    },
  )

  test.each([
    'content-security-policy',
    'content-security-policy-report-only',
    'vary',
    'cache-control',
    'content',
  ])('%s is none', field => {
    expect(isRepresentationField(field)).toBe(false)
  })
})

test('a trailer may be what does not frame, route, authenticate or describe (RFC 9110 section 6.5.1)', () => {
  expect(checkedTrailerName('Server-Timing')).toBe('server-timing')
  expect(() => checkedTrailerName('Content-Type')).toThrow(
    'content-type may not be a trailer field (RFC 9110 section 6.5.1)',
  )
})
