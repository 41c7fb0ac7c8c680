import fc from 'fast-check'
import { canonicalPath } from 'rawhttp'
import { expect, test } from 'vitest'
import { diskPath, fromSegment, toByteText, toSegment, toText } from '../../../plugins/static/byte-text.ts'

test('each character stands for one byte', () => {
  expect(toByteText('ä')).toBe('\xc3\xa4')
  expect(toText('\xc3\xa4')).toBe('ä')
  expect(toText('a\xff')).toBe('a\ufffd')
})

test('the file system is given text where that says the same, else the bytes', () => {
  expect(diskPath('/srv/\xc3\xa4')).toBe('/srv/ä')
  expect(diskPath('/srv/\xef\xbf\xbd')).toBe('/srv/\ufffd')
  expect(diskPath('/srv/\xff')).toEqual(Buffer.from([0x2f, 0x73, 0x72, 0x76, 0x2f, 0xff]))
})

test('an escape that is none is the name of nothing', () => {
  expect(fromSegment('a%4')).toBeNull()
  expect(fromSegment('%zz')).toBeNull()
  expect(fromSegment('%25%ff')).toBe('%\xff')
})

test('any name is found again by its segment, also in the canonical form of the path', () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map(bytes => Buffer.from(bytes).toString('latin1'))
    .filter(text => !/[\0/\\]/.test(text) && text !== '.' && text !== '..')
  fc.assert(
    fc.property(name, text => {
      expect(toSegment(text)).toMatch(/^[\w.~%-]+$/)
      expect(fromSegment(toSegment(text))).toBe(text)
      expect(fromSegment(canonicalPath(`/${toSegment(text)}`).slice(1))).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})
