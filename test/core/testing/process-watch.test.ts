import { expect, test } from 'vitest'
import { ProcessWatch } from '../../../core/testing/process-watch.ts'
import { turns } from '../../support/turns.ts'

test('what nobody catches is noted, with its place', async () => {
  const watch = new ProcessWatch()
  watch.begin()
  try {
    void Promise.reject(new Error('lost'))
    setImmediate(() => {
      throw 'a string'
    })
    await turns()
  } finally {
    watch.end()
  }
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
  watch.begin()
  let answers: unknown[]
  try {
    console.warn('a warning')
    answers = [console.log('a line'), process.stdout.write('raw\n')]
    await new Promise<void>(resolve => process.stderr.write('with a callback', () => resolve()))
  } finally {
    watch.end()
  }
  expect(watch.written).toEqual(['a warning', 'a line', 'raw', 'with a callback'])
  expect(answers).toEqual([undefined, true])
})

test('everything is as before when it ends', () => {
  const state = () => ({
    rejection: process.rawListeners('unhandledRejection'),
    exception: process.rawListeners('uncaughtException'),
    write: process.stdout.write,
    log: console.log,
  })
  const before = state()
  const watch = new ProcessWatch()
  watch.begin()
  expect(state().log).not.toBe(before.log)
  console.log = () => undefined
  watch.end()
  expect(state()).toEqual(before)
})
