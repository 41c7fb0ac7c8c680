import { test } from 'vitest'
import { connectionLimits } from './connection-limits.ts'
import { expectWell } from './expect-well.ts'

test('of a crowd no more are let in than there may be, of all clients and of each', async () => {
  await expectWell(() => connectionLimits(400))
})
