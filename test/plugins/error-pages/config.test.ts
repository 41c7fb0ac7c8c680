import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createServer, definePlugin, Handle, HttpResponse } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { loadPages } from '../../../plugins/error-pages/pages.ts'
import { errorPagesOptions } from '../../../plugins/error-pages/schema.ts'
import { tempPages } from './temp-pages.ts'

const problems = (input: unknown): string[] => {
  const { issues = [] } = v.safeParse(errorPagesOptions, input)
  return issues.map(issue => `${v.getDotPath(issue)}: ${issue.message}`)
}

test.each([
  [{ root: 3 }, "root: Invalid type: Expected a folder such as './errors', or a file: URL but received 3"],
  [
    { pages: { 200: './a.html' } },
    `pages.200: Invalid type: Expected a status from 400 to 599, '4xx' or '5xx' but received "200"`,
  ],
  [
    { pages: { '50x': './a.html' } },
    `pages.50x: Invalid type: Expected a status from 400 to 599, '4xx' or '5xx' but received "50x"`,
  ],
  [
    { pages: { 404: 4 } },
    "pages.404: Invalid type: Expected a file such as './404.html', or a file: URL but received 4",
  ],
  [{ prefer: 'json' }, "prefer: Invalid type: Expected 'html' or 'problem' but received \"json\""],
  [3, "null: Invalid type: Expected options such as { root: './errors' } but received 3"],
])('says what was expected instead of %j', (input, problem) => {
  expect(problems(input)).toEqual([problem])
})

test.each([undefined, {}, { pages: {} }])('needs no options: %j', input => {
  expect(problems(input)).toEqual([])
})

test('refuses options that it does not know', () => {
  expect(problems({ root: '.', page: {} })[0]).toMatch(/^page: /)
})

test('a folder that is not there fails the start, by option and folder', async () => {
  const root = join(await tempPages({ 'a.html': '' }), 'gone')
  await expect(createServer({ plugins: [errorPages({ root })] })).rejects.toThrow(
    `config: plugins[0] (error-pages): options.root: expected a folder that can be read, got no such folder: ${root}`,
  )
})

test.each([
  [
    'a file as folder',
    { root: 'a.html', pages: {} },
    /root: expected a folder that can be read, got ENOTDIR: \//,
  ],
  [
    'a folder without a page',
    { root: '.', pages: {} },
    /root: expected a folder with pages such as 404\.html, .* got a folder without any: \//,
  ],
  [
    'a page that is not there',
    { root: null, pages: { 404: 'b.html' } },
    /pages\[404\]: expected a file that can be read, got no such file: \//,
  ],
  [
    'a folder as page',
    { root: null, pages: { '4xx': '.' } },
    /pages\[4xx\]: expected a file that can be read, got EISDIR: \//,
  ],
])('%s fails the start', async (_what, { root, pages }, problem) => {
  const folder = await tempPages({ 'a.html': '', '50x.html': '', '404.txt': '' })
  const files = Object.entries(pages).map(([name, file]) => [name, join(folder, file!)] as const)
  const loading = loadPages({
    root: root === null ? null : join(folder, root),
    pages: Object.fromEntries(files),
  })
  await expect(loading).rejects.toThrow(problem)
})

test("pages may be named one by one, by paths from the site's folder or by URL, and win over the folder's", async () => {
  const dir = await tempPages({
    'errors/404.html': 'folder',
    'errors/5xx.html': 'five',
    'lost.html': 'lost',
    'four.html': 'four',
  })
  const answers = definePlugin({
    name: 'answers',
    site(site) {
      site.hooks.handle.tap({ name: 'answers', stage: Handle.Route }, ({ path }) =>
        HttpResponse.error(Number(path.slice(1))),
      )
    },
  })
  const four = pathToFileURL(join(dir, 'four.html'))
  const options = { root: './errors', pages: { 404: './lost.html', '4xx': four } }
  const server = await createServer({
    sites: [{ name: 'a', dir, plugins: [answers(), errorPages(options)] }],
  })
  onTestFinished(() => server.stop())
  const text = async (url: string) =>
    (await server.inject({ method: 'GET', url, headers: { host: 'localhost' } })).text()
  expect(await text('/404')).toBe('lost')
  expect(await text('/403')).toBe('four')
  expect(await text('/500')).toBe('five')
})
