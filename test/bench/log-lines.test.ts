import { appendFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tempFile } from '../support/temp-file.ts'
import { linesWritten } from './log-lines.ts'

test('lines are counted across the chunks in which a file is read', async () => {
  const log = await tempFile('access.log', 'a line of some length\n'.repeat(10_000))
  expect(await linesWritten(log, 10_000)).toBe(10_000)
})

test('the last lines may come a moment later', async () => {
  const log = await tempFile('access.log', 'one\n')
  setTimeout(() => appendFileSync(log, 'two\n'), 100)
  expect(await linesWritten(log, 2)).toBe(2)
})

test('what never comes is not waited for without end', async () => {
  expect(await linesWritten(await tempFile('access.log', 'one\nhalf'), 2)).toBe(1)
})
