import { type Argument, type Expression, parseSync, type StringLiteral, Visitor } from 'oxc-parser'

/** How a file names a module: `type` is gone at run time, `lazy` loads it later, `text` is a string that could. */
type ImportKind = 'type' | 'static' | 'lazy' | 'text'

/** One arrow from a file to a module. `name` is null where it is computed, so that nobody can check it. */
export interface Import {
  readonly kind: ImportKind
  readonly name: string | null
  readonly line: number
}

const kindOf = (written: 'type' | 'value' | null | undefined): ImportKind =>
  written === 'type' ? 'type' : 'static'

/**
 * Every import of a TypeScript source, in whatever way it is written.
 *
 * @throws Error when the source does not parse.
 */
export function importsOf(file: string, source: string): Import[] {
  const { program, errors } = parseSync(file, source)
  if (errors[0] !== undefined) throw new Error(`${file} does not parse: ${errors[0].message}`)
  const found: Import[] = []
  const add = (kind: ImportKind, name: string | null, { start }: { start: number }): void => {
    found.push({ kind, name, line: source.slice(0, start).split('\n').length })
  }
  new Visitor({
    ImportDeclaration: node => add(kindOf(node.importKind), node.source.value, node),
    ExportAllDeclaration: node => add(kindOf(node.exportKind), node.source.value, node),
    ExportNamedDeclaration: node => {
      if (node.source !== null) add(kindOf(node.exportKind), node.source.value, node)
    },
    TSImportType: node => add('type', node.source.value, node),
    ImportExpression: node => add('lazy', literalText(node.source), node),
    CallExpression: node => {
      if (loadsModules(node.callee)) add('lazy', literalText(node.arguments[0]), node)
    },
    Literal: node => {
      if (typeof node.value === 'string') add('text', node.value, node)
    },
  }).visit(program)
  return found
}

/** `require(…)`, `createRequire(…)(…)`, `process.getBuiltinModule(…)` and `getBuiltinModule(…)`. */
function loadsModules(callee: Expression): boolean {
  if (callee.type === 'Identifier') return callee.name === 'require' || callee.name === 'getBuiltinModule'
  if (callee.type === 'MemberExpression') {
    const { property } = callee
    return (
      literalText(property as Expression) === 'getBuiltinModule' || nameOf(property) === 'getBuiltinModule'
    )
  }
  return callee.type === 'CallExpression' && nameOf(callee.callee) === 'createRequire'
}

const nameOf = (node: { readonly type: string }): string | null =>
  node.type === 'Identifier' ? ((node as { readonly name?: string }).name ?? null) : null

/** The text of a string, or of a template without holes. */
function literalText(node: Argument | Expression | undefined): string | null {
  if (node?.type === 'Literal') return typeof node.value === 'string' ? (node as StringLiteral).value : null
  if (node?.type !== 'TemplateLiteral' || node.expressions.length > 0) return null
  return node.quasis[0]?.value.cooked ?? null
}
