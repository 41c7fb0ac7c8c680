import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { AddressList, type ConnectionInfo, type PluginServer } from 'rawhttp'
import { expect, test } from 'vitest'
import { readHeader } from '../../../plugins/proxy-protocol/header.ts'
import { Reader } from '../../../plugins/proxy-protocol/reader.ts'
import { Reports } from '../../../plugins/proxy-protocol/reports.ts'
import { type End, type Told, textOf, version1, version2 } from './encode.ts'

const port = fc.integer({ min: 0, max: 65_535 })
const end = (size: number): fc.Arbitrary<End> =>
  fc.record({
    bytes: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: size, maxLength: size }),
    port,
  })
const pair = fc.oneof(fc.record({ from: end(4), to: end(4) }), fc.record({ from: end(16), to: end(16) }))
/** A header, and whose it says the connection is: null for the proxy's own. */
const header = fc.oneof(
  pair.map(told => ({ bytes: version1(told.from, told.to), told })),
  fc
    .record({ told: pair, more: fc.uint8Array({ maxLength: 300 }) })
    .map(({ told, more }) => ({ bytes: version2(told, { more }), told })),
  fc.constantFrom<Told>('unix', 'unspec').map(told => ({ bytes: version2(told), told: null })),
  pair.map(told => ({ bytes: version2(told, { command: 'LOCAL' }), told: null })),
)
const cuts = fc.array(fc.nat(), { maxLength: 8 })

const proxy = { address: '10.0.0.1', port: 1 }

/** What comes of bytes that reach a reader in pieces. */
async function pass(pieces: readonly Buffer[]) {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _coding, done) => done() })
  const { promise, resolve } = Promise.withResolvers<{ info: ConnectionInfo | null; rest: string }>()
  const reset = () => resolve({ info: null, rest: '' })
  const serve = (_stream: Duplex, info: ConnectionInfo) =>
    void (async () => {
      let rest = ''
      for await (const piece of stream) rest += (piece as Buffer).toString('latin1')
      resolve({ info, rest })
    })()
  const info = { id: 1, client: proxy, local: proxy, listener: 'a', wantsTls: false, via: [], reset }
  const host = {
    server: { serve } as unknown as PluginServer,
    isRequired: true,
    reports: new Reports(() => undefined),
  }
  new Reader(stream, info, host)
  for (const piece of pieces) stream.push(piece)
  stream.push(null)
  return await promise
}

function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at
    .slice(1)
    .map((to, index) => bytes.subarray(at[index], to))
    .filter(({ length }) => length > 0)
}

const networks = new Map<string, AddressList>()
/** Whether two texts mean the same address, as Node compares them. */
const isSame = (a: string, b: string) => {
  const list = networks.get(b) ?? new AddressList([b])
  return list.has(a)
}

test('what another implementation wrote is read as it was meant, however it is split, and the rest is kept', async () => {
  await fc.assert(
    fc.asyncProperty(header, fc.string({ maxLength: 50 }), cuts, async ({ bytes, told }, text, places) => {
      const all = Buffer.concat([bytes, Buffer.from(text, 'latin1')])
      const { info, rest } = await pass(split(all, places))
      expect(rest).toBe(Buffer.from(text, 'latin1').toString('latin1'))
      expect(info!.via).toEqual(['proxy-protocol'])
      const { client, local } = info!
      expect(isSame(client.address, told === null ? proxy.address : textOf(told.from.bytes))).toBe(true)
      expect(isSame(local.address, told === null ? proxy.address : textOf(told.to.bytes))).toBe(true)
      expect([client.port, local.port]).toEqual(told === null ? [1, 1] : [told.from.port, told.to.port])
    }),
    { numRuns: 500 },
  )
})

test('byte by byte it is the same', async () => {
  const from = { bytes: [192, 0, 2, 1], port: 4711 }
  for (const bytes of [version1(from, from), version2({ from, to: from }, { more: new Uint8Array(100) })]) {
    const { info, rest } = await pass([...bytes, ...Buffer.from('GET')].map(byte => Buffer.from([byte])))
    expect([info?.client, rest]).toEqual([{ address: '192.0.2.1', port: 4711 }, 'GET'])
  }
})

test('no bytes make it throw or ask for more than a header has', () => {
  const mark = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n\0\r\nQUIT\n!')
  fc.assert(
    fc.property(mark, fc.uint8Array({ maxLength: 200 }), (start, tail) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), tail])
      const reading = readHeader(bytes)
      if (reading.kind === 'unfinished') {
        expect(reading.needed).toBeGreaterThan(bytes.length)
        expect(reading.needed).toBeLessThanOrEqual(16_400)
      }
      if (reading.kind === 'header') expect(reading.length).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 5_000 },
  )
})

test('any bytes in any pieces come to an end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), cuts, async (bytes, places) => {
      await pass(split(Buffer.from(bytes), places))
    }),
    { numRuns: 300 },
  )
})
