import { FileSlice } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { isSliceable, MAX_RANGES, rangesIn, slice } from '../../core/range.ts'
import { LazyBody } from '../../core/response-body.ts'

/** Of ten bytes: as pairs, both ends included. */
const parts = (field: string, size = 10) =>
  rangesIn(field, size)?.map(({ start, end }) => [start, end]) ?? null

describe('a Range field', () => {
  test.each([
    ['bytes=0-4', [[0, 4]]],
    ['bytes=9-9', [[9, 9]]],
    ['bytes=3-', [[3, 9]]],
    ['bytes=-3', [[7, 9]]],
    ['bytes=0-9', [[0, 9]]],
    ['bytes=007-008', [[7, 8]]],
    ['BYTES=0-0', [[0, 0]]],
  ])('%s is one part', (field, expected) => {
    expect(parts(field)).toEqual(expected)
  })

  test.each([
    ['bytes=5-10', [[5, 9]]],
    ['bytes=5-9007199254740993', [[5, 9]]],
    [`bytes=5-${'9'.repeat(400)}`, [[5, 9]]],
    ['bytes=-10', [[0, 9]]],
    ['bytes=-11', [[0, 9]]],
    [`bytes=-${'9'.repeat(400)}`, [[0, 9]]],
  ])('%s is cut at the ends of the representation', (field, expected) => {
    expect(parts(field)).toEqual(expected)
  })

  test.each([
    [
      'bytes=0-1,5-6',
      [
        [0, 1],
        [5, 6],
      ],
    ],
    [
      'bytes=5-6,0-1',
      [
        [5, 6],
        [0, 1],
      ],
    ],
    [
      'bytes=-2,0-0',
      [
        [8, 9],
        [0, 0],
      ],
    ],
    [
      'bytes= 0-1 ,\t5-6 ',
      [
        [0, 1],
        [5, 6],
      ],
    ],
    [
      'bytes=,0-1,,5-6,',
      [
        [0, 1],
        [5, 6],
      ],
    ],
    [
      'bytes=0-1,10-,5-6',
      [
        [0, 1],
        [5, 6],
      ],
    ],
    ['bytes=0-1,-0', [[0, 1]]],
  ])('%s is the parts in their order, without those that are not there', (field, expected) => {
    expect(parts(field)).toEqual(expected)
  })

  test.each([
    ['bytes=0-4,2-6', [[0, 6]]],
    ['bytes=2-6,0-4', [[0, 6]]],
    ['bytes=0-4,5-6', [[0, 6]]],
    ['bytes=0-1,2-2,3-9', [[0, 9]]],
    ['bytes=0-9,3-4', [[0, 9]]],
    [
      'bytes=8-9,0-1,1-2',
      [
        [8, 9],
        [0, 2],
      ],
    ],
    ['bytes=0-,0-,0-,-5,-5', [[0, 9]]],
  ])('%s overlaps or adjoins, and is made one', (field, expected) => {
    expect(parts(field)).toEqual(expected)
  })

  test.each([
    'bytes=10-',
    'bytes=10-20',
    'bytes=-0',
    'bytes=10-,20-30,-0',
    `bytes=${'9'.repeat(400)}-`,
    'bytes=9007199254740993-9007199254740993',
  ])('%s is nowhere in the representation', field => {
    expect(parts(field)).toEqual([])
  })

  test.each([
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes= , ',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-b',
    'bytes=--1',
    'bytes=0--1',
    'bytes=0-1-2',
    'bytes=5-2',
    'bytes=15-12',
    'bytes=0-1,5-2',
    'bytes=0-1,x',
    'bytes=0 -1',
    'bytes=0- 1',
    'bytes=0-1 2-3',
    'bytes=0-1;2-3',
    'bytes=0x0-0x1',
    'bytes=+0-1',
    'bytes=0-1.5',
    'bytes=1e0-2',
    'bytes=\xa00-1',
    'bytes =0-1',
    ' bytes=0-1',
    'bytes 0-1',
    'bytes=bytes=0-1',
    'bytes=0-1, bytes=2-3',
    'bytes=0-1/10',
    'items=0-1',
    'seconds=0-1',
    'none=0-1',
    'xbytes=0-1',
  ])('%j is ignored', field => {
    expect(parts(field)).toBeNull()
  })

  test('may have a hundred members, and is ignored with more, even when they are one part', () => {
    const members = (count: number, member: string) => `bytes=${Array(count).fill(member).join(',')}`
    expect(parts(members(MAX_RANGES, '0-'))).toEqual([[0, 9]])
    expect(parts(members(MAX_RANGES + 1, '0-'))).toBeNull()
    expect(parts(members(MAX_RANGES + 1, ''))).toBeNull()
    const apart = Array.from({ length: MAX_RANGES }, (_, i) => `${2 * i}-${2 * i}`)
    expect(parts(`bytes=${apart.join(',')}`, 1_000)).toHaveLength(MAX_RANGES)
  })
})

describe('a part', () => {
  const range = { start: 1, end: 3 }

  test('of text is text when each character is one byte', () => {
    expect(slice('abcdef', range)).toBe('bcd')
  })

  test('of other text is counted in bytes of UTF-8', () => {
    expect(Buffer.from(slice('aäöü', range) as Uint8Array)).toEqual(Buffer.from('aäöü').subarray(1, 4))
  })

  test.each([Buffer.from('abcdef'), new Uint8Array(Buffer.from('abcdef'))])(
    'of bytes is the same bytes, not a copy',
    bytes => {
      const part = slice(bytes, range) as Buffer
      expect(part.toString()).toBe('bcd')
      expect([part.buffer, part.byteOffset]).toEqual([bytes.buffer, bytes.byteOffset + 1])
    },
  )

  test('of a part of a file is counted from that part, and knows what the file was', () => {
    const file = new FileSlice('/a', { size: 100, mtimeMs: 5 }, 20, 60)
    expect(slice(file, range)).toEqual(new FileSlice('/a', { size: 100, mtimeMs: 5 }, 21, 24))
  })
})

test('parts are taken of what is known and not empty', async () => {
  const file = new FileSlice('/a', { size: 10, mtimeMs: 5 })
  for (const body of ['a', Buffer.from('a'), new Uint8Array(1), file]) expect(isSliceable(body)).toBe(true)
  const streams = [new LazyBody(() => Buffer.from('a')), (async function* () {})()]
  for (const body of [null, '', Buffer.alloc(0), file.slice(3, 3), ...streams])
    expect(isSliceable(body)).toBe(false)
})
