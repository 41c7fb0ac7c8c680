import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'
import { install, packed, unpacked } from './package/installed.ts'
import { run, serve } from './package/shell.ts'

// Who follows the plugin guide to the letter: ten lines, their tests, and a package that others use.

const slow = 180_000
const blocks = blocksOf('docs/plugin-guide.md')
let folder: string
let rawhttp: string
let project: string

/** The block that begins with a file's name, as the page has it. */
const named = (name: string) => blocks.find(({ code }) => code.startsWith(`// ${name}\n`))!.code
const json = (key: string) =>
  blocks.find(({ language, code }) => language === 'json' && key in JSON.parse(code))!.code

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'rawhttp-guide-')))
  rawhttp = await packed(folder)
  project = join(folder, 'stamp')
  await mkdir(project)
  for (const name of ['stamp.ts', 'stamp.test.ts', 'contract.test.ts'])
    await writeFile(join(project, name), named(name))
  await writeFile(join(project, 'package.json'), json('name'))
  await writeFile(join(project, 'tsconfig.json'), json('compilerOptions'))
  await install(project, { rawhttp })
}, slow)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('its package asks for what its tsconfig takes for granted', () => {
  const { types } = JSON.parse(json('compilerOptions')).compilerOptions
  const { devDependencies } = JSON.parse(json('name'))
  expect(types.map((name: string) => `@types/${name}`)).toEqual(['@types/node'])
  expect(Object.keys(devDependencies)).toEqual(['@types/node', 'rawhttp', 'typescript'])
})

test('its tests pass, the contract among them', { timeout: slow }, async () => {
  const { stdout } = await run(join(project, 'node_modules/.bin/node'), ['--test'], project)
  expect(stdout).toMatch(/fail 0\b/)
  expect(Number(/pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(30)
})

test('its package is built, and a config in JSON names it', { timeout: slow }, async () => {
  await run('npm', ['run', 'build'], project)
  const site = join(folder, 'site')
  await mkdir(site)
  await writeFile(join(site, 'rawhttp.config.json'), JSON.stringify({ plugins: ['rawhttp-plugin-stamp'] }))
  await install(site, { rawhttp, 'rawhttp-plugin-stamp': await unpacked(project, folder) })
  await using server = await serve(join(site, 'node_modules/.bin/rawhttp'), site)
  expect((await fetch(server.url)).headers.get('x-served-by')).toBeTruthy()
})
