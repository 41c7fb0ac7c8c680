import * as v from 'valibot'

/** An option as its schema knows it. */
export interface SchemaOption {
  /** `hsts.maxAge`; in a list of objects `rules[].from`. */
  readonly path: string
  /** What the schema says that it expects: `a duration such as '10s'`. */
  readonly expects: string
  /** As a config would write it; null when the schema has none. */
  readonly default: string | null
  readonly isRequired: boolean
  /** Whether some plain number is taken. */
  readonly takesNumber: boolean
  /** The names of all options of the object that it stands in. */
  readonly siblings: readonly string[]
}

/** The parts of valibot's schemas that lead to others. */
interface Node {
  readonly type: string
  readonly entries?: Readonly<Record<string, Node>>
  readonly wrapped?: Node
  readonly item?: Node
  readonly value?: Node
  readonly pipe?: readonly Node[]
  readonly options?: readonly (Node | string | number)[]
  readonly getter?: (input: unknown) => Node
}

interface ObjectNode {
  readonly entries: Readonly<Record<string, Node>>
  /** What stands between the option and the object: `[]` for a list. */
  readonly suffix: string
}

/** All options of a schema, those of objects in it behind the object. */
export function optionsOf(schema: unknown, prefix = ''): SchemaOption[] {
  return objectsIn(schema as Node).flatMap(({ entries, suffix }) => {
    const siblings = Object.keys(entries)
    const before = prefix === '' && suffix === '' ? '' : `${prefix}${suffix}.`
    return Object.entries(entries).flatMap(([name, node]) => {
      const path = `${before}${name}`
      return [{ path, ...described(node), siblings }, ...optionsOf(node, path)]
    })
  })
}

/** The objects that a schema takes: itself, behind a pipe or a default, in a list, or one of several kinds. */
function objectsIn(node: Node, suffix = ''): ObjectNode[] {
  if (node.entries !== undefined) return [{ entries: node.entries, suffix }]
  if (node.wrapped !== undefined) return objectsIn(node.wrapped, suffix)
  if (node.item !== undefined) return objectsIn(node.item, `${suffix}[]`)
  if (node.type === 'record' && node.value !== undefined) return objectsIn(node.value, `${suffix}.*`)
  if (node.pipe !== undefined) return first(node.pipe, suffix)
  if (node.getter !== undefined) return first(([[], {}, true] as const).map(node.getter), suffix)
  return first(
    (node.options ?? []).filter(each => typeof each === 'object'),
    suffix,
  )
}

function first(nodes: readonly Node[], suffix: string): ObjectNode[] {
  for (const node of nodes) {
    const found = typeof node === 'object' && node !== null && 'type' in node ? objectsIn(node, suffix) : []
    if (found.length > 0) return found
  }
  return []
}

function described(node: Node): Omit<SchemaOption, 'path' | 'siblings'> {
  const isRequired = node.type !== 'optional'
  return {
    expects: expectation(node),
    default: isRequired ? null : written(v.getDefault(node as never)),
    isRequired,
    takesNumber: takes(node, Symbol('anything at all'))
      ? false
      : [1, 5, 64, 8080].some(number => takes(node, number)),
  }
}

/** What the schema says when it gets what nobody would write. Checks that choke on a symbol get a function. */
function expectation(node: Node): string {
  for (const nonsense of [Symbol('nonsense'), () => undefined, Number.NaN]) {
    const message = complaint(node, nonsense)
    if (message !== null) return phrase(message) ?? kinds[kindOf(node)] ?? kindOf(node)
  }
  return 'anything'
}

function complaint(node: Node, value: unknown): string | null {
  try {
    return v.safeParse(node as v.GenericSchema, value).issues?.[0].message ?? null
  } catch {
    return null
  }
}

function takes(node: Node, value: unknown): boolean {
  try {
    return v.safeParse(node as v.GenericSchema, value).success
  } catch {
    return false
  }
}

/** Messages are those of `expected()`, or begin with that word, or are a phrase; valibot's own say nothing to people. */
function phrase(message: string): string | null {
  const [, told] =
    /^(?:(?:Invalid type: E|e)xpected|is not) (.*?)(?: but received .*|, got .*)?$/.exec(message) ?? []
  if (told !== undefined) return /^[a-z]+$|^Array$/.test(told) ? null : told
  return /^(?:(?:a|an|one|the|addresses|permissions|true) |')/.test(message) ? message : null
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  number: 'a number',
  custom: 'a value that its check takes',
}

const kindOf = (node: Node): string => (node.wrapped === undefined ? node.type : kindOf(node.wrapped))

/** A value as a config would write it, or null for none. */
function written(value: unknown): string | null {
  if (value === undefined) return null
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  return JSON.stringify(value)
}
