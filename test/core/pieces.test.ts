import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Pieces } from '../../core/pieces.ts'

const x = Buffer.from('x')

/** What is held, and how many bytes of memory that takes. */
function memoryOf(pieces: Pieces): number {
  let bytes = 0
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift())
    bytes += piece.buffer.byteLength
  return bytes
}

describe('pieces', () => {
  test('come out as they went in, however they are cut and taken', () => {
    const steps = fc.array(fc.oneof(fc.constant(null), fc.nat({ max: 9_000 })), { maxLength: 300 })
    fc.assert(
      fc.property(steps, all => {
        const pieces = new Pieces()
        const [pushed, taken]: [Buffer[], Buffer[]] = [[], []]
        for (const [index, size] of all.entries()) {
          if (size === null) taken.push(Buffer.from(pieces.shift() ?? []))
          else {
            pushed.push(Buffer.alloc(size, index))
            pieces.push(pushed.at(-1)!)
          }
          expect(pieces.bytes).toBe(sizeOf(pushed) - sizeOf(taken))
        }
        expect(Buffer.concat([...taken, pieces.join()]).equals(Buffer.concat(pushed))).toBe(true)
        expect([pieces.bytes, pieces.count, pieces.shift()]).toEqual([0, 0, undefined])
      }),
    )
  })

  test('of one byte are held together: as many as one buffer takes', () => {
    const pieces = new Pieces()
    for (let i = 0; i < 64_000; i++) pieces.push(x)
    expect([pieces.bytes, pieces.count]).toEqual([64_000, 1])
    for (let i = 0; i < 936_000; i++) pieces.push(x)
    expect(pieces.count).toBeLessThan(20)
    expect(memoryOf(pieces)).toBeLessThan(1_100_000)
  })

  test('of one byte between large ones cost no buffer of their own', () => {
    const pieces = new Pieces()
    const large = Buffer.alloc(4_096)
    for (let i = 0; i < 100; i++) for (const piece of [large, x]) pieces.push(piece)
    expect(pieces.count).toBe(200)
    expect(new Set(drained(pieces))).toEqual(new Set([large, x]))
  })

  test('are copied twice at most, on average', () => {
    const set = vi.spyOn(Uint8Array.prototype, 'set')
    const pieces = new Pieces()
    for (let i = 0; i < 64_000; i++) pieces.push(x)
    const copied = set.mock.calls.reduce((sum, [bytes]) => sum + bytes.length, 0)
    set.mockRestore()
    expect(copied).toBeLessThan(64_000 * 3)
  })

  test('move up in time that is in proportion to them', () => {
    const splice = vi.spyOn(Array.prototype, 'splice')
    const pieces = new Pieces()
    const large = Buffer.alloc(4_096)
    for (let i = 0; i < 20_000; i++) pieces.push(large)
    // Never empty: each one that is taken is followed by another.
    for (let i = 0; i < 100_000; i++) {
      pieces.push(large)
      pieces.shift()
    }
    const calls = splice.mock.calls.length
    splice.mockRestore()
    expect(calls).toBeGreaterThan(0)
    expect(calls).toBeLessThan(10)
    expect(pieces.count).toBe(20_000)
  })

  test('that were given out are not written to', () => {
    const pieces = new Pieces()
    const given: Uint8Array[] = []
    for (let i = 0; i < 1_000; i++) {
      for (let j = 0; j <= i % 7; j++) pieces.push(Buffer.from([i & 0xff]))
      if (i % 3 === 0) given.push(pieces.shift()!)
    }
    const before = given.map(piece => Buffer.from(piece.buffer as ArrayBuffer).toString('latin1'))
    for (let i = 0; i < 1_000; i++) pieces.push(x)
    expect(given.map(piece => Buffer.from(piece.buffer as ArrayBuffer).toString('latin1'))).toEqual(before)
  })

  test('leave the bytes that came alone', () => {
    const pieces = new Pieces()
    const slab = Buffer.from('abcd')
    pieces.push(slab.subarray(0, 1))
    pieces.push(x)
    expect([slab.toString(), pieces.join().toString()]).toEqual(['abcd', 'ax'])
  })

  test('a single one is joined without a copy', () => {
    const pieces = new Pieces()
    pieces.push(x)
    expect(pieces.join()).toBe(x)
    pieces.push(new Uint8Array([1]))
    expect(Buffer.isBuffer(pieces.join())).toBe(true)
  })
})

const sizeOf = (all: readonly Uint8Array[]): number => all.reduce((sum, { length }) => sum + length, 0)

function drained(pieces: Pieces): Uint8Array[] {
  const all: Uint8Array[] = []
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) all.push(piece)
  return all
}
