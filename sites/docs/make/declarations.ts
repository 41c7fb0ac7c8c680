import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Directive, Statement } from 'oxc-parser'
import { type Commented, readCommented } from './comments.ts'
import { fromRoot } from './root.ts'

/** An exported name, as its declaration file has it: types are resolved there, and bodies gone. */
export interface Declaration {
  readonly name: string
  /** `core/plugin.ts`, without the extension. */
  readonly file: string
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'const'
  /** Overloads of a function one after the other; of a class and an interface the head alone. */
  readonly signatures: readonly string[]
  /** The TSDoc comment of the first signature that has one. */
  readonly comment: string
  readonly members: readonly Member[]
}

/** What a class or an interface has, private and internal parts left out. */
export interface Member {
  readonly signature: string
  readonly comment: string
}

/** What the public entries export, by the name that one imports them by: `rawhttp`, `rawhttp/plugins/tls`. */
export type Declarations = ReadonlyMap<string, readonly Declaration[]>

/** Has tsc write the declaration files of the sources, and reads what the entries of the package export. */
export async function readDeclarations(): Promise<Declarations> {
  const dir = mkdtempSync(join(tmpdir(), 'rawhttp-declarations-'))
  try {
    const args = ['-p', fromRoot('tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', dir]
    await promisify(execFile)(fromRoot('node_modules/.bin/tsc'), args, { timeout: 120_000 })
    const all = entries().map(
      ([name, source]) => [name, exportsOf(join(dir, declarationFile(source)), dir)] as const,
    )
    return new Map(all)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** The entries in package.json's `exports` that are there, with their sources. */
function entries(): [name: string, source: string][] {
  const { exports } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly 'rawhttp-source': string }>>
  }
  return Object.entries(exports).flatMap(([path, target]): [string, string][] => {
    if (typeof target === 'string' || !existsSync(fromRoot(target['rawhttp-source']))) return []
    return [[path.replace('.', 'rawhttp'), target['rawhttp-source']]]
  })
}

const declarationFile = (source: string): string => source.replace(/\.ts$/, '.d.ts')

/** Follows `export … from './x.ts'` to where each name is declared. */
function exportsOf(file: string, dir: string): Declaration[] {
  const parsed = new Parsed(file)
  const own = parsed.declarations(relative(dir, file).replace(/\.d\.ts$/, ''))
  const passed = parsed.reexports().flatMap(({ from, names }) => {
    const all = exportsOf(join(dirname(file), declarationFile(from)), dir)
    return names.map(({ local, exported }) => {
      const found = all.find(({ name }) => name === local)
      if (found === undefined) throw new Error(`${file}: ${from} exports no ${local}`)
      return { ...found, name: exported }
    })
  })
  return [...own, ...passed]
}

type Node = { readonly start: number; readonly end: number }
type Named = Node & { readonly type: string; readonly id?: { readonly name: string } | null }

/** A declaration file. */
class Parsed {
  readonly #source: string
  readonly #commented: Commented
  readonly #body: readonly (Statement | Directive)[]

  constructor(file: string) {
    this.#source = readFileSync(file, 'utf8')
    this.#commented = readCommented(file, this.#source)
    this.#body = this.#commented.program.body
  }

  reexports() {
    return this.#body.flatMap(node => {
      if (node.type !== 'ExportNamedDeclaration' || node.source === null) return []
      const names = node.specifiers.map(({ local, exported }) => ({
        local: nameOf(local),
        exported: nameOf(exported),
      }))
      return [{ from: node.source.value, names }]
    })
  }

  declarations(file: string): Declaration[] {
    const found = new Map<string, Declaration>()
    for (const node of this.#body) {
      if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) continue
      const next = this.#declaration(
        node.declaration as Named,
        this.#commented.before(node.start) ?? '',
        file,
      )
      const before = found.get(next.name)
      found.set(next.name, before === undefined ? next : overloaded(before, next))
    }
    return [...found.values()]
  }

  #declaration(node: Named, comment: string, file: string): Declaration {
    const kind = kinds[node.type]
    if (kind === undefined) throw new Error(`${file}: cannot document a ${node.type}`)
    const [first] = 'declarations' in node ? (node.declarations as Named[]) : [node]
    const name = nameOf(first!.id!)
    const body = 'body' in node ? (node.body as Node & { readonly body?: readonly Node[] }) : null
    const isOpen = kind === 'class' || kind === 'interface'
    const head = this.#text(node.start, isOpen ? body!.start : node.end)
    return {
      name,
      file,
      kind,
      signatures: [head],
      comment,
      members: isOpen ? this.#members(body!.body ?? []) : [],
    }
  }

  #members(nodes: readonly Node[]): Member[] {
    return nodes.flatMap(node => {
      const comment = this.#commented.before(node.start) ?? ''
      const signature = this.#text(node.start, node.end)
      const isHidden = /^(?:#|private\b)/.test(signature) || comment.startsWith('@internal')
      return isHidden ? [] : [{ signature, comment }]
    })
  }

  /** Without the names of files, which tsc writes before names that it has inferred, and comments inside. */
  #text(start: number, end: number): string {
    return this.#source
      .slice(start, end)
      .replaceAll(/import\("[^"]*"\)\./g, '')
      .replaceAll(/\/\*\*.*?\*\/\s*/gs, '')
      .replace(/^declare /, '')
      .replace(/;?\s*$/, '')
  }
}

const kinds: Readonly<Record<string, Declaration['kind']>> = {
  TSDeclareFunction: 'function',
  FunctionDeclaration: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  VariableDeclaration: 'const',
}

const nameOf = (node: { readonly name?: string; readonly value?: unknown }): string =>
  node.name ?? String(node.value)

const overloaded = (one: Declaration, other: Declaration): Declaration => ({
  ...one,
  signatures: [...one.signatures, ...other.signatures],
  comment: one.comment === '' ? other.comment : one.comment,
})
