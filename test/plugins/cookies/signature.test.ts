import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Keyring } from '../../../plugins/cookies/signature.ts'
import { NEW, OLD } from './serve.ts'

const ring = new Keyring([NEW])
const value = fc.string({ unit: 'binary', maxLength: 60 })
const name = fc.stringMatching(/^[\w-]{1,12}$/)

describe('a signed text', () => {
  test('says what was signed', () => {
    fc.assert(
      fc.property(name, value, fc.option(fc.integer({ min: 2, max: 4e9 })), (name, value, until) => {
        expect(ring.verify(name, ring.sign(name, value, until), 1_000)).toEqual({ value, isOld: false })
      }),
    )
  })

  test('is refused when any character of it is another', () => {
    fc.assert(
      fc.property(
        name,
        value,
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (name, value, at, other) => {
          const text = ring.sign(name, value, 4e9)
          const place = at % text.length
          fc.pre(text[place] !== other)
          expect(
            ring.verify(name, text.slice(0, place) + other + text.slice(place + 1), 1_000),
          ).toBeUndefined()
        },
      ),
    )
  })

  test('is refused when it is cut or longer', () => {
    const text = ring.sign('a', 'b', null)
    for (let end = 0; end < text.length; end++)
      expect(ring.verify('a', text.slice(0, end), 0)).toBeUndefined()
    for (const more of ['=', 'A', '.', '\n']) expect(ring.verify('a', text + more, 0)).toBeUndefined()
  })

  test('is refused when the bits that base64url does not use are others', () => {
    const text = ring.sign('a', 'b', null)
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(text.at(-1)!)
    for (const twin of [1, 2, 3]) {
      const other = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last ^ twin]!
      expect(ring.verify('a', text.slice(0, -1) + other, 0)).toBeUndefined()
    }
  })

  test('belongs to its name', () => {
    fc.assert(
      fc.property(name, name, value, (one, other, value) => {
        fc.pre(one !== other)
        expect(ring.verify(other, ring.sign(one, value, null), 0)).toBeUndefined()
      }),
    )
  })

  test('cannot be split in another place: value and end are not one text', () => {
    const [, mac] = /\.([\w-]+)$/.exec(ring.sign('a', 'b.7', null))!
    expect(ring.verify('a', `b.7.${mac}`, 0)).toBeUndefined()
    expect(ring.verify('a', `b.7..${mac}`, 0)?.value).toBe('b.7')
  })

  test('is refused from the second on in which it ends', () => {
    const text = ring.sign('a', 'b', 100)
    expect(ring.verify('a', text, 99_999)?.value).toBe('b')
    expect(ring.verify('a', text, 100_000)).toBeUndefined()
  })

  test('by an older secret is taken and told; by none of them it is refused', () => {
    const old = new Keyring([OLD]).sign('a', 'b', null)
    expect(new Keyring([NEW, OLD]).verify('a', old, 0)).toEqual({ value: 'b', isOld: true })
    expect(new Keyring([OLD, NEW]).verify('a', old, 0)).toEqual({ value: 'b', isOld: false })
    expect(ring.verify('a', old, 0)).toBeUndefined()
  })

  test('of 16 kB that only looks like one is refused at once', () => {
    for (const unit of ['.', '1.', '.1', 'a', '1', '-']) {
      expect(ring.verify('a', unit.repeat(16_384 / unit.length), 0)).toBeUndefined()
    }
  })
})

test('secrets do not show in what is printed', () => {
  expect(inspect({ ring }, { depth: 9, showHidden: true })).not.toContain(NEW)
  expect(JSON.stringify({ ring })).not.toContain(NEW)
})
