import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, onTestFinished, test } from 'vitest'
import { ProcessWatch } from '../../../core/testing/process-watch.ts'
import { turns } from '../../support/turns.ts'

test('what nobody catches is noted, with its place', async () => {
  const watch = new ProcessWatch()
  await watch.during(async () => {
    void Promise.reject(new Error('lost'))
    setImmediate(() => {
      throw 'a string'
    })
    await turns()
  })
  expect(watch.failures).toEqual([
    expect.stringMatching(
      /^a promise was rejected and nobody caught it: lost \(at .*process-watch\.test\.ts/,
    ),
    expect.stringContaining(
      'an error was thrown where nobody could catch it: a non-error was thrown: "a string"',
    ),
  ])
})

test('what is written is noted and not written, and who waits for it goes on', async () => {
  const watch = new ProcessWatch()
  const answers: unknown[] = []
  await watch.during(async () => {
    console.warn('a warning')
    answers.push(console.log('a line'), process.stdout.write('raw\n'))
    await new Promise<void>(resolve => process.stderr.write('with a callback', () => resolve()))
  })
  expect(watch.written).toEqual(['a warning', 'a line', 'raw', 'with a callback'])
  expect(answers).toEqual([undefined, true])
})

test('what somebody else writes meanwhile is written', async () => {
  const { write } = process.stderr
  const through: unknown[] = []
  process.stderr.write = ((text: unknown) => through.push(text)) as unknown as typeof write
  const watch = new ProcessWatch()
  const others = AsyncLocalStorage.snapshot()
  try {
    await watch.during(async () => {
      others(() => process.stderr.write('of the runner'))
      process.stderr.write('of the plugin')
    })
  } finally {
    process.stderr.write = write
  }
  expect(through).toEqual(['of the runner'])
  expect(watch.written).toEqual(['of the plugin'])
})

test('everything is as before when it ends, also by a failure', async () => {
  const state = () => ({
    rejection: process.rawListeners('unhandledRejection'),
    exception: process.rawListeners('uncaughtException'),
    write: process.stdout.write,
    log: console.log,
  })
  const always = () => undefined
  process.on('unhandledRejection', always).once('unhandledRejection', always)
  onTestFinished(() => void process.off('unhandledRejection', always).off('unhandledRejection', always))
  const before = state()
  expect(before.rejection).toContain(always)
  const watch = new ProcessWatch()
  const work = watch.during(async () => {
    expect(state().log).not.toBe(before.log)
    console.log = () => undefined
    throw new Error('enough')
  })
  await expect(work).rejects.toThrow('enough')
  expect(state()).toEqual(before)
})
