import { AddressList, ConfigError, canonicalAddress, isAddress, problemWithAddress } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { problemWithEntry } from '../../core/address-list.ts'

describe('a list of addresses', () => {
  test.each<[list: string[], inside: string[], outside: string[]]>([
    [['192.0.2.7'], ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.8', '::', '']],
    [['10.0.0.0/8'], ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['11.0.0.0', '::ffff:11.0.0.0']],
    [['10.1.2.3/8'], ['10.9.9.9'], ['11.1.2.3']],
    [['2001:DB8::/33'], ['2001:db8::1', '2001:db8:7fff::'], ['2001:db8:8000::', '10.0.0.1']],
    [['::ffff:10.0.0.0/104'], ['10.1.2.3', '::ffff:10.1.2.3'], ['11.1.2.3']],
    [['0.0.0.0/0'], ['1.2.3.4'], ['2001:db8::1', '']],
    [['::/0'], ['2001:db8::1', '::1'], ['1.2.3.4', '::ffff:1.2.3.4', '::ffff:102:304', '']],
    [['10.0.0.0/8'], ['::FFFF:10.0.0.1', '::ffff:a00:1', '0:0:0:0:0:ffff:10.0.0.1'], ['::a00:1']],
    [['fe80::/10'], ['fe80::1', 'fe80::1%eth0'], ['fec0::1']],
    [['loopback'], ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['10.0.0.1', '128.0.0.1', '']],
    [
      ['private'],
      ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fdff::1'],
      ['127.0.0.1', '172.32.0.1', '172.15.255.255', '192.169.0.1', 'fe80::1', '::1', ''],
    ],
    [['unix'], [''], ['127.0.0.1']],
    [['192.0.2.7', 'unix'], ['', '192.0.2.7'], ['192.0.2.8']],
    [[], [], ['', '127.0.0.1', '::1']],
  ])('%j', (list, inside, outside) => {
    const addresses = new AddressList(list)
    expect(inside.filter(address => !addresses.has(address))).toEqual([])
    expect(outside.filter(address => addresses.has(address))).toEqual([])
  })

  test('has no text that is no address', () => {
    const addresses = new AddressList(['0.0.0.0/0', '::/0', 'unix'])
    expect(['unix', 'x', '1.2.3', '[::1]'].filter(text => addresses.has(text))).toEqual([])
  })

  test('names the entry that it cannot read', () => {
    expect(() => new AddressList(['10.0.0.1', 'x'])).toThrow(ConfigError)
    expect(() => new AddressList(['10.0.0.1', 'x'])).toThrow(/\[1\]: expected an address such as .+, got 'x'/)
  })
})

test.each<[written: unknown, received: string, hint: string | undefined]>([
  ['10.0.0.0/33', "'10.0.0.0/33'", 'behind the slash stands a number of bits from 0 to 32'],
  ['::/129', "'::/129'", 'behind the slash stands a number of bits from 0 to 128'],
  ['10.0.0.0/', "'10.0.0.0/'", 'behind the slash stands a number of bits from 0 to 32'],
  ['10.0.0.0/08', "'10.0.0.0/08'", 'behind the slash stands a number of bits from 0 to 32'],
  ['10.0.0.0/255.0.0.0', "'10.0.0.0/255.0.0.0'", 'behind the slash stands a number of bits from 0 to 32'],
  ['10.0.0.0/8/8', "'10.0.0.0/8/8'", undefined],
  ['10.0.0', "'10.0.0'", undefined],
  ['010.0.0.1', "'010.0.0.1'", undefined],
  ['', "''", undefined],
  [7, '7', undefined],
  ['[::1]', "'[::1]'", "write '::1'"],
  ['[::1]:80', "'[::1]:80'", "write '::1'"],
  ['10.0.0.1:80', "'10.0.0.1:80'", "write '10.0.0.1': ports do not count"],
  ['fe80::1%eth0', "'fe80::1%eth0'", 'leave out the zone behind the percent sign'],
  ['proxy.example', "'proxy.example'", 'names are not looked up: write the address'],
  ['loopbak', "'loopbak'", "did you mean 'loopback'?"],
  ['*', "'*'", 'list the addresses of your proxies: whoever is in the list is believed'],
  ['toString', "'toString'", undefined],
])('what is wrong with %j', (written, received, hint) => {
  expect(isAddress(written)).toBe(false)
  expect(problemWithEntry(written)).toEqual({
    expected:
      "an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix'",
    received,
    ...(hint === undefined ? {} : { hint }),
  })
})

test('what is wrong is told in a sentence, too', () => {
  expect(problemWithAddress('10.0.0.1:80')).toBe(
    "expected an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix', got '10.0.0.1:80'; write '10.0.0.1': ports do not count",
  )
  expect([isAddress('10.0.0.1'), problemWithAddress('10.0.0.1')]).toEqual([true, null])
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['192.0.2.07', null],
  ['fe80::1%eth0', null],
  ['example.com', null],
  ['', null],
])('the one form of %j is %j', (text, expected) => {
  expect(canonicalAddress(text)).toBe(expected)
})
