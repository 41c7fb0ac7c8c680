import { readFileSync } from 'node:fs'
import { definePlugin, Handle, HttpResponse } from 'rawhttp'
import { ContractError, contract, type Subject, testPlugin } from 'rawhttp/testing'
import { describe, expect, test } from 'vitest'
import { caseIds } from '../../../core/testing/case.ts'
import { settingsOf } from '../../../core/testing/options.ts'

const good = definePlugin({ name: 'good' })

const leaky = definePlugin({
  name: 'leaky',
  server: ({ hooks }) => hooks.start.tap('leaky', () => void setInterval(() => undefined, 1_000).unref()),
})

/** The cases of these names only. */
const only = (...ids: readonly string[]) =>
  Object.fromEntries(caseIds.filter(id => !ids.includes(id)).map(id => [id, 'not now']))

describe('a plugin that keeps the contract', () => {
  for (const { name, run } of contract(good)) test(name, run)
})

test('every case has a name of its own, and is one that can be left out', () => {
  const cases = contract(good)
  expect(cases.map(({ id }) => id)).toEqual(caseIds)
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
})

test('each case that a plugin breaks is told, with the plugin, the case and the place', async () => {
  const except = only('labels', 'setup', 'start-stop', 'failed-start')
  const failed = await testPlugin(leaky, { patience: 300, except }).catch(error => error)
  expect(failed).toBeInstanceOf(AggregateError)
  expect(failed.errors.map(({ id }: ContractError) => id)).toEqual(['start-stop', 'failed-start'])
  expect(failed.errors[0]).toBeInstanceOf(ContractError)
  expect(failed.message).toMatch(
    /^plugin "leaky" breaks the contract, start-stop .*\n.*a timer, opened at .*contract\.test\.ts.*\nplugin "leaky"/,
  )
})

test('a message shows the first faults, and the error has them all', async () => {
  const noisy = definePlugin({
    name: 'noisy',
    server: () => {
      for (let line = 0; line < 20; line++) console.log(`line ${line}`)
    },
  })
  const failed = await testPlugin(noisy, { except: only('quiet') }).catch(error => error)
  expect(failed.errors[0].faults).toHaveLength(20)
  expect(failed.message).toMatch(/wrote "line 11"\n {2}- and 8 more$/)
})

test('a plugin that needs credentials is tried with them', async () => {
  const guard = definePlugin({
    name: 'guard',
    site: ({ hooks }) =>
      hooks.handle.tap({ name: 'guard', stage: Handle.Guard }, ({ headers }) =>
        headers.get('x-key') === 'open' ? undefined : HttpResponse.error(401),
      ),
  })
  const swallows = definePlugin({
    name: 'swallows',
    site: ({ hooks }) => hooks.error.tap('swallows', () => HttpResponse.text('all is well')),
  })
  const options = { beside: [guard()], except: only('errors-stay') }
  await testPlugin(swallows, { ...options, beside: [] }).then(
    () => expect.unreachable(),
    () => undefined,
  )
  await testPlugin(swallows, options)
  await expect(testPlugin(swallows, { ...options, headers: { 'x-key': 'open' } })).rejects.toThrow(
    'errors-stay',
  )
})

test('a plugin may be a factory, an entry, or a function that makes one for each server', async () => {
  let made = 0
  const making = async () => {
    made++
    return good()
  }
  const except = only('two-servers')
  await testPlugin(good, { except })
  await testPlugin(good(), { except })
  await testPlugin(making, { except })
  expect(made).toBeGreaterThanOrEqual(2)
})

test('what is no plugin is told', async () => {
  const wrong = (() => ({ name: 'good' })) as unknown as Subject
  await expect(testPlugin(wrong, { except: only('setup') })).rejects.toThrow(
    'the test kit takes what definePlugin has made, called or not; got an object',
  )
})

test.each<[object, string]>([
  [
    { except: { 'start-step': 'a slip' } },
    `the contract has no case "start-step"; did you mean 'start-stop'?`,
  ],
  [{ except: { everything: 'why not' } }, 'no case "everything"; it has second-start, labels, '],
  [{ request: ['/'] }, `contract: there is no option "request"; did you mean 'requests'?`],
  [{ place: 'site', config: { sites: [] } }, "place: 'site' makes a site of its own"],
])('%j is told', (options, sentence) => {
  expect(() => contract(good, options)).toThrow(sentence)
})

test('docs/testing-plugins.md has every case and every option', () => {
  const page = readFileSync(new URL('../../../docs/testing-plugins.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter(line => /^\| `/.test(line))
  for (const { id, name } of contract(good)) expect(rows).toContain(`| \`${id}\` | ${name} |`)
  for (const option of Object.keys(settingsOf({}))) expect(rows.join('\n')).toContain(`| \`${option}\` |`)
})
