import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientKey } from '../../../plugins/rate-limit/network.ts'

test.each([
  ['192.0.2.7', 64, '192.0.2.7'],
  ['::ffff:192.0.2.7', 64, '192.0.2.7'],
  ['', 64, ''],
  ['2001:db8:0:7::1', 64, '2001:db8:0:7'],
  ['2001:DB8:0:7:aaaa:bbbb:cccc:dddd', 64, '2001:db8:0:7'],
  ['2001:db8::1', 64, '2001:db8:0:0'],
  ['::1', 64, '0:0:0:0'],
  ['::1', 128, '0:0:0:0:0:0:0:1'],
  ['2001:db8:abcd:12ff::', 56, '2001:db8:abcd:1200'],
  ['2001:db8:abcd:12ff::', 48, '2001:db8:abcd'],
  ['2001:db8:abcd::', 33, '2001:db8:8000'],
  ['64:ff9b::192.0.2.1', 128, '64:ff9b:0:0:0:0:c000:201'],
  ['fe80::1%eth0', 64, 'fe80:0:0:0'],
  ['1:2:3:4:5:6:7::', 128, '1:2:3:4:5:6:7:0'],
])('%s counts with %i bits as %s', (address, bits, key) => {
  expect(clientKey(address, bits)).toBe(key)
})

test('two addresses of IPv6 count as one exactly when they share the prefix', () => {
  const groups = fc.array(fc.nat({ max: 0xffff }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, fc.nat({ max: 127 }), fc.integer({ min: 16, max: 128 }), (parts, flipped, bits) => {
      const other = parts.with(flipped >> 4, parts[flipped >> 4]! ^ (0x8000 >> (flipped & 15)))
      const text = (all: readonly number[]) => all.map(part => part.toString(16)).join(':')
      // The form of RFC 5952, as sockets give it.
      const short = new URL(`http://[${text(other)}]`).hostname.slice(1, -1)
      expect(clientKey(text(parts), bits) === clientKey(short, bits)).toBe(flipped >= bits)
    }),
  )
})
