import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { load, loadError, workspace } from './workspace.ts'

const moduleType = { 'package.json': '{"type":"module"}' }

describe('finding a config', () => {
  it('gives null where there is none', async () => {
    expect(await load(workspace(moduleType))).toEqual({ loaded: null })
  })

  it.each(['ts', 'mts', 'js', 'mjs'])('imports rawhttp.config.%s', async extension => {
    const name = `rawhttp.config.${extension}`
    const dir = workspace({ ...moduleType, [name]: 'export default { sites: [] }' })
    expect((await load(dir)).loaded).toEqual({ file: join(dir, name), dir, config: { sites: [] } })
  })

  it('strips the types of a TypeScript config and of the files it imports', async () => {
    const dir = workspace({
      ...moduleType,
      'rawhttp.config.ts':
        "import { port } from './port.ts'\nexport default { port } satisfies { port: number }",
      'port.ts': 'export const port: number = 3000',
    })
    expect((await load(dir)).loaded?.config).toEqual({ port: 3000 })
  })

  it.each([
    ['commonjs', 'ts'],
    ['commonjs', 'js'],
    [undefined, 'ts'],
    [undefined, 'js'],
  ])('takes modules for modules in a project of type %s: .%s', async (type, extension) => {
    const dir = workspace({
      'package.json': JSON.stringify({ type }),
      [`rawhttp.config.${extension}`]: `import { port } from './port.${extension}'\nexport default { port }`,
      [`port.${extension}`]: 'export const port = 3000',
    })
    expect((await load(dir)).loaded?.config).toEqual({ port: 3000 })
  })

  it.each([
    ['after a comment on one line', "/** @type {import('rawhttp').Config} */ export default { port: 1 }"],
    ['in the middle of a line', 'const port = 1; export default { port }'],
    ['behind a directive', "'use strict'; import 'node:fs'; export default { port: 1 }"],
    ['with top-level await', 'await null; export default { port: 1 }'],
  ])('takes a module for one %s', async (_, text) => {
    const dir = workspace({ 'package.json': '{"type":"commonjs"}', 'rawhttp.config.js': text })
    expect((await load(dir)).loaded?.config).toEqual({ port: 1 })
  })

  it.each([
    ['a comment', '/*\nexport default 3\n*/\nmodule.exports = { port: 1 }'],
    ['a template', 'const a = `\nexport default 3\n`\nmodule.exports = { port: a.length - 17 }'],
  ])('is not led astray by what stands in %s', async (_, text) => {
    const dir = workspace({ 'package.json': '{"type":"commonjs"}', 'rawhttp.config.js': text })
    expect((await load(dir)).loaded?.config).toEqual({ port: 1 })
  })

  it.each(['cjs', 'cts'])('finds rawhttp.config.%s', async extension => {
    const dir = workspace({ [`rawhttp.config.${extension}`]: 'module.exports = { port: 1 }' })
    expect((await load(dir)).loaded?.config).toEqual({ port: 1 })
  })

  it('takes the default export of what a compiler made CommonJS', async () => {
    const text =
      "Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = { port: 1 }"
    const dir = workspace({ 'rawhttp.config.cjs': text })
    expect((await load(dir)).loaded?.config).toEqual({ port: 1 })
  })

  it('reads JSON that begins with a byte order mark', async () => {
    const dir = workspace({ 'rawhttp.config.json': '\ufeff{"port":1}' })
    expect((await load(dir)).loaded?.config).toEqual({ port: 1 })
  })

  it('takes CommonJS for CommonJS', async () => {
    const dir = workspace({
      'package.json': '{"type":"commonjs"}',
      'rawhttp.config.js': "module.exports = { dir: __dirname, ...require('./port.js') }",
      'port.js': "const late = () => import('./other.js')\nexports.port = 3000\n",
    })
    expect((await load(dir)).loaded?.config).toEqual({ dir, port: 3000 })
  })

  it('waits for top-level await', async () => {
    const text = 'const port = await Promise.resolve(1)\nexport default { port }'
    const dir = workspace({ ...moduleType, 'rawhttp.config.ts': text })
    expect((await load(dir)).loaded?.config).toEqual({ port: 1 })
  })

  it('reads rawhttp.config.json', async () => {
    const dir = workspace({ 'rawhttp.config.json': '{"plugins":["compression"]}' })
    expect((await load(dir)).loaded?.config).toEqual({ plugins: ['compression'] })
  })

  it('reads the key rawhttp of package.json', async () => {
    const dir = workspace({ 'package.json': '{"rawhttp":{"plugins":[]}}' })
    expect((await load(dir)).loaded).toEqual({
      file: join(dir, 'package.json'),
      dir,
      config: { plugins: [] },
    })
  })

  it('prefers TypeScript to JavaScript, and a file to package.json', async () => {
    const dir = workspace({
      'package.json': '{"type":"module","rawhttp":{"from":"package"}}',
      'rawhttp.config.js': 'export default { from: "js" }',
      'rawhttp.config.ts': 'export default { from: "ts" }',
    })
    expect((await load(dir)).loaded?.config).toEqual({ from: 'ts' })
  })

  it('climbs to the folder of the nearest package.json and no further', async () => {
    const dir = workspace({
      'rawhttp.config.json': '{"at":"top"}',
      'project/package.json': '{}',
      'project/deep/x.txt': '',
      'other/deep/x.txt': '',
    })
    expect((await load(join(dir, 'project/deep'))).loaded).toBeNull()
    expect((await load(join(dir, 'other/deep'))).loaded?.config).toEqual({ at: 'top' })
  })

  it('searches only the folder that was given', async () => {
    const dir = workspace({ 'rawhttp.config.json': '{"at":"top"}', 'site/index.html': '' })
    expect((await load(dir, { folder: 'site' })).loaded).toBeNull()
  })

  it('loads the file that was given, whatever it is called', async () => {
    const dir = workspace({
      'rawhttp.config.json': '{"at":"top"}',
      'conf/blog.mjs': 'export default { at: "blog" }',
    })
    const { loaded } = await load(dir, { file: 'conf/blog.mjs' })
    expect(loaded).toEqual({
      file: join(dir, 'conf/blog.mjs'),
      dir: join(dir, 'conf'),
      config: { at: 'blog' },
    })
  })

  it('leaves a key $import alone, which cosmiconfig would act on', async () => {
    const dir = workspace({
      'rawhttp.config.json': '{"$import":"./other.json"}',
      'other.json': '{"stolen":true}',
    })
    expect((await load(dir)).loaded?.config).toEqual({ $import: './other.json' })
  })
})

describe('a config function', () => {
  const context = 'export default CONTEXT => ({ got: { command, mode, home: env.HOME } })'

  it.each([
    ['sync', '({ command, mode, env })'],
    ['async', 'async ({ command, mode, env })'],
  ])('is called with command, mode and env when it is %s', async (_, parameters) => {
    const dir = workspace({ 'rawhttp.config.mjs': context.replace('CONTEXT', parameters) })
    const { loaded } = await load(dir, { mode: 'staging', env: { HOME: '/h' } })
    expect(loaded?.config).toEqual({ got: { command: 'check', mode: 'staging', home: '/h' } })
  })

  it('that throws is an error with file and line', async () => {
    const dir = workspace({
      'rawhttp.config.mjs': 'export default () => {\n  throw new Error("no database")\n}',
    })
    const message = 'ConfigError: rawhttp.config.mjs: the config function threw: line 2: no database'
    expect(await loadError(dir)).toBe(message)
  })
})

describe('a config that cannot be used', () => {
  const cases: readonly (readonly [
    what: string,
    files: Readonly<Record<string, string>>,
    message: string,
  ])[] = [
    [
      'without a default export',
      { 'rawhttp.config.mjs': 'export const config = {}' },
      'rawhttp.config.mjs: expected a default export: export default defineConfig({ … }), got only the exports config',
    ],
    [
      'without any export',
      { 'rawhttp.config.mjs': 'const config = {}' },
      'rawhttp.config.mjs: expected a default export: export default defineConfig({ … }), got no exports',
    ],
    [
      'that is empty',
      { 'rawhttp.config.mjs': ' \n' },
      'rawhttp.config.mjs: expected a default export: export default defineConfig({ … }), got an empty file',
    ],
    [
      'with a syntax error in TypeScript',
      { 'rawhttp.config.mts': 'const a = 1\n\nexport default { a: [1, }\n' },
      'rawhttp.config.mts: line 3: syntax error: Expression expected',
    ],
    [
      'with a syntax error in JavaScript',
      { 'rawhttp.config.mjs': 'const a = 1\n\nexport default { a: [1, }\n' },
      "rawhttp.config.mjs: line 3: syntax error: Unexpected token '}'",
    ],
    [
      'with a syntax error in JSON',
      { 'rawhttp.config.json': '{\n  "plugins": [],\n}' },
      'rawhttp.config.json: line 3: syntax error: Expected double-quoted property name',
    ],
    [
      'with a JSON mistake that V8 gives no position for',
      { 'rawhttp.config.json': '{\n  "plugins":\n  [nope]\n}' },
      "rawhttp.config.json: line 3: syntax error: Unexpected token 'o'",
    ],
    [
      'of JSON that ends too early',
      { 'rawhttp.config.json': '{\n  "plugins":\n' },
      'rawhttp.config.json: line 3: syntax error: Unexpected end of JSON input',
    ],
    [
      'whose import has a syntax error',
      { 'rawhttp.config.mts': "import './part.mts'\nexport default {}", 'part.mts': '\nconst = 1' },
      'rawhttp.config.mts: part.mts, line 2: syntax error: Unexpected token `=`',
    ],
    [
      'that throws while it loads',
      { 'rawhttp.config.mjs': '\nconst a = foo()\nexport default a' },
      'rawhttp.config.mjs: line 2: ReferenceError: foo is not defined',
    ],
    [
      'that throws no error but a string',
      { 'rawhttp.config.mjs': "throw 'nothing'" },
      "rawhttp.config.mjs: expected no throw, got 'nothing'",
    ],
    [
      'with an enum',
      { 'rawhttp.config.mts': 'enum A { b }\nexport default A' },
      'rawhttp.config.mts: line 1: syntax error: TypeScript enum is not supported in strip-only mode; Node only strips types: write it in syntax that can be erased (tsc: erasableSyntaxOnly)',
    ],
    [
      'of CommonJS that exports nothing',
      { 'package.json': '{"type":"commonjs"}', 'rawhttp.config.js': 'const config = { plugins: [] }' },
      'rawhttp.config.js: expected a default export: export default defineConfig({ … }), got no exports',
    ],
    [
      'that imports what a module does not have',
      { 'rawhttp.config.mjs': "import { no } from 'node:fs'\nexport default {}" },
      "rawhttp.config.mjs: line 1: The requested module 'node:fs' does not provide an export named 'no'",
    ],
    [
      'that imports a package which is not installed',
      { 'rawhttp.config.mjs': "import 'not-there'\nexport default {}" },
      "rawhttp.config.mjs: Cannot find package 'not-there' imported from DIR/rawhttp.config.mjs; is it installed? npm install not-there",
    ],
    [
      'that imports a file without its extension',
      { 'rawhttp.config.mjs': "import './part'\nexport default {}", 'part.ts': '' },
      "rawhttp.config.mjs: Cannot find module 'DIR/part' imported from DIR/rawhttp.config.mjs; Node needs the whole name: import '…/part.ts'",
    ],
    [
      'that imports a .ts file as .js',
      { 'rawhttp.config.mjs': "import './part.js'\nexport default {}", 'part.ts': '' },
      "rawhttp.config.mjs: Cannot find module 'DIR/part.js' imported from DIR/rawhttp.config.mjs; Node needs the whole name: import '…/part.ts'",
    ],
    [
      'that imports TypeScript from node_modules',
      {
        'rawhttp.config.mjs': "import 'typed'\nexport default {}",
        'node_modules/typed/package.json': '{"exports":"./i.ts","type":"module"}',
        'node_modules/typed/i.ts': '',
      },
      'rawhttp.config.mjs: Stripping types is currently unsupported for files under node_modules, for "DIR/node_modules/typed/i.ts"; Node does not strip types under node_modules: the package must ship JavaScript',
    ],
    [
      "that cosmiconfig's own config put in front",
      { '.config/config.yaml': 'rawhttp:\n  plugins: []\n', 'package.json': '{}' },
      'DIR/.config/config.yaml',
    ],
  ]

  it.each(cases)('%s is one sentence', async (_, files, expected) => {
    const dir = workspace(files)
    const message = await loadError(dir)
    expect(message.replaceAll(dir, 'DIR')).toContain(
      `ConfigError: ${expected}`.replace('DIR/.config', '.config'),
    )
    expect(message).not.toContain('\n')
  })

  it('because it is a folder is said, not passed over', async () => {
    const dir = workspace(moduleType)
    mkdirSync(join(dir, 'rawhttp.config.ts'))
    expect(await loadError(dir)).toBe('ConfigError: rawhttp.config.ts: expected a config file, got a folder')
  })

  it('given by name and missing is said', async () => {
    const dir = workspace()
    const message = 'ConfigError: nope.mjs: expected a config file, got no such file'
    expect(await loadError(dir, { file: 'nope.mjs' })).toBe(message)
  })

  it('given by name with another ending is refused', async () => {
    const message = await loadError(workspace({ 'x.yaml': '' }), { file: 'x.yaml' })
    expect(message).toContain(
      "x.yaml: expected a config file that ends in .ts, .mts, .cts, .js, .mjs, .cjs, .json, got '.yaml'",
    )
  })

  it('given by name as a package.json without the key is said', async () => {
    const message = await loadError(workspace({ 'package.json': '{}' }), { file: 'package.json' })
    expect(message).toBe("ConfigError: package.json#rawhttp: expected a key 'rawhttp', got none")
  })

  it('is named with its whole path outside the working directory', async () => {
    const dir = workspace({ 'rawhttp.config.mjs': '' })
    expect(await loadError(dir, { processDir: '/' })).toContain(
      `${dir.slice(1)}/rawhttp.config.mjs: expected`,
    )
  })
})
