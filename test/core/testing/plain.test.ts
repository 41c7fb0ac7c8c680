import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frozenCopy, plainCopy, sameValue } from '../../../core/testing/plain.ts'

const values = fc.jsonValue()

test('a copy is the same and another one', () => {
  fc.assert(
    fc.property(values, value => {
      expect(plainCopy(value)).toEqual(value)
      expect(sameValue(plainCopy(value), value)).toBe(true)
      if (typeof value === 'object' && value !== null) expect(plainCopy(value)).not.toBe(value)
    }),
  )
})

test('values are the same if Node says so', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(sameValue(a, b)).toBe(isDeepStrictEqual(a, b))
      expect(sameValue([a, { b }], [plainCopy(a), { b: plainCopy(b) }])).toBe(true)
    }),
  )
})

test('a frozen copy is frozen all through, and what is not plain stays as it is', () => {
  const answer = () => 42
  const when = new Date()
  const options = { list: [{ deep: [1] }], answer, when }
  const frozen = frozenCopy(options)
  expect([frozen, frozen.list, frozen.list[0], frozen.list[0]!.deep].every(Object.isFrozen)).toBe(true)
  expect([frozen.answer, frozen.when]).toEqual([answer, when])
  expect(Object.isFrozen(when)).toBe(false)
  expect(Object.isFrozen(options)).toBe(false)
})

test('a key that is called __proto__ is one as any other', () => {
  const options = JSON.parse('{ "__proto__": { "a": 1 } }')
  expect(Object.keys(plainCopy(options))).toEqual(['__proto__'])
  expect(sameValue(plainCopy(options), options)).toBe(true)
})

test('a list is no object with numbers', () => {
  expect(sameValue([], {})).toBe(false)
  expect(sameValue({ a: undefined }, {})).toBe(false)
  expect(sameValue({ a: undefined }, { b: undefined })).toBe(false)
})
