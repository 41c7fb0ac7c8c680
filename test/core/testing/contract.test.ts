import { definePlugin } from 'rawhttp'
import { ContractError, contract, testPlugin } from 'rawhttp/testing'
import { describe, expect, test } from 'vitest'

const good = definePlugin({ name: 'good' })

const leaky = definePlugin({
  name: 'leaky',
  server: ({ hooks }) => hooks.start.tap('leaky', () => void setInterval(() => undefined, 1_000).unref()),
})

describe('a plugin that keeps the contract', () => {
  for (const { name, run } of contract(good)) test(name, run)
})

test('each case that a plugin breaks is told, with the plugin, the case and the place', async () => {
  const failed = await testPlugin(leaky, { patience: 300 }).catch(error => error)
  expect(failed).toBeInstanceOf(AggregateError)
  expect(failed.errors[0]).toBeInstanceOf(ContractError)
  expect(failed.message).toMatch(
    /^plugin "leaky" breaks the contract, start-stop .*\n.*a timer, opened at .*contract\.test\.ts/,
  )
})

test('a case that does not exist cannot be left out', () => {
  const except = { 'start-step': 'a slip' } as object
  expect(() => contract(good, { except })).toThrow(
    'the contract has no case "start-step"; it has labels, setup',
  )
})
