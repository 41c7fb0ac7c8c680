import { readFileSync } from 'node:fs'
import { contract } from 'rawhttp/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { needTool } from '../../support/tools.ts'
import { makeParts, subjects } from './subjects.ts'

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
const published = Object.keys(manifest.exports).flatMap(entry => /^\.\/plugins\/(.+)$/.exec(entry)?.[1] ?? [])

const parts = await makeParts()
afterAll(() => parts[Symbol.asyncDispose]())
const tried = subjects(parts)

test('every plugin of the package is tried', () => {
  const names = Object.keys(tried).map(name => name.split(' ')[0])
  expect([...new Set(names)].sort()).toEqual(published.sort())
})

describe.each(Object.entries(tried))('%s', (_name, { plugin, needs, ...options }) => {
  for (const { name, run } of contract(plugin, options)) {
    test(name, async () => {
      if (needs !== undefined) needTool(needs, needs)
      await run()
    })
  }
})
