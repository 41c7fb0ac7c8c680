import { describe, expect, it, onTestFinished } from 'vitest'
import { untilStopped } from '../../../core/cli/signals.ts'

/** A server that drains until it is told to end, or forced. */
function drainingServer() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const deadlines: (number | undefined)[] = []
  const stop = async (options?: { readonly deadline?: number }) => {
    deadlines.push(options?.deadline)
    if (options?.deadline === 0) resolve()
    await promise
  }
  return { stop, deadlines, drained: resolve }
}

/** Waits for signals as `start` does; the listeners go with the test. */
function wait(server: Parameters<typeof untilStopped>[0]): Promise<number> {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const before = signals.map(signal => process.listeners(signal))
  const code = untilStopped(server)
  onTestFinished(() => {
    for (const [index, signal] of signals.entries()) {
      const added = process.listeners(signal).filter(listener => !before[index]!.includes(listener))
      for (const listener of added) process.off(signal, listener)
    }
  })
  return code
}

describe('a signal', () => {
  it('drains with the deadline of the server, and the exit code is 0', async () => {
    const server = drainingServer()
    const code = wait(server)
    process.emit('SIGTERM', 'SIGTERM')
    server.drained()
    expect([await code, server.deadlines]).toEqual([0, [undefined]])
  })

  it('that is the second forces, and the exit code is 128 + n, though the first stop ends with it', async () => {
    const server = drainingServer()
    const code = wait(server)
    process.emit('SIGTERM', 'SIGTERM')
    process.emit('SIGINT', 'SIGINT')
    expect([await code, server.deadlines]).toEqual([130, [undefined, 0]])
  })

  it('that the server fails at is a failure', async () => {
    const code = wait({ stop: () => Promise.reject(new Error('cannot stop')) })
    process.emit('SIGINT', 'SIGINT')
    await expect(code).rejects.toThrow('cannot stop')
  })

  it('that is the second ends the wait even when the forced stop hangs', async () => {
    const code = wait({ stop: () => new Promise<void>(() => {}) })
    process.emit('SIGINT', 'SIGINT')
    process.emit('SIGTERM', 'SIGTERM')
    expect(await code).toBe(143)
  })
})
