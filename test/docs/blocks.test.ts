import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { configSchema } from '../../core/config/schema.ts'
import { workspace } from '../core/config/workspace.ts'
import { allBlocks, type Block, blocksOf } from './blocks.ts'
import { commandsOf, problemOf } from './commands.ts'
import { blockFolder, moduleOf, typeErrors } from './typed-blocks.ts'

const root = join(import.meta.dirname, '../..')
const blocks = allBlocks()
const at = ({ page, line }: Block): string => `${page}:${line}`
/** A block that quotes a file of the repository: ```` ```yaml deploy/kubernetes/deployment.yaml ````. */
const isQuote = ({ info }: Block): boolean =>
  /^[\w.-]+(?:\/[\w.-]+)*$/.test(info) && existsSync(join(root, info))
const written = (language: string): Block[] =>
  blocks.filter(block => block.language === language && !isQuote(block))
const isUnchecked = ({ info }: Block): boolean => info.startsWith('nocheck')

/** Loads configs as the command line does; gives what is wrong with each, by its file. */
async function loadErrors(files: readonly string[]): Promise<Record<string, string>> {
  const script = join(import.meta.dirname, 'load-blocks.ts')
  const args = ['--conditions=rawhttp-source', script, ...files]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 })
  return JSON.parse(stdout) as Record<string, string>
}

test('every block says what it is written in', () => {
  const configs = ['ini', 'dockerfile', 'nginx', 'caddyfile', 'haproxy', 'logrotate']
  const known = ['ts', 'sh', 'json', 'yaml', 'html', 'http', 'text', ...configs]
  expect(blocks.filter(({ language }) => !known.includes(language)).map(at)).toEqual([])
})

test('a block that nobody checks says why, and is rare', () => {
  const unchecked = blocks.filter(isUnchecked)
  expect(unchecked.filter(({ info }) => !/^nocheck: \w.{10,}/.test(info)).map(at)).toEqual([])
  expect(unchecked.length).toBeLessThanOrEqual(3)
})

test('a block that quotes a file says what the file says', () => {
  for (const block of blocks.filter(isQuote))
    expect(readFileSync(join(root, block.info), 'utf8'), at(block)).toContain(block.code)
})

describe('TypeScript', () => {
  const typed = written('ts').filter(block => !isUnchecked(block))

  test('compiles against the sources', { timeout: 120_000 }, async () => {
    expect(typed.length).toBeGreaterThan(50)
    expect(await typeErrors(typed)).toEqual([])
  })

  test('is loaded and validated where it is a whole config', { timeout: 60_000 }, async () => {
    await using folder = await blockFolder(typed)
    const isConfig = ({ code, given }: Block) => code.includes('export default defineConfig(') && given === ''
    const configs = [...folder.blocks].filter(([, block]) => isConfig(block))
    expect(configs.length).toBeGreaterThan(10)
    const wrong = await loadErrors(configs.map(([file]) => join(folder.dir, file)))
    const named = configs.map(([file, block]) => [at(block), wrong[join(folder.dir, file)]])
    expect(Object.fromEntries(named.filter(([, error]) => error !== undefined))).toEqual({})
  })

  const block = (code: string, line = 2, given = ''): Block => ({
    page: 'a.md',
    line,
    language: 'ts',
    info: '',
    code,
    given,
  })

  test('that is wrong is told by its place in the page', { timeout: 60_000 }, async () => {
    const wrong = [
      block("import { defineConfig } from 'rawhttp'\n\nexport default defineConfig({ lisen: [] })", 5),
      block("plugins: ['a', 1]", 9),
      block("listen: [{ port: 1 }],\nunknownHost: 'nowhere',", 20),
    ]
    const errors = await typeErrors(wrong)
    expect(errors.map(error => error.slice(0, 21)).sort()).toEqual([
      'a.md:21: error TS2322',
      'a.md:7: error TS2769:',
      'a.md:9: error TS2322:',
    ])
  })

  test('has what earlier blocks of its page imported, and what it is given', () => {
    const first = block("import { scope as only } from 'rawhttp'\nimport * as v from 'valibot'")
    const given = 'declare const users: string[];'
    const [head] = moduleOf(block('only({}, [v, users])', 9, given), [first]).split('\n')
    expect(head).toContain('import { scope as only } from "rawhttp";')
    expect(head).toContain('import * as v from "valibot";')
    expect(head).toContain(given)
    expect(moduleOf(block('const only = 1, v = only'), [first])).not.toContain('import { scope')
  })
})

describe('JSON', () => {
  const keys = Object.keys(configSchema.pipe[1].entries)
  const parsed = written('json').map(block => [block, JSON.parse(block.code) as object] as const)

  test('that is a config says so, and loads', async () => {
    for (const [block, value] of parsed)
      expect(block.info === 'config', at(block)).toBe(Object.keys(value).some(key => keys.includes(key)))
    const configs = parsed.filter(([{ info }]) => info === 'config').map(([block]) => block)
    const files = configs.map(block => {
      return join(workspace({ 'rawhttp.config.json': block.code }), 'rawhttp.config.json')
    })
    expect(Object.values(await loadErrors(files))).toEqual([])
  })
})

test('YAML is YAML', () => {
  for (const { code } of written('yaml')) expect(parseYaml(code)).toBeInstanceOf(Object)
})

describe('a block of shell', () => {
  const commands = written('sh').flatMap(block =>
    commandsOf(block.code).map(words => [`${at(block)}: ${words.join(' ')}`, words] as const),
  )

  test('calls commands that there are, with flags that they take', () => {
    expect(commands.filter(([, words]) => words.includes('rawhttp')).length).toBeGreaterThan(3)
    const wrong = commands.flatMap(([name, words]) => {
      const problem = problemOf(words)
      return problem === null ? [] : [`${name}: ${problem}`]
    })
    expect(wrong).toEqual([])
  })

  test.each([
    ['npx rawhttp strt', "unknown command 'strt'"],
    ['rawhttp check --prot 1', 'unknown flag --prot'],
    ['npm run rawhttp -- reload ./public', 'takes only flags'],
    ['npm run such', 'package.json has no script such'],
    ['node test/no/such.ts', 'there is no test/no/such.ts'],
  ])('%s is found out', (line, problem) => {
    expect(commandsOf(`cd x && ${line} # so`).map(problemOf)).toEqual([
      null,
      expect.stringContaining(problem),
    ])
  })

  const scripts = written('sh').filter(({ code }) => code.startsWith('node --input-type=module -e "'))

  test.each(scripts.map(block => [at(block), block] as const))('%s runs', async (_, { code }) => {
    const env = { ...process.env, NODE_OPTIONS: '--conditions=rawhttp-source' }
    const run = promisify(execFile)(
      'bash',
      ['-c', `set -e; node() { '${process.execPath}' "$@"; }\n${code}`],
      {
        cwd: root,
        env,
        timeout: 30_000,
      },
    )
    run.child.stdin!.end('secret\n')
    expect((await run).stdout).toMatch(/\$scrypt\$|sha256:/)
  })
})

test('a block in a list is taken without its indent', () => {
  const text = '- item:\n\n  ```sh\n  a\n    b\n  ```\n\n<!-- given: declare const x: 1 -->\n```ts\nx\n```\n'
  expect(blocksOf('a.md', text)).toEqual([
    { page: 'a.md', line: 4, language: 'sh', info: '', code: 'a\n  b', given: '' },
    { page: 'a.md', line: 10, language: 'ts', info: '', code: 'x', given: 'declare const x: 1 ' },
  ])
})

test('a block without an end is an error', () => {
  expect(() => blocksOf('a.md', 'x\n```ts\nx')).toThrow('a.md:2: the block does not end')
})
