import { test } from 'vitest'
import { expectWell } from '../hostile/expect-well.ts'
import { soak } from './soak.ts'

test('half a minute of mixed load, reloads and killed workers loses nobody else, and costs no memory', {
  timeout: 300_000,
}, async () => {
  await expectWell(() => soak({ seconds: 25, warmUp: 5 }))
})
