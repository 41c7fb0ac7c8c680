import { expect, it } from 'vitest'
import { Values } from '../../../../core/cli/workers/values.ts'

const value = (text: string) => new TextEncoder().encode(text)

it('the first proposal counts for all, and a later one only if it follows the present one', () => {
  const changes: unknown[] = []
  const values = new Values(version => void changes.push(version))
  const first = { number: 1, value: value('first') }
  expect(values.propose({ name: 'keys', number: 0, value: value('first') })).toEqual(first)
  expect(values.propose({ name: 'keys', number: 0, value: value('other') })).toEqual(first)
  expect(changes).toEqual([])
  const second = { number: 2, value: value('second') }
  expect(values.propose({ name: 'keys', number: 1, value: value('second') })).toEqual(second)
  expect(values.propose({ name: 'keys', number: 1, value: value('late') })).toEqual(second)
  expect(changes).toEqual([{ name: 'keys', ...second }])
  expect(values.propose({ name: 'others', number: 0, value: value('a') }).number).toBe(1)
})
