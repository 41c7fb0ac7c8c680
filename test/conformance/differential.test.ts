import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { differences, isReviewed } from './differences.ts'
import { type Judge, startOurs, startTheirs } from './judges.ts'
import { messages } from './messages.ts'
import { type Verdict, verdict } from './verdict.ts'

let ours: Judge
let theirs: Judge

beforeAll(async () => {
  ours = await startOurs()
  theirs = await startTheirs()
})

afterAll(async () => {
  await ours[Symbol.asyncDispose]()
  await theirs[Symbol.asyncDispose]()
})

const judged = async (bytes: string): Promise<Verdict | null> =>
  verdict(await ours.judge(bytes), await theirs.judge(bytes))

test('rawhttp and node:http differ over generated messages only where it was reviewed', async () => {
  const property = fc.asyncProperty(messages, async bytes => {
    const found = await judged(bytes)
    if (found !== null && !isReviewed(found)) expect(found).toBeNull()
  })
  await fc.assert(property, { seed: 9_112, numRuns: 1_000 })
})

test.each(differences)('$ours here: $reason', async ({ ours, theirs, example }) => {
  const found = await judged(example)
  expect(found?.ours).toBe(ours)
  expect(found?.theirs).toMatch(theirs)
})

test('a verdict tells what another server read differently', () => {
  const seen = { method: 'GET', target: '/', headers: ['host', 'a'], body: '' }
  const outcome = (body: string) => ({ requests: [{ ...seen, body }], refusal: null })
  expect(verdict(outcome('a'), outcome('a'))).toBeNull()
  expect(verdict(outcome('a'), outcome('b'))).toEqual({
    ours: 'accepts',
    theirs: 'accepts with another body',
  })
  const withFields = (...headers: string[]) => ({
    requests: [{ ...seen, headers, body: 'a' }],
    refusal: null,
  })
  expect(verdict(outcome('a'), withFields('host', 'b', 'x', 'y'))?.theirs).toBe(
    'accepts with another field host, field x',
  )
  expect(verdict(withFields('a', '1', 'b', '2'), withFields('b', '2', 'a', '1'))?.theirs).toBe(
    'accepts with another order of fields',
  )
  expect(verdict(outcome('a'), { requests: [], refusal: 'X' })).toEqual({ ours: 'accepts', theirs: 'X' })
  expect(isReviewed({ ours: 'accepts', theirs: 'accepts with another body' })).toBe(false)
})
