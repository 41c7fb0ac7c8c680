import { expect, test } from 'vitest'
import { Reports } from '../../../plugins/proxy-protocol/reports.ts'

test('there are at most ten a minute, and the next one says how many were left out', () => {
  const messages: string[] = []
  let now = 5_000
  const reports = new Reports(
    ({ message }) => void messages.push(message),
    () => now,
  )
  const tell = (count: number) => {
    for (let index = 0; index < count; index++)
      reports.tell({ code: 'A', message: 'bad', severity: 'warning' })
  }
  tell(13)
  expect(messages).toEqual(new Array(10).fill('bad'))
  now += 59_999
  tell(1)
  expect(messages).toHaveLength(10)
  now += 1
  tell(1)
  expect(messages.slice(10)).toEqual(['bad (4 more were not reported)'])
  now += 60_000
  tell(1)
  expect(messages.slice(11)).toEqual(['bad'])
})
