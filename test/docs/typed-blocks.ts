import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { parseSync } from 'oxc-parser'
import type { Block } from './blocks.ts'

const root = join(import.meta.dirname, '../..')
/** Inside the package, so that 'rawhttp' and its libraries are found as in the sources. */
const folder = join(root, 'tmp')

const tsconfig = {
  extends: join(root, 'tsconfig.json'),
  // A fragment declares what only the reader's code uses; the last one is a matter of the reader's taste.
  compilerOptions: {
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
  },
  include: ['**/*.ts'],
  exclude: [],
}

/** Sees a part of a config, `plugins: [...]`, as what it is a part of. */
const CONFIG_PART =
  "declare function __part(part: import('rawhttp').Config & Partial<import('rawhttp').SiteConfig>): void;"

/** Modules made of blocks, gone with the block of code. */
export interface BlockFolder extends AsyncDisposable {
  readonly dir: string
  /** The block of each file, by its path below `dir`. */
  readonly blocks: ReadonlyMap<string, Block>
}

/** Writes one module a block. */
export async function blockFolder(blocks: readonly Block[]): Promise<BlockFolder> {
  await mkdir(folder, { recursive: true })
  const dir = await mkdtemp(join(folder, 'blocks-'))
  const files = new Map<string, Block>()
  for (const block of blocks) {
    const own = fileOf(block)
    const file = files.has(own) ? join(block.page, `${block.line}.ts`) : own
    files.set(file, block)
    const earlier = blocks.filter(({ page, line }) => page === block.page && line < block.line)
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), moduleOf(block, earlier))
  }
  return { dir, blocks: files, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) }
}

/** Checks all blocks against the sources in one run of tsc; gives its complaints, each with the place in its page. */
export async function typeErrors(blocks: readonly Block[]): Promise<string[]> {
  await using written = await blockFolder(blocks)
  await writeFile(join(written.dir, 'tsconfig.json'), JSON.stringify(tsconfig))
  return (await tsc(written.dir)).map(line => placed(line, written))
}

/** A block that begins with the name of its file, `// maintenance.ts`, can be imported by the others of its page. */
function fileOf({ page, line, code }: Block): string {
  const [, name] = /^\/\/ ([\w./-]+\.ts)\n/.exec(code) ?? []
  return join(page, name ?? `${line}.ts`)
}

/** The block as a module in which each line of code has the number that it has in its page. */
export function moduleOf({ code, given, line }: Block, earlier: readonly Block[]): string {
  const text = withParts(code)
  const taken = importsOf(text)
  const inherited = new Map(earlier.flatMap(block => [...importsOf(withParts(block.code))]))
  const imports = [...inherited].flatMap(([name, statement]) =>
    taken.has(name) || declares(text, name) || !new RegExp(`\\b${name}\\b`).test(text + given)
      ? []
      : [statement],
  )
  const first = [...imports, given.replaceAll('\n', ' '), CONFIG_PART, 'export {};'].join(' ')
  return `${first}${'\n'.repeat(line - 1)}${text}\n`
}

/** Import statements by the name that they bring in. */
function importsOf(text: string): Map<string, string> {
  const { staticImports } = parseSync('block.ts', text).module
  const entries = staticImports.flatMap(({ entries, moduleRequest }) =>
    entries.map(({ importName, localName }): [string, string] => {
      const from = JSON.stringify(moduleRequest.value)
      if (importName.kind === 'NamespaceObject')
        return [localName.value, `import * as ${localName.value} from ${from};`]
      const name = importName.kind === 'Default' ? 'default' : importName.name
      return [localName.value, `import { ${name} as ${localName.value} } from ${from};`]
    }),
  )
  return new Map(entries)
}

const declares = (text: string, name: string): boolean =>
  new RegExp(`\\b(?:const|let|function|class|interface|type) ${name}\\b`).test(text)

/**
 * Puts parts of a config, `plugins: [...]`, into calls that check them. Each part stands for itself, or commas join them
 * to one, which then ends at an empty line.
 */
function withParts(code: string): string {
  return (
    withStatements(code) ??
    code
      .split('\n\n')
      .map(part => withStatements(part) ?? withOnePart(part))
      .join('\n\n')
  )
}

function withStatements(code: string): string | null {
  const { program, errors } = parseSync('block.ts', code)
  if (errors.length > 0) return null
  const parts = program.body.filter(({ type }) => type === 'LabeledStatement').reverse()
  return parts.reduce(
    (text, { start, end }) => `${text.slice(0, start)};__part({${text.slice(start, end)}})${text.slice(end)}`,
    code,
  )
}

function withOnePart(code: string): string {
  const at = code.search(/^\w+: /m)
  return at < 0 ? code : `${code.slice(0, at)};__part({${code.slice(at)}\n})`
}

async function tsc(dir: string): Promise<string[]> {
  const command = join(root, 'node_modules/.bin/tsc')
  const run = promisify(execFile)(command, ['-p', dir, '--pretty', 'false'], { cwd: root, timeout: 120_000 })
  const { stdout } = await run.catch(error => {
    // Code 1 and 2 come with complaints; what has none is a tsc that did not run.
    if (!error.stdout) throw error
    return error as { readonly stdout: string }
  })
  // What is indented goes on with the line before.
  return stdout.split(/\n(?! )/).filter(line => line !== '')
}

/** `tmp/blocks-x/README.md/30.ts(31,5): error …` as `README.md:31: error …`. */
function placed(complaint: string, { dir, blocks }: BlockFolder): string {
  const [, file, line, text] = /^(.+?)\((\d+),\d+\): (.*)$/s.exec(complaint) ?? []
  if (file === undefined) return complaint
  return `${blocks.get(relative(dir, join(root, file)))?.page ?? file}:${line}: ${text}`
}
