import cluster from 'node:cluster'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type WorkerLimits, WorkerProcess } from '../../../../core/cli/workers/worker-process.ts'
import { whenOver } from '../../../support/when-over.ts'
import { workspace } from '../../config/workspace.ts'

const limits: WorkerLimits = {
  ...{ start: 20_000, answer: 20_000, behindDeadline: 20_000 },
  ...{ usual: 20_000, replaced: 20_000, forced: 20_000 },
}
const services = {
  place: () => ({ port: 0, reusePort: false }),
  leaving: () => null,
  propose: () => ({ number: 1, value: new Uint8Array() }),
  peers: () => [],
}

/** Serves, and answers all that it is asked: to a stop, how long that takes. */
const serving = (deadline: number | null = null) => `
process.send({ rawhttp: 'ask', id: 1, kind: 'ready', body: { addresses: [], fingerprint: '' } })
process.on('message', ({ rawhttp, id, body }) => {
  const answer = body === 'forced' ? null : ${deadline}
  if (rawhttp === 'ask') process.send({ rawhttp: 'answer', id, body: answer })
})`

/** A worker that runs a script, with the limits of a test, or those that the command line has. */
function workerOf(
  script: string,
  shorter: Partial<WorkerLimits> | 'real' = {},
  env: Readonly<Record<string, string>> = {},
): WorkerProcess {
  const exec = join(workspace({ 'worker.mjs': script }), 'worker.mjs')
  cluster.setupPrimary({ exec, execArgv: [], serialization: 'advanced', silent: true })
  const worker = new WorkerProcess(
    3,
    env,
    services,
    shorter === 'real' ? undefined : { ...limits, ...shorter },
  )
  whenOver(() => worker.kill())
  return worker
}

/** What is said on stderr from now on. */
function written(): string[] {
  const said: string[] = []
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(text => said.push(String(text)) > 0)
  onTestFinished(() => write.mockRestore())
  return said
}

describe('a worker', () => {
  it('that does not begin to serve in time is ended', async () => {
    const worker = workerOf("process.on('SIGTERM', () => undefined)\nsetInterval(() => undefined, 1_000)", {
      start: 20,
    })
    await expect(worker.ready).rejects.toThrow(
      /^rawhttp: worker 3 \(\d+\) did not begin to serve within 0\.02 s\n$/,
    )
    expect(await worker.ended).toBe('was ended by SIGKILL')
  })

  it('that the system cannot start has ended, and takes nobody along', async () => {
    const { execPath } = process
    onTestFinished(() => void Object.assign(process, { execPath }))
    process.execPath = '/nonexistent/node'
    const worker = workerOf('')
    await expect(worker.ready).rejects.toThrow(
      /^rawhttp: worker 3 could not be started: spawn \/nonexistent\/node ENOENT\n$/,
    )
    expect(await worker.ended).toBe('could not be started: spawn /nonexistent/node ENOENT')
  })

  it('that the system has no room for is none, and says why', () => {
    const tooMuch = { TOO_MUCH: 'x'.repeat(4_000_000) }
    const why = /^rawhttp: worker 3 could not be started: spawn E2BIG\n$/
    expect(() => workerOf('', {}, tooMuch)).toThrow(expect.objectContaining({ name: 'ExplainedError' }))
    expect(() => workerOf('', {}, tooMuch)).toThrow(why)
  })

  it('is as old as the time that it has served: one that never came to serve was not well', async () => {
    const late = workerOf('setInterval(() => undefined, 1_000)', { start: 20 })
    await late.ended
    expect(late.age).toBe(0)
    const worker = workerOf(serving(), { forced: 20 })
    await worker.ready
    worker.stop('forced')
    await worker.ended
    expect(worker.age).toBeGreaterThan(0)
  })

  it.each(['usual', 'replaced', 'forced'] as const)(
    'that hears of a %s stop, but does not end, is killed, and that is said',
    async how => {
      const said = written()
      const worker = workerOf(serving(), { [how]: 20 })
      await worker.ready
      worker.stop(how)
      expect(await worker.ended).toBe('was ended by SIGKILL')
      expect(said).toEqual([
        `rawhttp: warning: ${worker.name} has not ended in time and is killed, with all that it was at\n`,
      ])
    },
  )

  it.each(['usual', 'replaced'] as const)(
    'that says how long a %s stop takes has that time, and a moment',
    async how => {
      const worker = workerOf(serving(20), { behindDeadline: 20 })
      await worker.ready
      worker.stop(how)
      expect(await worker.ended).toBe('was ended by SIGKILL')
    },
  )

  it('that is forced ends, whatever it has said before', async () => {
    const worker = workerOf(serving(1e9), { forced: 20 })
    await worker.ready
    worker.stop('usual')
    // Its answer comes behind that of the stop.
    await worker.abandon()
    worker.stop('forced')
    expect(await worker.ended).toBe('was ended by SIGKILL')
  })

  it('that has said how long it takes may take it', async () => {
    const script = `${serving(1e9)}
process.on('message', ({ kind }) => kind === 'abandon' && process.exit(0))`
    const worker = workerOf(script)
    await worker.ready
    worker.stop('replaced')
    await worker.abandon()
    expect(await worker.ended).toBe('ended with code 0')
  })

  it('whose requests may take a minute is not killed before, and some seconds behind that', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const worker = workerOf(serving(60_000), 'real')
    await worker.ready
    let isOver = false
    void worker.ended.then(() => {
      isOver = true
    })
    worker.stop('usual')
    // Its answer comes behind that of the stop, and behind that it lives on.
    await worker.abandon()
    vi.advanceTimersByTime(66_999)
    await worker.abandon()
    expect(isOver).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await worker.ended).toBe('was ended by SIGKILL')
  })

  it('that leaves is given no more time because it is replaced', async () => {
    const worker = workerOf(serving(), { usual: 200, replaced: 1e9 })
    await worker.ready
    worker.stop('usual')
    worker.stop('replaced')
    expect(await worker.ended).toBe('was ended by SIGKILL')
  })

  it('that does not prepare in time is told that nobody waits for it any more', async () => {
    const worker = workerOf(
      `
process.send({ rawhttp: 'ask', id: 1, kind: 'ready', body: { addresses: [], fingerprint: '' } })
process.on('message', ({ kind }) => kind === 'abandon' && process.exit(0))`,
      { answer: 20 },
    )
    await worker.ready
    expect(await worker.prepare()).toEqual({
      code: 1,
      text: expect.stringMatching(/^rawhttp: worker 3 \(\d+\): no answer within 0\.02 s\n$/),
    })
    expect(await worker.ended).toBe('ended with code 0')
  })

  it('has the config that it came with until it has gone over to another one', async () => {
    const worker = workerOf(`
process.send({ rawhttp: 'ask', id: 1, kind: 'ready', body: { addresses: [], fingerprint: 'a' } })
let count = 0
process.on('message', ({ rawhttp, id, kind }) => {
  if (rawhttp !== 'ask') return
  const body = kind === 'prepare' ? { fingerprint: 'b' } : { code: count++ === 0 ? 1 : 0, text: '' }
  process.send({ rawhttp: 'answer', id, body })
})`)
    const seen = [worker.fingerprint]
    await worker.ready
    seen.push(worker.fingerprint)
    await worker.prepare()
    for (let i = 0; i < 2; i++) {
      await worker.commit()
      seen.push(worker.fingerprint)
    }
    expect(seen).toEqual(['', 'a', 'a', 'b'])
  })

  it('that serves not yet is ended by any stop', async () => {
    const worker = workerOf('setInterval(() => undefined, 1_000)')
    worker.stop('usual')
    expect(await worker.ended).toBe('was ended by SIGKILL')
    await expect(worker.ready).rejects.toThrow('was ended by SIGKILL before it served')
  })
})
