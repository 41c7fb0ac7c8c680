import { expect, it } from 'vitest'
import { Restarts } from '../../../../core/cli/workers/restarts.ts'

it('a worker that ends again and again starts ever later, after ten seconds at the latest', () => {
  const restarts = new Restarts()
  const pauses = Array.from({ length: 10 }, () => restarts.ended(0))
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
})

it('a worker that has served a minute starts as if it were the first time', () => {
  const restarts = new Restarts()
  for (let i = 0; i < 5; i++) restarts.ended(59_999)
  expect([restarts.isHopeless, restarts.ended(59_999), restarts.isHopeless]).toEqual([false, 3_200, true])
  expect([restarts.ended(60_000), restarts.isHopeless]).toEqual([100, false])
})
