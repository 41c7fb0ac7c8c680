import { describe, expect, test } from 'vitest'
import { type Reading, readHeader } from '../../../plugins/proxy-protocol/header.ts'
import { version2 } from './encode.ts'

const read = (text: string): Reading => readHeader(Buffer.from(text, 'latin1'))
const tcp = {
  from: { bytes: [192, 0, 2, 1], port: 4711 },
  to: { bytes: [203, 0, 113, 1], port: 443 },
}

describe('version 1', () => {
  const ends = (client: string, clientPort: number, local: string, localPort: number) => ({
    client: { address: client, port: clientPort },
    local: { address: local, port: localPort },
  })

  test.each([
    ['PROXY TCP4 192.0.2.1 203.0.113.1 4711 443', ends('192.0.2.1', 4711, '203.0.113.1', 443)],
    ['PROXY TCP4 192.0.2.1 203.0.113.1 0 65535', ends('192.0.2.1', 0, '203.0.113.1', 65535)],
    ['PROXY TCP6 2001:DB8::1 ::1 4711 443', ends('2001:db8::1', 4711, '::1', 443)],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2', ends('192.0.2.1', 1, '::1', 2)],
    ['PROXY UNKNOWN', null],
    ['PROXY UNKNOWN whatever \x00\xff\r stands here', null],
  ])('%j', (line, expected) => {
    const header = { kind: 'header', length: line.length + 2, ends: expected }
    expect(read(`${line}\r\nGET /`)).toEqual(header)
  })

  const badLine = 'its line is not as version 1 has it'
  test.each([
    ['PROXY TCP4 192.0.2.1 203.0.113.1 4711 443\n', 'its line does not end in CRLF'],
    ['PROXY \n', 'its line does not end in CRLF'],
    [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'its line does not end within 107 bytes'],
    [`PROXY ${'x'.repeat(101)}`, 'its line does not end within 107 bytes'],
    ['PROXY UNKNOWNX\r\n', badLine],
    ['PROXY TCP4\r\n', badLine],
    ['PROXY TCP4  192.0.2.1 203.0.113.1 4711 443\r\n', badLine],
    ['PROXY TCP4 192.0.2.1 203.0.113.1 4711 443 \r\n', badLine],
    ['PROXY TCP4 192.0.2.1\t203.0.113.1 4711 443\r\n', badLine],
    ['PROXY tcp4 192.0.2.1 203.0.113.1 4711 443\r\n', badLine],
    ['PROXY TCP4 192.0.2.01 203.0.113.1 4711 443\r\n', badLine],
    ['PROXY TCP4 ::1 ::1 4711 443\r\n', badLine],
    ['PROXY TCP6 192.0.2.1 192.0.2.2 4711 443\r\n', badLine],
    ['PROXY TCP6 fe80::1%lo ::1 4711 443\r\n', badLine],
    ['PROXY TCP4 192.0.2.1 203.0.113.1 04711 443\r\n', badLine],
    ['PROXY TCP4 192.0.2.1 203.0.113.1 4711 65536\r\n', badLine],
    ['PROXY TCP4 192.0.2.1 203.0.113.1 -1 443\r\n', badLine],
    ['PROXY UDP4 192.0.2.1 203.0.113.1 4711 443\r\n', badLine],
  ])('refuses %j', (line, problem) => {
    expect(read(line)).toEqual({ kind: 'malformed', problem })
  })

  test('may have the longest line that the protocol allows', () => {
    const address = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
    const line = `PROXY UNKNOWN ${address} ${address} 65535 65535\r\n`
    expect(line).toHaveLength(107)
    expect(read(line)).toEqual({ kind: 'header', length: 107, ends: null })
    expect(read(line.slice(0, 106))).toEqual({ kind: 'unfinished', needed: 107 })
  })
})

describe('version 2', () => {
  const ends = {
    client: { address: '192.0.2.1', port: 4711 },
    local: { address: '203.0.113.1', port: 443 },
  }
  const tlv = Buffer.from([0x03, 0, 4, 1, 2, 3, 4, 0x04, 0, 1, 0])

  test('says who the client is, over TCP or UDP, and what else it holds is skipped', () => {
    const rest = 'GET / HTTP/1.1\r\n'
    expect(readHeader(version2(tcp, { rest }))).toEqual({ kind: 'header', length: 28, ends })
    expect(readHeader(version2(tcp, { rest, transport: 'DGRAM' }))).toMatchObject({ ends })
    expect(readHeader(version2(tcp, { rest, more: tlv }))).toEqual({ kind: 'header', length: 39, ends })
  })

  test('has an IPv4 address as such, also where it came as IPv6', () => {
    const from = { bytes: [...Buffer.from('00000000000000000000ffffc0000201', 'hex')], port: 4711 }
    const to = { bytes: [...Buffer.from('20010db8000000000000000000000001', 'hex')], port: 443 }
    expect(readHeader(version2({ from, to }))).toEqual({
      kind: 'header',
      length: 52,
      ends: { client: ends.client, local: { address: '2001:db8::1', port: 443 } },
    })
  })

  test('tells of no client where the proxy speaks for itself, or has no address that says anything', () => {
    for (const header of [
      version2(tcp, { command: 'LOCAL' }),
      version2('unspec', { command: 'LOCAL', transport: 'UNSPEC' }),
      version2('unspec', { transport: 'UNSPEC', more: tlv }),
      version2('unix'),
      version2(tcp, { transport: 'UNSPEC' }),
    ])
      expect(readHeader(header)).toEqual({ kind: 'header', length: header.length, ends: null })
  })

  test('of a proxy that speaks for itself has whatever family', () => {
    const header = changed(version2(tcp, { command: 'LOCAL' }), 13, 0xff)
    expect(readHeader(header)).toMatchObject({ kind: 'header', ends: null })
  })

  test.each([
    ['version 1', changed(version2(tcp), 12, 0x11), 'it says version 1'],
    ['version 3', changed(version2(tcp), 12, 0x31), 'it says version 3'],
    ['a third command', changed(version2(tcp), 12, 0x22), 'it has the unknown command 2'],
    ['a fifth family', changed(version2(tcp), 13, 0x41), 'it has the unknown family 65'],
    ['a fourth transport', changed(version2(tcp), 13, 0x13), 'it has the unknown family 19'],
    ['no room for its addresses', changed(version2(tcp), 15, 11), 'it is too short for its addresses'],
    ['no room for a path', changed(version2('unix'), 15, 215), 'it is too short for its addresses'],
    [
      '16,385 bytes',
      changed(changed(version2(tcp), 14, 0x40), 15, 1),
      'it says 16385 bytes, more than 16384',
    ],
  ])('refuses %s, as soon as it shows', (_what, header, problem) => {
    expect(readHeader(header)).toEqual({ kind: 'malformed', problem })
    expect(readHeader(header.subarray(0, 16))).toEqual({ kind: 'malformed', problem })
  })

  test('may be 16,384 bytes long behind its beginning', () => {
    const header = version2(tcp, { more: new Uint8Array(16_384 - 12) })
    expect(readHeader(header)).toMatchObject({ kind: 'header', length: 16_400 })
    expect(readHeader(header.subarray(0, 16))).toEqual({ kind: 'unfinished', needed: 16_400 })
  })
})

test.each([
  'GET / HTTP/1.1',
  'PUT /',
  'PROXY\t',
  'proxy TCP4',
  'PRI * HTTP/2.0',
  '\x16\x03\x01',
  '\r\nGET',
  '\r\n\r\n\x00\r\nQUIX',
  '\x00',
])('%j is no header', text => {
  expect(read(text)).toEqual({ kind: 'none' })
})

test.each(['', 'P', 'PROXY', '\r', '\r\n\r\n\x00\r\nQUIT'])('%j may become one', text => {
  expect(read(text)).toEqual({ kind: 'unfinished', needed: text.length + 1 })
})

function changed(header: Buffer, at: number, byte: number): Buffer {
  header[at] = byte
  return header
}
