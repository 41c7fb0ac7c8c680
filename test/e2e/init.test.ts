import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchProgram, ready } from '../core/cli/run-cli.ts'
import { needTool } from '../support/tools.ts'
import { install, packed, unpacked } from './package/installed.ts'
import { run, serve } from './package/shell.ts'

// What a beginner does with the published package: `rawhttp init`, and all that it says to do next.

const root = join(import.meta.dirname, '../..')
const slow = 180_000
let folder: string
let rawhttp: string

const init = (...args: readonly string[]): Promise<{ readonly stdout: string }> =>
  run(process.execPath, [join(rawhttp, 'bin/rawhttp.cjs'), 'init', ...args], folder)

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'rawhttp-init-')))
  rawhttp = await packed(folder)
  // It runs as npx runs it: outside the project, with what it needs beside it.
  await install(folder, { rawhttp })
  rawhttp = join(folder, 'node_modules/rawhttp')
}, slow)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs the tests of a project, which fails when one of them does, and gives their number. */
async function testsPassed(project: string): Promise<number> {
  const { stdout } = await run(join(project, 'node_modules/.bin/vitest'), ['run'], project)
  return Number(/Tests +(\d+) passed \(\1\)/.exec(stripVTControlCharacters(stdout))?.[1])
}

describe.each([
  ['an empty folder', 'blog', null],
  ['a project as npm init leaves it', 'old', { name: 'old', type: 'commonjs', scripts: { test: 'exit 1' } }],
])('a site in %s', (_, name, manifest) => {
  let project: string

  beforeAll(async () => {
    project = join(folder, name)
    if (manifest !== null) {
      await mkdir(project)
      await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
    }
    await init(name)
    await install(project, { rawhttp })
  }, slow)

  test('passes its own check: types, and the config', { timeout: slow }, async () => {
    const { stdout } = await run('npm', ['run', 'check'], project)
    expect(stdout).toMatch(/ {2}static\nok\n$/)
  })

  test('passes its own test', { timeout: slow }, async () => {
    expect(await testsPassed(project)).toBe(4)
  })

  test('serves its page, what that needs, its API and its error page', async () => {
    const curl = needTool('curl', 'curl')
    await using server = await serve(join(project, 'node_modules/.bin/rawhttp'), project)
    const get = async (path: string, ...args: readonly string[]): Promise<string> =>
      (await run(curl, ['-sS', '-i', ...args, server.url + path], project)).stdout

    const page = await get('/')
    expect(page).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(page).toContain(`<h1>${name} is up.</h1>`)
    expect(page).toMatch(/^content-security-policy: default-src 'self';/im)
    for (const [, path] of page.matchAll(/(?:href|src)="([^"]+)"/g))
      expect(await get(path!)).toMatch(path === '/nowhere' ? /^HTTP\/1\.1 404 / : /^HTTP\/1\.1 200 /)
    expect(await get('/api/hello/Ada')).toMatch(/\r\n\r\n\{"hello":"Ada"\}$/)
    expect(await get('/nowhere', '-H', 'accept: text/html')).toContain('<strong>404</strong> Not Found')

    const { code, stdout } = await server.stop()
    expect(code).toBe(0)
    expect(stdout).toContain('"GET /api/hello/Ada HTTP/1.1" 200')
  })
})

test('what npm run dev runs serves a change at once', { timeout: slow }, async () => {
  const project = join(folder, 'dev')
  await init('dev')
  await install(project, { rawhttp })
  const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  const words = scripts.dev.replace(/^rawhttp /, '').split(' ')
  const command = [process.execPath, join(project, 'node_modules/rawhttp/bin/rawhttp.cjs'), ...words]
  const server = launchProgram(command, { cwd: project, env: { PORT: '0' } })
  const url = `${await ready(server)}/api/hello/Ada`
  expect(await (await fetch(url)).json()).toEqual({ hello: 'Ada' })

  const route = join(project, 'site/api/hello.ts')
  const source = await readFile(route, 'utf8')
  await writeFile(route, source.replace('hello: params.name', 'hi: params.name'))
  await server.line(/^rawhttp: reloaded .*hello\.ts changed$/)
  expect(await (await fetch(url)).json()).toEqual({ hi: 'Ada' })
})

describe('a plugin', () => {
  const name = 'rawhttp-plugin-rate-meter'
  let project: string
  let plugin: string
  let site: string

  beforeAll(async () => {
    await init('--plugin', 'rate-meter')
    project = join(folder, name)
    await install(project, { rawhttp })
    await run('npm', ['run', 'build'], project)
    plugin = await unpacked(project, folder)
    await init('site')
    site = join(folder, 'site')
    await install(site, { rawhttp, [name]: plugin })
  }, slow)

  test('passes its own check and its own test', { timeout: slow }, async () => {
    await run('npm', ['run', 'check'], project)
    expect(await testsPassed(project)).toBeGreaterThan(30)
  })

  test('is a package that publint finds nothing in', { timeout: slow }, () =>
    run(join(root, 'node_modules/.bin/publint'), ['run', '--strict'], plugin),
  )

  test('is typed where a config imports it', { timeout: slow }, async () => {
    const source = await readFile(join(site, 'rawhttp.config.ts'), 'utf8')
    const check = async (options: string): Promise<unknown> => {
      const plugins = source.replace('plugins: [', `plugins: [rateMeter(${options}),`)
      await writeFile(join(site, 'rawhttp.config.ts'), `import { rateMeter } from '${name}'\n${plugins}`)
      return await run(join(site, 'node_modules/.bin/tsc'), [], site)
    }
    await check("{ text: 'Hi.' }")
    await expect(check('{ text: 1 }')).rejects.toThrow('TS2322')
  })

  test('is used by a config that has its name', async () => {
    const config = { plugins: [[name, { text: 'From afar.\n' }]] }
    const dir = join(site, 'by-name')
    await mkdir(dir)
    await writeFile(join(dir, 'rawhttp.config.json'), JSON.stringify(config))
    await using server = await serve(join(site, 'node_modules/.bin/rawhttp'), dir)
    expect(await (await fetch(`${server.url}/rate-meter`)).text()).toBe('From afar.\n')
  })
})
