import { globSync, readFileSync } from 'node:fs'
import { type Comment, type Program, parseSync, Visitor } from 'oxc-parser'
import { fromRoot } from './root.ts'

/** What a source says of a member. */
export interface Member {
  readonly comment: string
  /** As it is written; null where it is left to inference. */
  readonly type: string | null
}

/** What the comments of one object say: of an interface, which has a name, or of the entries of a schema. */
export interface Described extends ReadonlyMap<string, Member> {
  readonly name?: string | undefined
}

/** A source with the comment of any place in it. */
export interface Commented {
  readonly program: Program
  /** The text of the TSDoc comment that ends right before, or null. */
  before(start: number): string | null
}

/** Parses a source, or a declaration file. */
export function readCommented(file: string, source = readFileSync(file, 'utf8')): Commented {
  const { program, comments, errors } = parseSync(file, source)
  if (errors[0] !== undefined) throw new Error(`${file} does not parse: ${errors[0].message}`)
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
  const before = (start: number): string | null => {
    const comment = docs.findLast(({ end }) => end <= start)
    return comment !== undefined && source.slice(comment.end, start).trim() === '' ? textOf(comment) : null
  }
  return { program, before }
}

/** Without the stars at the beginning of each line. */
const textOf = ({ value }: Comment): string =>
  value
    .slice(1)
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()

/** Sources do not change while a site is built, and folders are asked for more than once. */
const known = new Map<string, Described[]>()

/** Every object of a folder whose members have comments. */
export function describedIn(folder: string): readonly Described[] {
  const found = known.get(folder) ?? readFolder(folder)
  known.set(folder, found)
  return found
}

function readFolder(folder: string): Described[] {
  return globSync(`${folder}/*.ts`, { cwd: fromRoot() })
    .sort()
    .flatMap(file => describedObjects(fromRoot(file)))
}

interface WrittenMember {
  readonly start: number
  readonly key?: { readonly name?: string }
  readonly typeAnnotation?: { readonly typeAnnotation: { readonly start: number; readonly end: number } }
}

function describedObjects(file: string): Described[] {
  const source = readFileSync(file, 'utf8')
  const { program, before } = readCommented(file, source)
  const found: Described[] = []
  const add = (members: readonly WrittenMember[], name?: string) => {
    const entries = members.flatMap(({ key, start, typeAnnotation }): [string, Member][] => {
      const comment = before(start)
      if (comment === null) return []
      const { typeAnnotation: type } = typeAnnotation ?? {}
      return [[key?.name ?? '', { comment, type: type ? source.slice(type.start, type.end) : null }]]
    })
    found.push(Object.assign(new Map(entries), { name }))
  }
  new Visitor({
    TSInterfaceDeclaration: ({ id, body }) => add(body.body as never, id.name),
    TSTypeLiteral: ({ members }) => add(members as never),
    ObjectExpression: ({ properties }) => add(properties as never),
  }).visit(program)
  return found.filter(({ size }) => size > 0)
}

/** Of several objects the one that knows most of an object's options, and describes this one. */
export function descriptionOf(
  name: string,
  siblings: readonly string[],
  all: readonly Described[],
): Member | null {
  const having = all.filter(described => described.has(name))
  const known = (described: Described) => siblings.filter(sibling => described.has(sibling)).length
  const strangers = (described: Described) =>
    [...described.keys()].filter(key => !siblings.includes(key)).length
  const best = having.toSorted((a, b) => known(b) - strangers(b) - (known(a) - strangers(a)))[0]
  return best?.get(name) ?? null
}
