import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RawClient, type RawResponse } from '../../support/raw-client.ts'
import type { TestServer } from '../../support/server.ts'
import { type Source, serveSources, sources } from './sources.ts'

// Every kind of answer in every form that a request may ask for, over a socket: what HTTP promises of the framing and
// the fields of each holds for all of them.

interface Asked {
  readonly source: Source
  readonly method: 'GET' | 'HEAD'
  readonly accept: string | undefined
  readonly condition: 'none' | 'same tag' | 'other tag' | 'same date'
  readonly range: string | undefined
}

const decode: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}
const accepts = [undefined, 'gzip', 'br', 'zstd, gzip;q=0.5', 'gzip, identity;q=0']
const conditions = ['none', 'same tag', 'other tag', 'same date'] as const
const ranges = [undefined, 'bytes=0-9', 'bytes=-5', 'bytes=0-1,5-6', 'bytes=999999-']

let server: TestServer
/** The coding that each tag stood for, by path: no tag may stand for two. */
const tags = new Map<string, string>()

beforeAll(async () => {
  server = await serveSources()
})
afterAll(() => server[Symbol.asyncDispose]())

function* combinations(source: Source): Generator<Asked> {
  for (const method of ['GET', 'HEAD'] as const)
    for (const accept of accepts)
      for (const condition of conditions)
        for (const range of ranges) yield { source, method, accept, condition, range }
}

const total = sources.flatMap(source => [...combinations(source)]).length

test('the matrix has some hundreds of combinations', () => {
  expect(total).toBe(sources.length * 2 * 5 * 4 * 5)
})

// Twice: from the handler and, where it may be kept, from the cache.
describe.each(['first', 'second'])('asked for the %s time', () => {
  test.each(sources.map(source => [source.path, source] as const))('%s', async (_, source) => {
    await using client = await RawClient.connect(server.port)
    for (const asked of combinations(source)) {
      const whole = await ask(client, { ...asked, condition: 'none', range: undefined })
      const answer = await ask(client, asked, whole)
      try {
        checkAll(answer, asked, whole)
      } catch (error) {
        const { method, accept, condition, range } = asked
        const label = JSON.stringify({ path: source.path, method, accept, condition, range })
        ;(error as Error).message += `\n${label}\n${answer.statusLine}\n${JSON.stringify(answer.fields)}`
        throw error
      }
    }
  })
})

async function ask(client: RawClient, asked: Asked, whole?: RawResponse): Promise<RawResponse> {
  const { source, method, accept, condition, range } = asked
  const lines = [`${method} ${source.path} HTTP/1.1`, 'Host: a']
  if (accept !== undefined) lines.push(`Accept-Encoding: ${accept}`)
  if (condition === 'same tag') lines.push(`If-None-Match: ${whole?.field('etag') ?? '"none"'}`)
  if (condition === 'other tag') lines.push('If-None-Match: "other"')
  if (condition === 'same date') lines.push(`If-Modified-Since: ${whole?.field('last-modified') ?? 'never'}`)
  if (range !== undefined) lines.push(`Range: ${range}`)
  client.send(`${lines.join('\r\n')}\r\n\r\n`)
  return await client.response({ toHead: method === 'HEAD' })
}

function checkAll(answer: RawResponse, asked: Asked, whole: RawResponse): void {
  expect(expectedStatuses(asked, whole)).toContain(answer.status)
  checkFraming(answer, asked)
  checkSelection(answer)
  if (answer.status === 304) return checkNotModified(answer, whole)
  if (answer.status === 416) return expect(answer.field('content-range')).toMatch(/^bytes \*\/\d+$/) as never
  checkTag(answer, asked)
  if (asked.method === 'GET') checkBody(answer, asked)
  else checkHead(answer, asked, whole)
}

function expectedStatuses({ source, method, condition, range, accept }: Asked, whole: RawResponse): number[] {
  if (condition === 'same tag' && whole.field('etag') !== undefined) return [304]
  if (condition === 'same date' && whole.field('last-modified') !== undefined) return [304]
  if (range === undefined || method === 'HEAD') return [200]
  const ranged = range === 'bytes=999999-' ? 416 : 206
  // What is encoded on the fly has no parts, and what a cache keeps of it has.
  const mayBeMade = !source.isRanged || refusesIdentity(accept)
  return mayBeMade ? [200, ranged] : [ranged]
}

const refusesIdentity = (accept: string | undefined): boolean => accept?.includes('identity;q=0') ?? false

/** RFC 9112 section 6: one length, which is true; no bytes where there are none. */
function checkFraming(answer: RawResponse, { method, accept }: Asked): void {
  const lengths = answer.fields.filter(([name]) => name === 'content-length')
  const codings = answer.fields.filter(([name]) => name === 'transfer-encoding')
  expect(lengths.length + codings.length).toBeLessThanOrEqual(1)
  expect(answer.fields.filter(([name]) => name === 'date')).toHaveLength(1)
  if (answer.status === 304) return
  const encodings = answer.fields.filter(([name]) => name === 'content-encoding')
  expect(encodings.length).toBeLessThanOrEqual(1)
  if (encodings[0] !== undefined) expect(Object.keys(decode)).toContain(encodings[0][1])
  if (answer.status !== 416) expect(encodings.length > 0 || !refusesIdentity(accept)).toBe(true)
  if (method === 'GET') expect(lengths.length + codings.length).toBe(1)
  const [, length] = lengths[0] ?? []
  if (length !== undefined && method === 'GET') expect(answer.body.length).toBe(Number(length))
}

/** RFC 9110 section 12.5.5: another client could get each of them in another form. */
function checkSelection(answer: RawResponse): void {
  if (answer.status === 416) return
  expect(answer.field('vary')).toMatch(/\bAccept-Encoding\b/i)
}

/** RFC 9110 section 15.4.5: what a 200 would have said of the answer's validity, and nothing of the bytes. */
function checkNotModified(answer: RawResponse, whole: RawResponse): void {
  // What a cache has made better meanwhile has the same tag, as a weak one.
  const opaque = (of: RawResponse) => of.field('etag')?.replace(/^W\//, '')
  expect(opaque(answer)).toBe(opaque(whole))
  for (const field of ['vary', 'cache-control', 'content-location'])
    expect(answer.field(field), field).toBe(whole.field(field))
  for (const field of ['content-encoding', 'content-type', 'content-range', 'content-length'])
    expect(answer.field(field), field).toBeUndefined()
}

function checkTag(answer: RawResponse, { source }: Asked): void {
  const tag = answer.field('etag')
  expect(tag !== undefined).toBe(source.hasTag)
  if (tag === undefined) return
  const key = `${source.path} ${tag}`
  const coding = answer.field('content-encoding') ?? 'identity'
  expect(tags.get(key) ?? coding).toBe(coding)
  tags.set(key, coding)
}

function checkBody(answer: RawResponse, { source, range }: Asked): void {
  const coding = answer.field('content-encoding')
  if (answer.status === 200) {
    const bytes = coding === undefined ? answer.body : decode[coding]!(answer.body)
    expect(bytes.equals(source.bytes)).toBe(true)
    return expect(answer.field('content-type')).toBe(source.type) as never
  }
  // Of what a client could not put together, only the size can be seen here.
  if (coding !== undefined) return expect(answer.field('content-range') ?? 'multipart').toBeTruthy() as never
  expect(partsOf(answer)).toEqual(slices(source.bytes, range!))
}

function slices(bytes: Buffer, range: string): string[] {
  return range
    .slice('bytes='.length)
    .split(',')
    .map(spec => {
      const [first = '', last = ''] = spec.split('-')
      const part =
        first === '' ? bytes.subarray(-Number(last)) : bytes.subarray(Number(first), Number(last) + 1)
      return part.toString('latin1')
    })
}

function partsOf(answer: RawResponse): string[] {
  const boundary = /^multipart\/byteranges; boundary="?([^"]+)"?$/.exec(
    answer.field('content-type') ?? '',
  )?.[1]
  if (boundary === undefined) return [answer.body.toString('latin1')]
  const pieces = answer.body.toString('latin1').split(`\r\n--${boundary}`)
  expect(pieces.at(-1)).toBe('--\r\n')
  return pieces.slice(1, -1).map(piece => piece.slice(piece.indexOf('\r\n\r\n') + 4))
}

/** RFC 9110 section 9.3.2: what GET would have said, but for what only the bytes tell. */
function checkHead(answer: RawResponse, asked: Asked, whole: RawResponse): void {
  expect(answer.body.length).toBe(0)
  if (asked.range !== undefined) return
  const own = new Set(['date', 'content-length', 'transfer-encoding', 'cache-status', 'age', 'connection'])
  const plain = ([name, value]: readonly [string, string]) => `${name}: ${value.replace(/^W\//, '')}`
  const fields = (of: RawResponse) =>
    of.fields
      .filter(([name]) => !own.has(name))
      .map(plain)
      .sort()
  expect(fields(answer)).toEqual(fields(whole))
}
