import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { FileSlice, HttpResponse, type ResponseBody, Transform } from 'rawhttp'
import { compression } from 'rawhttp/plugins/compression'
import { expect, test } from 'vitest'
import { codings } from '../../../plugins/compression/codecs.ts'
import { onSite, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { text } from './answers.ts'
import { decoded } from './decode.ts'

const type = { 'content-type': 'text/plain' }

async function* pieces(all: readonly (string | Uint8Array)[]) {
  yield* all
}

/** A source that fills the same buffer again for each piece. */
async function* reusing(all: readonly Uint8Array[]) {
  const buffer = Buffer.alloc(all.reduce((most, { length }) => Math.max(most, length), 0))
  for (const piece of all) {
    buffer.set(piece)
    yield buffer.subarray(0, piece.length)
    buffer.fill(0)
  }
}

async function file(bytes: Uint8Array): Promise<FileSlice> {
  const path = await tempFile('body.txt', bytes)
  return new FileSlice(path, await stat(path))
}

const inOne = (all: readonly Uint8Array[]): Buffer => Buffer.concat(all)

/** A body of each kind. */
const kinds: Readonly<Record<string, (all: readonly Uint8Array[]) => ResponseBody | Promise<ResponseBody>>> =
  {
    text: all => inOne(all).toString('latin1'),
    bytes: all => new Uint8Array(inOne(all)),
    file: all => file(inOne(all)),
    'part of a file': async all => (await file(Buffer.concat([Buffer.from('ab'), inOne(all)]))).slice(2),
    readable: all => Readable.from(all),
    generator: all => pieces(all),
    'reused buffer': all => reusing(all),
    'stream of the web': all => ReadableStream.from(all) as AsyncIterable<Uint8Array>,
  }

/** Serves a body, if need be behind a plugin that makes another one of it when it is sent. */
async function roundTrip(body: ResponseBody, coding: string, isLazy = false): Promise<Buffer> {
  const lazy = onSite('lazy', site =>
    site.hooks.transform.tap({ name: 'lazy', stage: Transform.Shape }, response => {
      if (isLazy) response.encode('x-none', () => pieces([body as string])).delete('content-encoding')
    }),
  )
  const answer = () => new HttpResponse(200, body, type)
  const { ask, server } = await serve([answering(answer), lazy, compression({ minSize: 1 })])
  const response = await ask({ headers: { 'accept-encoding': coding } })
  await server.stop()
  expect(response.headers.get('content-encoding')).toBe(coding)
  return decoded(coding, response.body)
}

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 90_000 }))
    .map(([seed, length]) => {
      return Buffer.alloc(length, seed)
    }),
)

test.each(Object.keys(kinds))('a body of the kind %s is what it was, in every coding', async kind => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...codings),
      async (all, coding) => {
        fc.pre(inOne(all).length > 0)
        const body = await kinds[kind]!(all)
        const expected = kind === 'text' ? Buffer.from(body as string) : inOne(all)
        expect((await roundTrip(body, coding)).equals(expected)).toBe(true)
      },
    ),
    { numRuns: 15 },
  )
})

test.each(codings)('%s: large bodies of every kind come as they were', async coding => {
  const all = Array.from({ length: 40 }, (_, i) => Buffer.alloc(16_000 + i, `${i} of the pieces; `))
  for (const [kind, make] of Object.entries(kinds)) {
    const got = await roundTrip(await make(all), coding)
    expect(got.equals(inOne(all)), kind).toBe(true)
  }
})

test.each(codings)('%s: a body that another plugin makes when it is sent is encoded too', async coding => {
  expect((await roundTrip(text, coding, true)).toString()).toBe(text)
})

test('text in pieces that split no character stays text', async () => {
  const words = ['grüß ', '日本 ', '👩‍👩‍👧 '.repeat(9_000), '']
  expect((await roundTrip(pieces(words), 'br')).toString()).toBe(words.join(''))
})

test('a stream without a piece is an empty body', async () => {
  expect(await roundTrip(pieces([]), 'zstd')).toHaveLength(0)
})
