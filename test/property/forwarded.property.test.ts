import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readForwarded } from '../../core/forwarded.ts'
import { HttpHeaders } from '../../core/headers.ts'
import { TrustedProxies } from '../../core/trusted-proxies.ts'

const proxies = new TrustedProxies(['10.0.0.0/8', 'fd00::/8'])
const read = (...fields: string[]) => readForwarded(new HttpHeaders(fields), proxies)

const byte = fc.integer({ min: 0, max: 255 })
const stranger = fc.tuple(byte, byte).map(([a, b]) => `192.0.${a}.${b}`)
const proxy = fc.oneof(
  fc.tuple(byte, byte, byte).map(parts => `10.${parts.join('.')}`),
  fc.integer({ min: 1, max: 0xffff }).map(last => `fd00::${last.toString(16)}`),
)
/** What a client writes that wants to be misread, and any field value. */
const junk = fc.oneof(
  fc
    .array(fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'for', '=', '10.0.0.1', '[', ']', ':', '_', 'a'), {
      maxLength: 30,
    })
    .map(parts => parts.join('')),
  fc
    .array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 60 })
    .map(codes => String.fromCharCode(...codes.filter(code => code !== 0x7f))),
)

test('whatever a client writes, with X-Forwarded-For it stays who it is', () => {
  fc.assert(
    fc.property(junk, stranger, fc.array(proxy, { maxLength: 5 }), (written, address, chain) => {
      const field = [written, address, ...chain].join(', ')
      expect(read('x-forwarded-for', field).client).toEqual({ address, port: 0 })
    }),
    { numRuns: 3_000 },
  )
})

test('whatever a client writes, with Forwarded it stays who it is', () => {
  const node = (address: string) => (address.includes(':') ? `"[${address}]"` : address)
  const element = (address: string, extra: string) => `for=${node(address)}${extra}`
  const extra = fc.constantFrom('', ';proto=http', ';by=_me', ';host="a.example:80"', ';x="a,\\" b;c\\\\"')
  fc.assert(
    fc.property(
      junk,
      stranger,
      fc.array(fc.tuple(proxy, extra), { maxLength: 5 }),
      extra,
      (written, address, chain, first) => {
        const added = [element(address, first), ...chain.map(([each, more]) => element(each, more))]
        expect(read('forwarded', [written, ...added].join(', ')).client).toEqual({ address, port: 0 })
      },
    ),
    { numRuns: 3_000 },
  )
})

test('no field value makes reading throw, or gives a host or scheme that none could have', () => {
  const name = fc.constantFrom(
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-forwarded-port',
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, junk), { maxLength: 6 }), lines => {
      const { client, scheme, host } = read(...lines.flat())
      expect([null, 'http', 'https']).toContain(scheme)
      expect(host ?? 'a').toMatch(/^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+;=-]+)(?::\d*)?$/i)
      expect(client?.address ?? '::').toMatch(/^[\da-f:.]+$/)
    }),
    { numRuns: 3_000 },
  )
})
