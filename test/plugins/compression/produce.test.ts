import { buffer } from 'node:stream/consumers'
import { HttpRequest } from 'rawhttp'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { codings } from '../../../plugins/compression/codecs.ts'
import { wholeBodies } from '../../../plugins/compression/load.ts'
import { isWhole, type Job, produce } from '../../../plugins/compression/produce.ts'
import { compressionOptions } from '../../../plugins/compression/schema.ts'
import { text } from './answers.ts'
import { decoded } from './decode.ts'

const settings = v.parse(compressionOptions, {})

function job(body: Job['body']): Job {
  return {
    body,
    coding: 'gzip',
    isLive: false,
    request: new HttpRequest({ method: 'GET', target: '/' }),
    settings,
  }
}

async function bytesOf(made: ReturnType<typeof produce>): Promise<Buffer> {
  if (made instanceof Promise) return Buffer.from(await made)
  return buffer(made as AsyncIterable<Uint8Array>)
}

test('a body up to 256 kB is made in one go, a larger one as a stream', () => {
  expect(isWhole('a'.repeat(262_144))).toBe(true)
  expect(isWhole('a'.repeat(262_145))).toBe(false)
  expect(isWhole('ä'.repeat(131_073))).toBe(false)
  expect(isWhole(new Uint8Array(262_145))).toBe(false)
  expect(isWhole((async function* () {})())).toBe(false)
})

test('a body that waits for its turn is not made for a client that has left, but for a cache it is', async () => {
  const gate = Promise.withResolvers<void>()
  const busy = [1, 2].flatMap(() =>
    [wholeBodies.send, wholeBodies.keep].map(each => each.take(() => gate.promise)),
  )
  const leaving = job(text)
  const sent = bytesOf(produce(leaving, 'send'))
  const kept = bytesOf(produce(leaving, 'keep'))
  leaving.request.abort(new Error('it left'))
  gate.resolve()
  await Promise.all(busy)
  await expect(sent).rejects.toThrow('it left')
  expect(decoded('gzip', await kept).toString()).toBe(text)
})

test.each([
  ['send', 'keep'],
  ['keep', 'send'],
] as const)('what is made to %s does not wait for what is made to %s', async (purpose, other) => {
  const gate = Promise.withResolvers<void>()
  const busy = [1, 2].map(() => wholeBodies[other].take(() => gate.promise))
  expect(decoded('gzip', await bytesOf(produce(job(text), purpose))).toString()).toBe(text)
  gate.resolve()
  await Promise.all(busy)
})

test.each([text, text.repeat(100)])(
  'the answer to a time-out, which aborted the request, is made',
  async body => {
    const late = job(body)
    late.request.abort(new Error('too late'))
    expect(decoded('gzip', await bytesOf(produce(late, 'send'))).toString()).toBe(body)
  },
)

test('a client that leaves within a step of the compressor ends the stream', async () => {
  const leaving = job(text.repeat(1_000))
  const made = produce(leaving, 'send') as AsyncGenerator<Uint8Array>
  const first = made.next()
  leaving.request.abort(new Error('it left'))
  await expect(first).rejects.toThrow('the compressor was closed')
})

test('a stream that is kept does not end with its client', async () => {
  const kept = job(text.repeat(1_000))
  const made = bytesOf(produce(kept, 'keep'))
  kept.request.abort(new Error('it left'))
  expect(decoded('gzip', await made).toString()).toBe(text.repeat(1_000))
})

test.each(codings)('%s: the window of a stream is one that every client has room for', async coding => {
  const made = await bytesOf(produce({ ...job(text.repeat(300)), coding }, 'send'))
  if (coding === 'zstd') {
    // RFC 8878 section 3.1.1.1: no single segment, and a window of 2 to the power of 10 + the upper five bits.
    expect(made[4]! & 0b0010_0000).toBe(0)
    expect(10 + (made[5]! >> 3)).toBe(18)
  }
  expect(decoded(coding, made).toString()).toBe(text.repeat(300))
})
