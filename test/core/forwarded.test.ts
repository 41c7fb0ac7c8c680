import { describe, expect, test } from 'vitest'
import { readForwarded } from '../../core/forwarded.ts'
import { flatFields, HttpHeaders } from '../../core/headers.ts'
import { type ForwardedField, TrustedProxies } from '../../core/trusted-proxies.ts'

type Lines = readonly (readonly [string, string])[] | Readonly<Record<string, string>>

function read(lines: Lines, fields?: readonly ForwardedField[]) {
  return readForwarded(new HttpHeaders(flatFields(lines)), new TrustedProxies(['10.0.0.0/8', '::1'], fields))
}

const client = (address: string | null, port = 0) => (address === null ? null : { address, port })

describe('X-Forwarded-For', () => {
  test.each<[field: string, address: string | null, port?: number]>([
    // Whatever stands on the left of the first address that is not trusted, the client has written.
    ['192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1, 10.0.0.1', '192.0.2.1'],
    ['10.9.9.9, 192.0.2.1, 10.0.0.2, 10.0.0.1', '192.0.2.1'],
    ['10.0.0.3, 10.0.0.2,10.0.0.1', '10.0.0.3'],
    // White space and empty members say nothing.
    ['\t192.0.2.1\t ,, , ', '192.0.2.1'],
    ['', null],
    [', ,', null],
    // Every form in which addresses are written.
    ['192.0.2.1:4711', '192.0.2.1', 4711],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1', 4711],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1, ::ffff:10.0.0.1, ::1', '192.0.2.1'],
    // What is no address ends the search; nothing on its left is looked at.
    ['192.0.2.1, unknown', null],
    ['192.0.2.1, unknown, 10.0.0.1', '10.0.0.1'],
    ['192.0.2.1, _hidden, 10.0.0.1', '10.0.0.1'],
    ['192.0.2.1, 300.1.1.1', null],
    ['192.0.2.1, 192.0.2.2:65536', null],
    ['192.0.2.1, 192.0.2.2:', null],
    ['192.0.2.1, [192.0.2.2]', null],
    ['192.0.2.1, [::2', null],
    ['192.0.2.1, fe80::1%eth0', null],
    ['192.0.2.1, "192.0.2.2"', null],
    ['192.0.2.1, 192.0.2.2\xa0', null],
    ['192.0.2.1, unix:', null],
    [`192.0.2.1, ${'1'.repeat(10_000)}`, null],
  ])('%j', (field, address, port) => {
    expect(read({ 'x-forwarded-for': field }).client).toEqual(client(address, port))
  })

  test('in several lines is one list', () => {
    const lines = ['6.6.6.6', '192.0.2.1', '10.0.0.1'].map(line => ['x-forwarded-for', line] as const)
    expect(read(lines).client).toEqual(client('192.0.2.1'))
  })

  test('is followed through 32 proxies at most', () => {
    const proxies = Array.from({ length: 100 }, (_, index) => `10.0.0.${100 - index}`)
    expect(read({ 'x-forwarded-for': ['192.0.2.1', ...proxies].join() }).client).toEqual(client('10.0.0.32'))
  })
})

describe('X-Forwarded-Proto', () => {
  test.each<[proto: string, chain: string, scheme: string | null]>([
    ['https', '192.0.2.1', 'https'],
    ['HTTP', '192.0.2.1', 'http'],
    ['wss', '192.0.2.1', 'https'],
    ['ws', '192.0.2.1', 'http'],
    ['ftp', '192.0.2.1', null],
    ['https:', '192.0.2.1', null],
    // The client wrote the first one.
    ['https, http', '192.0.2.1', 'http'],
    // The outer proxy saw the client, the inner one saw the outer one.
    ['https, http', '192.0.2.1, 10.0.0.1', 'https'],
    ['http, https, http', '192.0.2.1, 10.0.0.1', 'https'],
    // One that keeps but one value.
    ['https', '192.0.2.1, 10.0.0.1', 'https'],
    // Nobody knows who sent the request, but the proxy knows by what scheme.
    ['https', '', 'https'],
    ['http, https', 'unknown', 'https'],
  ])('%j for %j', (proto, chain, scheme) => {
    expect(read({ 'x-forwarded-proto': proto, 'x-forwarded-for': chain }).scheme).toBe(scheme)
  })
})

describe('X-Forwarded-Host', () => {
  test.each<[host: string, port: string | undefined, proto: string, expected: string | null]>([
    ['example.com', undefined, 'https', 'example.com'],
    ['Example.com:8443', undefined, 'https', 'Example.com:8443'],
    ['evil.example, example.com', undefined, 'https', 'example.com'],
    ['[2001:db8::1]:80', undefined, 'https', '[2001:db8::1]:80'],
    // The same rules as for Host: what is none is ignored.
    ['exa mple.com', undefined, 'https', null],
    ['example.com/path', undefined, 'https', null],
    ['user@example.com', undefined, 'https', null],
    ['example.com:99999', undefined, 'https', null],
    ['example.com#', undefined, 'https', null],
    ['ex\xe4mple.com', undefined, 'https', null],
    ['"example.com"', undefined, 'https', null],
    // The port of a host without one.
    ['example.com', '8443', 'https', 'example.com:8443'],
    ['[2001:db8::1]', '8443', 'https', '[2001:db8::1]:8443'],
    ['example.com', '443', 'https', 'example.com'],
    ['example.com', '443', 'http', 'example.com:443'],
    ['example.com', '80', 'http', 'example.com'],
    ['example.com:1', '8443', 'https', 'example.com:1'],
    ['example.com', '99999', 'https', 'example.com'],
    ['example.com', '8443@evil', 'https', 'example.com'],
    ['example.com', '0x50', 'https', 'example.com'],
  ])('%j with port %j by %s', (host, port, proto, expected) => {
    const lines = { 'x-forwarded-host': host, 'x-forwarded-proto': proto }
    const withPort = port === undefined ? lines : { ...lines, 'x-forwarded-port': port }
    expect(read(withPort).host).toBe(expected)
  })

  test('is what the outermost trusted proxy names', () => {
    const lines = {
      'x-forwarded-for': '6.6.6.6, 192.0.2.1, 10.0.0.1',
      'x-forwarded-host': 'evil.example, outer.example, inner.example',
    }
    expect(read(lines).host).toBe('outer.example')
  })

  test('alone has no port of its own, without it the port means nothing', () => {
    expect(read({ 'x-forwarded-port': '8443' })).toEqual({ client: null, scheme: null, host: null })
  })
})

describe('Forwarded', () => {
  test.each<[field: string, address: string | null, scheme?: string | null, host?: string | null]>([
    ['for=192.0.2.1', '192.0.2.1'],
    ['For=192.0.2.1;Proto=https;HOST=example.com;by=203.0.113.43', '192.0.2.1', 'https', 'example.com'],
    ['for=192.0.2.1; proto=https ; by=_x', '192.0.2.1', 'https'],
    ['for="192.0.2.1"', '192.0.2.1'],
    ['for="[2001:db8::1]"', '2001:db8::1'],
    ['for="\\192\\.0.2.1"', '192.0.2.1'],
    ['for=192.0.2.1;host="example.com:8443"', '192.0.2.1', null, 'example.com:8443'],
    ['for=192.0.2.1;secret="a, b; c=\\"d\\""', '192.0.2.1'],
    ['for=192.0.2.1;x="a, b\\"c"', '192.0.2.1'],
    ['for=192.0.2.1;;', '192.0.2.1'],
    // From the right, as far as they are trusted.
    ['for=6.6.6.6, for=192.0.2.1;proto=https, for=10.0.0.1;proto=http', '192.0.2.1', 'https'],
    ['for=192.0.2.1;host=outer.example, for=10.0.0.1;host=inner.example', '192.0.2.1', null, 'outer.example'],
    ['for=192.0.2.1, for=10.0.0.1;proto=https', '192.0.2.1', 'https'],
    ['for=192.0.2.1, for=10.0.0.1;host=inner.example', '192.0.2.1', null, 'inner.example'],
    ['for=10.0.0.3,for=10.0.0.2', '10.0.0.3'],
    // Nobody can be told by these: the last one that is known is the client.
    ['for=192.0.2.1, for=unknown;proto=https', null, 'https'],
    ['for=192.0.2.1, for=_hidden, for=10.0.0.1', '10.0.0.1'],
    ['for=192.0.2.1, proto=https', null, 'https'],
    // No form of RFC 7239.
    ['for=192.0.2.1, for=[2001:db8::1]', null],
    ['for=192.0.2.1, for="2001:db8::1"', null],
    ['for=192.0.2.1, for="[192.0.2.2]"', null],
    ['for=192.0.2.1, for=192.0.2.2:80', null],
    ['for=192.0.2.1, for =192.0.2.2', null],
    ['for=192.0.2.1, 192.0.2.2', null],
    ['for=192.0.2.1, for=192.0.2.2;proto', null],
    ['for=192.0.2.1, for=192.0.2.2;for=192.0.2.3', null],
    ['for=192.0.2.1;proto=gopher', '192.0.2.1'],
    ['for=192.0.2.1;host="a b"', '192.0.2.1'],
    ['for=192.0.2.1;host="a\\"b"', '192.0.2.1'],
    // A quote that the client left open swallows nothing of what the proxy has added.
    ['for="6.6.6.6, for=192.0.2.1', '192.0.2.1'],
    ['for="\\, for="192.0.2.1"', '192.0.2.1'],
    ['x="a\\\\\\", for=192.0.2.1;x="b"', '192.0.2.1'],
    ['"', null],
    ['', null],
  ])('%j', (field, address, scheme = null, host = null) => {
    expect(read({ forwarded: field })).toEqual({ client: client(address), scheme, host })
  })

  test.each<[node: string, port: number | null]>([
    ['192.0.2.1:4711', 4711],
    ['192.0.2.1:_port', 0],
    ['192.0.2.1:65536', null],
    ['192.0.2.1:', null],
    ['[2001:db8::1]:4711', 4711],
  ])('of the node %j the port is %j', (node, port) => {
    expect(read({ forwarded: `for="${node}"` }).client?.port ?? null).toBe(port)
  })

  test('takes linear time over quotes and backslashes', () => {
    for (const part of ['\\', '"', '\\"', '",', 'a=";', ';'])
      expect(read({ forwarded: `for=192.0.2.1, x="${part.repeat(200_000)}` }).scheme).toBe(null)
  })
})

describe('which of both kinds counts', () => {
  const both = {
    forwarded: 'for=192.0.2.1;proto=https;host=a.example',
    'x-forwarded-for': '192.0.2.2',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'b.example',
  }
  const forwarded = { client: client('192.0.2.1'), scheme: 'https', host: 'a.example' }

  test('is X-Forwarded-For when both came: most proxies let a Forwarded of the client pass', () => {
    const older = { client: client('192.0.2.2'), scheme: 'http', host: 'b.example' }
    expect(read(both)).toEqual(older)
    expect(read({ ...both, 'x-forwarded-for': '' }).client).toBeNull()
  })

  test('is Forwarded alone when no X-Forwarded-For came: they are never mixed', () => {
    const { 'x-forwarded-for': _none, ...others } = both
    expect(read(others)).toEqual(forwarded)
    expect(read({ ...others, forwarded: 'for=192.0.2.1' })).toEqual({
      client: client('192.0.2.1'),
      scheme: null,
      host: null,
    })
  })

  test('is what the config names, and no other field is believed', () => {
    expect(read(both, ['forwarded'])).toEqual(forwarded)
    expect(read(both, ['x-forwarded-for', 'x-forwarded-proto'])).toEqual({
      client: client('192.0.2.2'),
      scheme: 'http',
      host: null,
    })
    const { 'x-forwarded-for': _none, ...others } = both
    expect(read(others, ['x-forwarded-for'])).toEqual({ client: null, scheme: null, host: null })
  })
})
