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
    required: false,
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
  [
    { root: '.', symlinks: 'yes' },
    `symlinks: Invalid type: Expected 'inside' or 'follow' but received "yes"`,
  ],
  [{ root: '.', cleanUrls: 1 }, 'cleanUrls: Invalid type: Expected true or false but received 1'],
  [{ root: '.', listing: 1 }, 'listing: Invalid type: Expected true or false but received 1'],
  [
    { root: '.', precompressed: ['deflate'] },
    "precompressed: Invalid type: Expected true, false or a list of 'br', 'zstd' and 'gzip' but received Array",
  ],
  [
    { root: '.', immutable: ['a**'] },
    "immutable: Invalid type: Expected true, false or a list of globs such as ['assets/**'] but received Array",
  ],
  [
    { root: '.', types: { '.md': 'markdown' } },
    `types..md: Invalid type: Expected a media type such as 'text/plain; charset=utf-8' but received "markdown"`,
  ],
  [
    { root: '.', types: { '.md': 'text/plain\r\nx: y' } },
    `types..md: Invalid type: Expected a media type such as 'text/plain; charset=utf-8' but received "text/plain\r\nx: y"`,
  ],
  [
    { root: '.', headers: { '{a': {} } },
    `headers.{a: Invalid type: Expected a glob such as '*.woff2' or 'fonts/**' but received "{a"`,
  ],
  [
    { root: '.', headers: { '**': { 'x-a': 'a\r\nb' } } },
    `headers.**.x-a: Invalid type: Expected a field value: text of latin1 in one line but received "a\r\nb"`,
  ],
  [undefined, "null: Invalid type: Expected options such as { root: './public' } but received undefined"],
])('says what was expected instead of %j', (input, problem) => {
  expect(problems(input)).toEqual([problem])
})

test.each([
  ...[true, '', '/index.html', 'a/', '../index.html', 'a\\b'].map(fallback => ({ fallback })),
  ...[true, '', 'a\nb', '\u0161'].map(cacheControl => ({ cacheControl })),
  ...['etag', 'Last-Modified', 'content-type', 'Content-Length', 'transfer-encoding', 'a b', ''].map(
    name => ({
      headers: { '**': { [name]: 'x' } },
    }),
  ),
])('%j is not taken, and the option is named', options => {
  const [found, ...others] = problems({ root: '.', ...options })
  expect(found).toMatch(/^(?:fallback|cacheControl|headers\.\*\*\..*): Invalid type: Expected /)
  expect(others).toEqual([])
})

test('takes what is right', () => {
  const options = {
    root: '.',
    symlinks: 'follow',
    cleanUrls: true,
    fallback: 'app/200.html',
    listing: true,
    precompressed: ['gzip', 'br'],
    cacheControl: false,
    immutable: ['assets/**'],
    types: { '.md': 'text/markdown; charset=utf-8', 'a/*': 'application/vnd.x+json;a="b c"' },
    headers: { '*.js': { 'X-A': 'ä', 'content-security-policy': "default-src 'self'" } },
  }
  expect(v.parse(staticOptions, options)).toMatchObject(options)
  expect(
    v.parse(staticOptions, { root: '.', fallback: false, precompressed: true, immutable: false }),
  ).toBeTruthy()
})

test('refuses options that it does not know, and a missing root', () => {
  expect(problems({ root: '.', folder: 'x' })[0]).toMatch(/^folder: /)
  expect(problems({})[0]).toMatch(/^root: /)
})
