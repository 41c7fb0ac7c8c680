import { expect, test } from 'vitest'
import { codecs, codings } from '../../../plugins/compression/codecs.ts'
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
