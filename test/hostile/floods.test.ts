import { test } from 'vitest'
import { expectWell } from './expect-well.ts'
import { headerFlood, pipelineFlood } from './floods.ts'

const options = { timeout: 120_000 }

test('heads that never end are refused, and leave nothing in memory', options, async () => {
  await expectWell(() => headerFlood(100))
})

test('100,000 requests of a client that never reads are not answered into memory', options, async () => {
  await expectWell(() => pipelineFlood('/'))
})

test('with answers of 100 kB parsing stops inside the chunk', options, async () => {
  await expectWell(() => pipelineFlood('/fresh'))
})
