import * as v from 'valibot'
import { expect, test } from 'vitest'
import { staticOptions } from '../../../plugins/static/schema.ts'

const problems = (input: unknown): string[] => {
  const { issues = [] } = v.safeParse(staticOptions, input)
  return issues.map(issue => `${v.getDotPath(issue)}: ${issue.message}`)
}

test('fills in what is left out', () => {
  expect(v.parse(staticOptions, { root: './public' })).toEqual({
    root: './public',
    index: ['index.html'],
    dotfiles: false,
    symlinks: 'inside',
    cleanUrls: false,
    fallback: false,
    listing: false,
    precompressed: false,
    cacheControl: 'no-cache',
    immutable: true,
    types: {},
    headers: {},
  })
})

test('takes a file: URL as root, no index, and undefined for what is optional', () => {
  const root = new URL('file:///srv/www')
  expect(v.parse(staticOptions, { root, index: [], dotfiles: undefined })).toMatchObject({ root, index: [] })
})

test.each([
  [{ root: 7 }, "root: Invalid type: Expected a folder such as './public', or a file: URL but received 7"],
  [{ root: '' }, `root: Invalid type: Expected a folder such as './public', or a file: URL but received ""`],
  [
    { root: new URL('http://a/') },
    "root: Invalid type: Expected a folder such as './public', or a file: URL but received URL",
  ],
  [
    { root: '.', index: 'index.html' },
    `index: Invalid type: Expected a list of file names such as ['index.html'] but received "index.html"`,
  ],
  [
    { root: '.', index: ['../x'] },
    "index: Invalid type: Expected a list of file names such as ['index.html'] but received Array",
  ],
  [{ root: '.', dotfiles: 'no' }, `dotfiles: Invalid type: Expected true or false but received "no"`],
  [undefined, "null: Invalid type: Expected options such as { root: './public' } but received undefined"],
])('says what was expected instead of %j', (input, problem) => {
  expect(problems(input)).toEqual([problem])
})

test('refuses options that it does not know, and a missing root', () => {
  expect(problems({ root: '.', folder: 'x' })[0]).toMatch(/^folder: /)
  expect(problems({})[0]).toMatch(/^root: /)
})
