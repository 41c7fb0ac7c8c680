import { ContractError, contract, testPlugin } from 'rawhttp/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { type Bug, bugs, cleanUp } from './bugs.ts'

const all = Object.entries(bugs)
const seen = all.filter(([, { caught }]) => caught !== null)
const unseen = all.filter(([, { caught }]) => caught === null)
const found: string[] = []

let undo: () => void = () => undefined
afterEach(() => {
  undo()
  cleanUp()
})

/** What the case that is to find a bug says, when those before it have been tried as they are for everybody. */
async function failureOf({ plugin, caught, undo: after, ...options }: Bug): Promise<unknown> {
  undo = after ?? (() => undefined)
  for (const { id, run } of contract(plugin, { patience: 300, ...options })) {
    const failure = await run().then(
      () => null,
      error => error,
    )
    if (id === caught) return failure
  }
  throw new Error(`there is no case ${caught}`)
}

describe('the contract finds', () => {
  test.each(seen)('%s', async (name, { told, ...bug }) => {
    const failure = await failureOf(bug)
    expect(failure).toBeInstanceOf(ContractError)
    expect((failure as ContractError).message).toMatch(told!)
    found.push(name)
  })
})

describe('the contract does not find', () => {
  test.each(unseen)('%s', async (_name, { plugin, caught: _, undo: __, ...options }) => {
    await testPlugin(plugin, options)
  })
})

test('at least 18 of at least 20 bugs are found, and those that are not are these', () => {
  expect(all.length).toBeGreaterThanOrEqual(20)
  expect(found.length).toBeGreaterThanOrEqual(18)
  expect(all.map(([name]) => name).filter(name => !found.includes(name))).toEqual([
    'a password that is compared letter by letter',
    'a fault that waits for the 29th of February',
  ])
})
