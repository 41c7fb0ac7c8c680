import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FirstBytes, type Opening } from '../../../plugins/tls/hello.ts'

/** A handshake record. */
const record = (payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([22, 3, 1, payload.length >> 8, payload.length & 0xff]), payload])

/** A ClientHello message of that many bytes, its header included. */
function message(size: number): Buffer {
  const bytes = Buffer.alloc(size, 7)
  bytes.writeUInt8(1, 0)
  bytes.writeUIntBE(size - 4, 1, 3)
  return bytes
}

const feed = (pieces: Iterable<Buffer>): Opening[] => {
  const first = new FirstBytes()
  return [...pieces].map(piece => first.add(piece))
}

/** Cuts bytes at the places that are given. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...new Set(at.map(place => 1 + (place % bytes.length))), bytes.length].toSorted(
    (a, b) => a - b,
  )
  return places
    .slice(1)
    .map((end, index) => bytes.subarray(places[index], end))
    .filter(({ length }) => length > 0)
}

describe('the first bytes of a client', () => {
  test('are a hello when the whole message is there, however it was cut', () => {
    const sizes = fc.integer({ min: 4, max: 9_000 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 4, max: 16_384 }), fc.array(fc.nat()), (size, part, places) => {
        const whole = message(size)
        const records: Buffer[] = []
        const step = Math.max(part, Math.ceil(size / 16), 4)
        for (let at = 0; at < size; at += step) records.push(record(whole.subarray(at, at + step)))
        const pieces = cut(Buffer.concat(records), places)
        const openings = feed(pieces)
        expect(openings.at(-1)).toBe('hello')
        expect(new Set(openings.slice(0, -1))).not.toContain('hello')
      }),
    )
  })

  test('come back as they came', () => {
    const first = new FirstBytes()
    const bytes = record(message(500))
    for (const byte of bytes) first.add(Buffer.from([byte]))
    expect(first.bytes).toEqual(bytes)
  })

  test('are given on whole, with what stands behind the hello', () => {
    const first = new FirstBytes()
    const bytes = Buffer.concat([record(message(50)), Buffer.from('more')])
    expect(first.add(bytes)).toBe('hello')
    expect(first.bytes).toEqual(bytes)
  })

  test('are HTTP when they begin with a letter', () => {
    for (const start of ['G', 'g', 'PRI * HTTP/2.0']) expect(feed([Buffer.from(start)])).toEqual(['http'])
  })

  test('are something else when no TLS record begins so', () => {
    for (const byte of [0, 20, 21, 23, 0x80, 0xff, 10, 13, 32])
      expect(feed([Buffer.from([byte])])).toEqual(['other'])
  })

  test.each([
    ['a record that is too long', Buffer.from([22, 3, 1, 0xff, 0xff, 1, 0, 0, 9])],
    ['a message that is too long', Buffer.from([22, 3, 1, 0x40, 0, 1, 1, 0, 0])],
    ['a first record that splits the header of the message', Buffer.from([22, 3, 1, 0, 1, 1, 22, 3, 1])],
    [
      'another record within',
      Buffer.concat([record(message(20).subarray(0, 9)), Buffer.from([21, 3, 1, 0, 1])]),
    ],
    ['very many records', Buffer.concat(Array.from(message(80), byte => record(Buffer.alloc(4, byte))))],
  ])('are left to OpenSSL when they are odd: %s', (_what, bytes) => {
    const openings = feed(Array.from(bytes, byte => Buffer.from([byte])))
    expect(openings).toContain('hello')
  })

  test('never make trouble', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1 }), pieces => {
        const first = new FirstBytes()
        for (const piece of pieces) {
          const opening = first.add(Buffer.from([22, ...piece]))
          if (opening !== 'unfinished') return
        }
      }),
    )
  })
})
