import cluster from 'node:cluster'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type WorkerLimits, WorkerProcess } from '../../../../core/cli/workers/worker-process.ts'
import { whenOver } from '../../../support/when-over.ts'
import { workspace } from '../../config/workspace.ts'

const limits: WorkerLimits = { start: 20_000, answer: 20_000, usual: 20_000, forced: 20_000 }
const services = {
  place: () => ({ port: 0, reusePort: false }),
  propose: () => ({ number: 1, value: new Uint8Array() }),
  peers: () => [],
}

/** Serves, and answers all that it is asked. */
const serving = `
process.send({ rawhttp: 'ask', id: 1, kind: 'ready', body: { addresses: [], fingerprint: '' } })
process.on('message', ({ rawhttp, id }) => {
  if (rawhttp === 'ask') process.send({ rawhttp: 'answer', id, body: null })
})`

/** A worker that runs a script. */
function workerOf(script: string, shorter: Partial<WorkerLimits> = {}): WorkerProcess {
  const exec = join(workspace({ 'worker.mjs': script }), 'worker.mjs')
  cluster.setupPrimary({ exec, execArgv: [], serialization: 'advanced', silent: true })
  const worker = new WorkerProcess(3, {}, services, { ...limits, ...shorter })
  whenOver(() => worker.kill())
  return worker
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

  it.each(['usual', 'forced'] as const)('that hears of a %s stop, but does not end, is killed', async how => {
    const worker = workerOf(serving, { [how]: 20 })
    await worker.ready
    worker.stop(how)
    expect(await worker.ended).toBe('was ended by SIGKILL')
  })

  it('that does not hear that it is replaced is killed', async () => {
    const worker = workerOf(
      `${serving}\nprocess.on('message', ({ rawhttp }) => { while (rawhttp === 'answer'); })`,
      { answer: 20 },
    )
    await worker.ready
    worker.stop('replaced')
    expect(await worker.ended).toBe('was ended by SIGKILL')
  })

  it('that is replaced may take its time', async () => {
    const leaves = `${serving}\nprocess.on('message', ({ kind }) => kind === 'abandon' && process.exit(0))`
    const worker = workerOf(leaves, { usual: 1, forced: 1 })
    await worker.ready
    worker.stop('replaced')
    // The answer comes behind that of the stop.
    await worker.abandon()
    expect(await worker.ended).toBe('ended with code 0')
  })

  it('that serves not yet is ended by any stop', async () => {
    const worker = workerOf('setInterval(() => undefined, 1_000)')
    worker.stop('usual')
    expect(await worker.ended).toBe('was ended by SIGKILL')
    await expect(worker.ready).rejects.toThrow('was ended by SIGKILL before it served')
  })
})
