import { expect, test } from 'vitest'
import { cpuMicroseconds, pinned } from './measure.ts'

test.runIf(process.platform === 'linux')('CPU time is what this process has taken, in steps of 10 ms', () => {
  const { user, system } = process.cpuUsage()
  const measured = cpuMicroseconds(process.pid)
  expect(measured % 10_000).toBe(0)
  expect(measured).toBeGreaterThanOrEqual((user + system) * 0.9 - 20_000)
})

test('a pinned command is the command itself, behind taskset', () => {
  expect(pinned(1, ['node', 'a.ts'])).toEqual(['taskset', ['--cpu-list', '1', 'node', 'a.ts']])
})
