import { expect, test } from 'vitest'
import { reloadUnderLoad } from './reload/load.ts'

// FULL_RELOAD=true asks for everything.
const { FULL_RELOAD } = process.env
const isFull = FULL_RELOAD === 'true'
const load = isFull
  ? { reloads: 50, seconds: 30, connections: 200, downloads: 50, streams: 20 }
  : { reloads: 12, seconds: 6, connections: 40, downloads: 8, streams: 5 }

test('reloads under load cost no client an answer, and the server nothing but the modules', {
  timeout: 180_000,
}, async () => {
  const { tally, before, after, growth, growthByImports, milliseconds } = await reloadUnderLoad(load)
  const ratio = growth / growthByImports
  const median = milliseconds.toSorted((a, b) => a - b)[milliseconds.length >> 1]!
  if (isFull)
    process.stderr.write(
      `${tally.answers} answers on ${tally.connections} connections by ${tally.numbers.size} loads, ` +
        `${tally.failures.length} failures; reload ${median.toFixed(0)} ms; ` +
        `heap +${growth} bytes, imports alone +${growthByImports}: ${ratio.toFixed(2)}\n` +
        `${JSON.stringify({ before, after })}\n`,
    )
  expect(tally.failures).toEqual([])
  expect(tally.connections).toBe(load.connections + load.downloads + load.streams)
  expect(tally.numbers.size).toBeGreaterThan(load.reloads / 2)
  expect(after).toMatchObject({ number: load.reloads, started: load.reloads + 1, stopped: load.reloads })
  expect(after).toMatchObject({ made: 1, disposed: 0, generations: 1 })
  expect([after.handles, after.timers]).toEqual([before.handles, before.timers])
  expect(ratio).toBeLessThanOrEqual(1.2)
})
