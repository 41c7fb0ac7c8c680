import fc from 'fast-check'
import { TextTable } from 'rawhttp'
import { expect, test } from 'vitest'

test('a table answers as a Map does, whatever the texts and however many', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'a', 'constructor', '__proto__'))
  fc.assert(
    fc.property(fc.array(fc.tuple(texts, fc.nat())), fc.array(texts), (entries, others) => {
      const table = new TextTable<number>()
      for (const [text, value] of entries) table.set(text, value)
      const map = new Map(entries)
      expect(table.size).toBe(map.size)
      for (const text of [...map.keys(), ...others]) expect(table.get(text)).toBe(map.get(text))
    }),
  )
})

test('texts of one hash are told apart', () => {
  // 31 * 'B' + 'b' and 31 * 'C' + 'C' are the same number.
  const table = new TextTable<number>().set('Bb', 1).set('CC', 2)
  expect([table.get('Bb'), table.get('CC'), table.get('Cb')]).toEqual([1, 2, undefined])
})

test('a text that was cut out of another one is found', () => {
  const head = 'GET /a-long-path HTTP/1.1\r\nhost: a-long-host.example\r\n'
  const table = new TextTable<number>().set('a-long-host.example', 1)
  expect(table.get(head.slice(head.indexOf('a-long-host'), -2))).toBe(1)
})
