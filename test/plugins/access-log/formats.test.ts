import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Entry } from '../../../plugins/access-log/fields.ts'
import { type Formats, lineWithin } from '../../../plugins/access-log/formats.ts'

const entry = {} as Entry

/** Formats whose lines have these lengths, whatever the entry. */
const formatsOf = (lengths: readonly number[]): Formats =>
  lengths.map(length => () => 'x'.repeat(length)) as unknown as Formats

test('a line is that of the first format that is short enough, and of the last one where none is', () => {
  const lengths = fc.array(fc.nat(60), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(lengths, fc.nat(60), (all, longest) => {
      const first = all.find(length => length <= longest) ?? all.at(-1)
      expect(lineWithin(longest, formatsOf(all), entry)).toHaveLength(first!)
    }),
  )
})

test('no shorter line is made than has to be', () => {
  const never = () => expect.unreachable()
  expect(lineWithin(3, [() => 'abc', never], entry)).toBe('abc')
})
