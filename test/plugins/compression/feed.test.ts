import { expect, onTestFinished, test } from 'vitest'
import { codecs } from '../../../plugins/compression/codecs.ts'
import { Feed } from '../../../plugins/compression/feed.ts'

function feed(isLive: boolean): Feed {
  const engine = codecs.zstd.stream(3, isLive)
  onTestFinished(() => engine.close())
  return new Feed(engine, isLive)
}

async function size(made: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const piece of made) bytes += piece.length
  return bytes
}

const small = Buffer.from('a small piece')

test('a live piece leaves at once, so nothing has to wait for a flush', async () => {
  const live = feed(true)
  expect(await size(live.add(small))).toBeGreaterThan(small.length)
  expect(live.patience).toBeNull()
})

test('a small piece waits for others, with a patience that runs out', async () => {
  const held = feed(false)
  expect(held.patience).toBeNull()
  expect(await size(held.add(small))).toBe(0)
  expect(held.patience).toBeLessThanOrEqual(10)
  expect(await size(held.flush())).toBeGreaterThan(small.length)
  expect(held.patience).toBeNull()
})

test('an empty piece is nothing to wait for', async () => {
  const held = feed(false)
  expect(await size(held.add(Buffer.alloc(0)))).toBe(0)
  expect(held.patience).toBeNull()
})
