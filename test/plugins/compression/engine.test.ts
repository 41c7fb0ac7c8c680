import { randomBytes } from 'node:crypto'
import { constants, createZstdCompress } from 'node:zlib'
import { expect, test } from 'vitest'
import { codecs, codings } from '../../../plugins/compression/codecs.ts'
import { Engine } from '../../../plugins/compression/engine.ts'
import { decoded } from './decode.ts'

const hello = Buffer.from('hello '.repeat(100))

test.each(codings)('%s: what comes of all steps together is the whole', async coding => {
  const engine = codecs[coding].stream(5, false)
  const made = [...(await engine.write(hello)), ...(await engine.flush()), ...(await engine.write(hello))]
  made.push(...(await engine.end()))
  engine.close()
  expect(decoded(coding, Buffer.concat(made)).equals(Buffer.concat([hello, hello]))).toBe(true)
})

test.each(codings)('%s: what was written waits inside, and a flush brings it out', async coding => {
  const engine = codecs[coding].stream(5, false)
  const written = Buffer.concat(await engine.write(hello))
  const flushed = Buffer.concat(await engine.flush())
  // The head of the form may come before.
  expect(written.length).toBeLessThanOrEqual(10)
  expect(flushed.length).toBeGreaterThan(5)
  engine.close()
})

test.each(codings)('%s: a live one holds nothing back', async coding => {
  const engine = codecs[coding].stream(5, true)
  expect(Buffer.concat(await engine.write(hello)).length).toBeGreaterThan(5)
  expect(Buffer.concat(await engine.flush()).length).toBeLessThanOrEqual(1)
  engine.close()
})

test('a live one of zstd makes do with a window of 32 kB, another one with 256 kB', async () => {
  // RFC 8878 section 3.1.1.1.2: the upper five bits of the byte behind magic number and descriptor.
  const window = async (isLive: boolean) => {
    const engine = codecs.zstd.stream(3, isLive)
    const made = Buffer.concat([...(await engine.write(hello)), ...(await engine.flush())])
    engine.close()
    return 2 ** (10 + (made[5]! >> 3))
  }
  expect(await window(true)).toBe(32_768)
  expect(await window(false)).toBe(262_144)
})

test.each(codings)('%s: the window of a whole body holds what comes again far behind', async coding => {
  const far = randomBytes(20_000)
  const made = await codecs[coding].whole(Buffer.concat([far, far]), 6)
  expect(made.length).toBeLessThan(21_000)
})

test('a failure of the compressor fails the step', async () => {
  const short = createZstdCompress({ pledgedSrcSize: 5 })
  const engine = new Engine(short, constants.ZSTD_e_flush)
  const steps = async () => {
    await engine.write(hello)
    await engine.flush()
    await engine.end()
  }
  await expect(steps()).rejects.toThrow('Src size is incorrect')
  engine.close()
})

test.each(['write', 'flush', 'end'] as const)(
  'closing fails a %s under way, and any step after it',
  async step => {
    const engine = codecs.gzip.stream(6, false)
    await engine.write(hello)
    const running = engine[step](hello)
    engine.close()
    await expect(running).rejects.toThrow('the compressor was closed')
    await expect(engine[step](hello)).rejects.toThrow('the compressor was closed')
  },
)
