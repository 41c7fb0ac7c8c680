import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acceptedCodings } from '../../../plugins/cache/encodings.ts'

describe('Accept-Encoding in normal form', () => {
  test.each([
    [undefined, 'none'],
    ['', ''],
    ['gzip', 'gzip'],
    ['  GZIP  ', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, br', 'gzip,br'],
    ['br, gzip', 'br,gzip'],
    ['gzip;q=0.5, br', 'br>gzip'],
    ['gzip;q=0.500,br;q=0.5', 'gzip,br'],
    ['gzip ; q=1.0 , br\t;\tq=0.8', 'gzip>br'],
    ['gzip, compress, dcb', 'gzip'],
    ['gzip, br;q=0', 'gzip'],
    ['gzip, identity;q=0', 'gzip !identity'],
    ['*;q=0, gzip', 'gzip !*'],
    ['*, br;q=0', '* !br'],
    ['gzip;q=1, *;q=0.1, identity;q=0, br;q=0', 'gzip>* !br !identity'],
  ])('%j is %j', (field, normal) => {
    expect(acceptedCodings(field)).toBe(normal)
  })

  test.each([
    'gzip;q=2',
    'gzip;q=0.1234',
    'gzip;q=',
    'gzip;level=1',
    'gz ip',
    'gzip, gzip;q=0',
    'gzip, x-gzip',
  ])('%j stays as it is: nobody can say how it will be read', field => {
    expect(acceptedCodings(field)).toBe(`?${field}`)
  })

  test('is the same whatever stands in memory already', () => {
    const member = fc.tuple(
      fc.constantFrom('gzip', 'br', 'zstd', 'deflate', 'identity', '*', 'other'),
      fc.constantFrom('', ';q=0', ';q=1', ';q=0.3', ';q=x'),
    )
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), members => {
        const field = members.map(parts => parts.join('')).join(', ')
        const first = acceptedCodings(field)
        expect(acceptedCodings(field)).toBe(first)
        expect(acceptedCodings(`${field}${' '.repeat(300)}`).trimEnd()).toBe(first)
      }),
      { numRuns: 2_000 },
    )
  })
})
