import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { childrenOf, cpuMicroseconds, cpuTimeOf, peakOf, pinned, residentOf } from './measure.ts'

const linux = test.runIf(process.platform === 'linux')

linux('CPU time is what this process has taken, in steps of 10 ms', () => {
  const { user, system } = process.cpuUsage()
  const measured = cpuMicroseconds(process.pid)
  expect(measured % 10_000).toBe(0)
  expect(measured).toBeGreaterThanOrEqual((user + system) * 0.9 - 20_000)
  const parts = cpuTimeOf(process.pid)
  expect(parts.user + parts.system).toBeGreaterThanOrEqual(measured)
})

/** Works for 150 ms of CPU time. */
const busy = 'while (process.cpuUsage().user < 150_000);'
/** Says so when a child of its own is done with `code`, and stays. */
const parentOf = (code: string): string =>
  `const { spawn } = require('node:child_process')
   const child = spawn(process.execPath, ['-e', ${JSON.stringify(code)}], { stdio: ['ignore', 'pipe', 'inherit'] })
   child.once('close', () => console.log('ended'))
   child.stdout.once('data', () => console.log('working'))
   setInterval(() => {}, 1_000)`

async function started(code: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child.pid!
}

linux('the time of a child counts for its parent, after it has ended too', async () => {
  const pid = await started(parentOf(busy))
  expect(childrenOf(pid)).toEqual([])
  expect(cpuTimeOf(pid).user).toBeGreaterThanOrEqual(130_000)
})

linux('the time of a child that runs counts, whichever thread has started it', async () => {
  const waiting = `${busy} console.log(); const end = setInterval(() => process.ppid === 1 && clearInterval(end), 100)`
  const pid = await started(
    `new (require('node:worker_threads').Worker)(${JSON.stringify(parentOf(waiting))}, { eval: true })`,
  )
  expect(childrenOf(pid)).toHaveLength(1)
  expect(cpuTimeOf(pid).user).toBeGreaterThanOrEqual(130_000)
  expect(residentOf(pid)).toBeGreaterThan(residentOf(childrenOf(pid)[0]!) * 1.5)
})

linux('the peak of memory stays when the memory is given back', () => {
  let large: Buffer | null = Buffer.alloc(100_000_000, 1)
  const with100 = residentOf(process.pid)
  large = null
  expect(large).toBeNull()
  expect(peakOf(process.pid)).toBeGreaterThanOrEqual(with100)
})

test('a pinned command is the command itself, behind taskset', () => {
  expect(pinned(1, ['node', 'a.ts'])).toEqual(['taskset', ['--cpu-list', '1', 'node', 'a.ts']])
})
