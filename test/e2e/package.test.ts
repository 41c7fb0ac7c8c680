import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cannotRun } from '../support/tools.ts'
import { olderNode, packageJson, run, serve } from './package/shell.ts'

// What a user does: the packed package in an empty project, a config in TypeScript, a plugin of one's own.

const root = join(import.meta.dirname, '../..')
const tool = (name: string): string => join(root, 'node_modules/.bin', name)
const slow = 180_000
let folder: string
let tarball: string
let project: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rawhttp-package-'))
  await run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  const [packed] = await readdir(folder)
  tarball = join(folder, packed!)
  project = join(folder, 'project')
  await cp(join(root, 'test/fixtures/package-user'), project, { recursive: true })
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], project)
}, slow)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('publint finds nothing', { timeout: slow }, () =>
  run(tool('publint'), ['run', tarball, '--strict'], folder),
)

test('attw finds the types of every entry', { timeout: slow }, () =>
  run(tool('attw'), [tarball, '--profile', 'esm-only'], folder),
)

test('the config and the plugin are typed', { timeout: slow }, () =>
  run(tool('tsc'), ['--project', project, '--typeRoots', join(root, 'node_modules/@types')], project),
)

test('rawhttp start serves files, a route and the own plugin, and SIGTERM ends it with code 0', async () => {
  await using server = await serve(join(project, 'node_modules/.bin/rawhttp'), project)
  const get = (path: string): Promise<Response> => fetch(server.url + path)

  const page = await get('/')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('x-stamp')).toBe('mine')
  expect(await page.text()).toContain('It works.')

  expect(await (await get('/api/hello/World')).json()).toEqual({ hello: 'World' })
  expect(await (await get('/stamp')).text()).toBe('mine\n')

  const missing = await get('/missing')
  expect(missing.status).toBe(404)
  expect(await missing.text()).toContain('No such page.')

  const { code, stdout } = await server.stop()
  expect(code).toBe(0)
  expect(stdout).toContain('"GET /api/hello/World HTTP/1.1" 200')
})

test.each([
  ['says "type": "commonjs", as npm init does', { type: 'commonjs' }],
  ['says no type', {}],
])('rawhttp check reads the config and the plugin of a project that %s', async (_, type) => {
  await using _restored = await packageJson(project, { name: 'package-user', private: true, ...type })
  const { stdout, stderr } = await run(join(project, 'node_modules/.bin/rawhttp'), ['check'], project)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/stamp.*\nok\n$/s)
})

test('rawhttp plugins tells the lines of the config, and the files of the plugins', async () => {
  const { stdout } = await run(join(project, 'node_modules/.bin/rawhttp'), ['plugins'], project)
  const ofStatic = stdout.split('\n').find(line => / static /.test(line))
  expect(ofStatic).toMatch(/ rawhttp\.config\.ts:\d+ +\S*dist\/plugins\/static\/\S+\.js:\d+$/)
  expect(stdout).not.toContain('dist/core/')
})

test('a command loads few of its files, and no plugin that the config does not name', async () => {
  const listing = `
    import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
    process.on('exit', () => console.error(JSON.stringify(urls)))`
  const preload = `data:text/javascript,${encodeURIComponent(listing)}`
  const command = join(project, 'node_modules/rawhttp/bin/rawhttp.cjs')
  const { stderr } = await run(process.execPath, ['--import', preload, command, 'check'], project)
  const own = (JSON.parse(stderr) as string[]).filter(url => url.includes('/rawhttp/dist/'))
  expect(own.length).toBeLessThan(40)
  const plugins = own.flatMap(url => /\/plugins\/([a-z-]+)\//.exec(url)?.[1] ?? [])
  expect(new Set(plugins)).toEqual(new Set(['access-log', 'error-pages', 'router', 'static']))
})

test('rawhttp --version says the version of the package', async () => {
  const { stdout } = await run(join(project, 'node_modules/.bin/rawhttp'), ['--version'], project)
  expect(tarball).toContain(`rawhttp-${stdout.trim().replace(/^rawhttp /, '')}.tgz`)
})

test('an older Node is told in one line what to do', async () => {
  const node =
    (await olderNode(24)) ?? cannotRun('There is no Node older than 24 on the PATH to try this with.')
  const start = run(node, [join(project, 'node_modules/rawhttp/bin/rawhttp.cjs'), 'start'], project)
  const failure = await start.catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: expect.any(Number), stdout: '' })
  expect((failure as { stderr: string }).stderr).toMatch(/^[^\n]*Node[^\n]*24[^\n]*\n$/)
})
