import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createServer, definePlugin, FileSlice, Handle, HttpResponse, type Server } from 'rawhttp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rangesIn } from '../../core/range.ts'
import { readParts } from '../support/multipart.ts'

const SIZES = [1, 2, 3, 10, 40]

/** A position that is near one of the ends, or far behind them. */
const position = fc.oneof(
  fc.nat({ max: 45 }),
  fc.constantFrom('00', '9007199254740993', '99999999999999999999', '1'.repeat(400)),
)
const spec = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(position, position).map(([a, b]) => `${a}-${b}`) },
  { weight: 3, arbitrary: position.map(a => `${a}-`) },
  { weight: 3, arbitrary: position.map(a => `-${a}`) },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', '\t', '-', '--', 'x', '1-2-3', '0 - 1', '1', '\xa0') },
)
const separator = fc.constantFrom(',', ', ', ' ,', '\t,\t', ',,')
const field = fc
  .tuple(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant('bytes=') },
      { weight: 1, arbitrary: fc.constantFrom('Bytes=', 'bytes =', 'items=', 'bytes', '') },
    ),
    fc.array(fc.tuple(spec, separator), { minLength: 1, maxLength: 6 }),
    spec,
  )
  .map(([unit, specs, last]) => unit + specs.map(([each, comma]) => each + comma).join('') + last)

/**
 * The bytes that a Range field asks for, by going through all bytes for each member: null when the field is to be
 * ignored. Written from RFC 9110 section 14.1, with big numbers and without any arithmetic on the ends.
 */
function model(text: string, size: number): Set<number> | null {
  const set = /^bytes=(.*)$/i.exec(text)?.[1]
  if (set === undefined) return null
  const members = set.split(',').map(member => member.replace(/^[ \t]+|[ \t]+$/g, ''))
  const named = members.filter(member => member !== '')
  if (named.length === 0) return null
  const asked = new Set<number>()
  for (const member of named) {
    const [whole, first, last, suffix] = /^(?:(\d+)-(\d*)|-(\d+))$/.exec(member) ?? []
    if (whole === undefined) return null
    if (first !== undefined && last !== '' && BigInt(last!) < BigInt(first)) return null
    for (let at = 0; at < size; at++) {
      const isWithin =
        suffix !== undefined
          ? BigInt(size - at) <= BigInt(suffix)
          : BigInt(at) >= BigInt(first!) && (last === '' || BigInt(at) <= BigInt(last!))
      if (isWithin) asked.add(at)
    }
  }
  return asked
}

test('the parts of a field are the bytes that it asks for, each once, with a gap between any two', () => {
  const check = (text: string, size: number) => {
    const expected = model(text, size)
    const ranges = rangesIn(text, size)
    if (expected === null || ranges === null) {
      expect(ranges, text).toBe(expected)
      return
    }
    const bytes = ranges.flatMap(({ start, end }) =>
      Array.from({ length: end - start + 1 }, (_, i) => start + i),
    )
    expect(new Set(bytes).size, text).toBe(bytes.length)
    expect(new Set(bytes), text).toEqual(expected)
    const ends = new Set(ranges.map(({ end }) => end))
    for (const { start } of ranges) expect(ends.has(start - 1), text).toBe(false)
  }
  fc.assert(fc.property(field, fc.constantFrom(...SIZES), check), { numRuns: 5_000 })
})

test('the order of the parts is that of the members which are not within others', () => {
  const starts = fc.uniqueArray(fc.nat({ max: 12 }), { minLength: 2, maxLength: 8 })
  fc.assert(
    fc.property(starts, list => {
      // Three apart, and two long: none touches another.
      const text = `bytes=${list.map(start => `${3 * start}-${3 * start + 1}`).join(',')}`
      expect(rangesIn(text, 40)!.map(({ start }) => start / 3)).toEqual(list)
    }),
    { numRuns: 500 },
  )
})

let server: Server
let dir: string
const content = Buffer.from(Array.from({ length: 40 }, (_, i) => (i * 37) % 256))
const text = 'aäöü€😀bcdefghijk'

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rawhttp-ranges-'))
  const path = join(dir, 'content')
  // The part that is served stands between other bytes.
  await writeFile(path, Buffer.concat([Buffer.from('before'), content, Buffer.from('after')]))
  const slice = new FileSlice(path, await stat(path), 6, 46)
  const bodies: Record<string, string | Uint8Array | FileSlice> = {
    '/bytes': content,
    '/text': text,
    '/ascii': content.toString('hex').slice(0, 40),
    '/file': slice,
  }
  const answers = definePlugin({
    name: 'answers',
    site: ({ hooks }) =>
      hooks.handle.tap(
        { name: 'a', stage: Handle.Route },
        ({ path }) => new HttpResponse(200, bodies[path]!, { 'content-type': 'a/b' }),
      ),
  })
  server = await createServer({ plugins: [answers()] })
})

afterAll(async () => {
  await server.stop({ deadline: 0 })
  await rm(dir, { recursive: true })
})

/** The whole of each body, by its path. */
const wholes: Readonly<Record<string, Buffer>> = {
  '/bytes': content,
  '/text': Buffer.from(text),
  '/ascii': Buffer.from(content.toString('hex').slice(0, 40)),
  '/file': content,
}

test.each(Object.keys(wholes))('an answer with %s has exactly what its head says', async url => {
  const whole = wholes[url]!
  const check = async (range: string) => {
    const { status, headers, body } = await server.inject({ url, headers: { range } })
    expect(headers.get('content-length'), range).toBe(String(body.length))
    const asked = model(range, whole.length)
    if (asked === null) {
      expect([status, body], range).toEqual([200, whole])
      return
    }
    if (asked.size === 0) {
      expect([status, headers.get('content-range')], range).toEqual([416, `bytes */${whole.length}`])
      return
    }
    expect(status, range).toBe(206)
    const type = headers.get('content-type')
    const own = headers.get('content-range')
    const parts = own === undefined ? readParts(type, body) : [single(own, body, type)]
    expect(parts.length > 1, range).toBe(own === undefined)
    for (const { start, end, size, bytes, type } of parts) {
      expect([size, type], range).toEqual([whole.length, 'a/b'])
      expect(bytes, range).toEqual(whole.subarray(start, end + 1))
    }
    const sum = parts.reduce((total, { bytes }) => total + bytes.length, 0)
    expect(sum, range).toBe(asked.size)
  }
  // A header field over a socket has no blanks around it.
  const trimmed = field.map(each => each.replace(/^[ \t]+|[ \t]+$/g, ''))
  await fc.assert(fc.asyncProperty(trimmed, check), { numRuns: 400 })
})

function single(range: string, bytes: Buffer, type: string | undefined) {
  const [start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range)!.slice(1).map(Number) as [
    number,
    number,
    number,
  ]
  return { start, end, size, bytes, type }
}
