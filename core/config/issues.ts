import type { ConfigProblem } from './errors.ts'
import { show } from './show.ts'
import { didYouMean } from './suggest.ts'

type Step = PropertyKey | { readonly key: unknown }

/** An issue of any Standard Schema; valibot's have the optional fields too. */
interface Issue {
  readonly message: string
  readonly path?: readonly Step[] | undefined
  readonly type?: unknown
  readonly expected?: unknown
  readonly input?: unknown
}

/** How problems are made from a schema's issues. */
interface ProblemOptions {
  /** The option path that the issues' paths go below. */
  readonly base: string
  readonly file: string | null
  /** Whether each message is only the phrase after "expected", as in schema.ts. */
  readonly phrases?: boolean
  /** More help for a key that is unknown where it stands. */
  readonly hint?: (key: string) => string | null
}

/** Problems with option paths, made from the issues of any Standard Schema. */
export function problemsOf(
  schema: unknown,
  issues: readonly Issue[],
  options: ProblemOptions,
): ConfigProblem[] {
  return issues.map(issue => {
    const keys = (issue.path ?? []).map(keyOf)
    return {
      file: options.file,
      path: formatPath(options.base, keys),
      ...describe(schema, issue, keys, options),
    }
  })
}

/** An option path: `sites[0].limits.bodyBytes`. */
function formatPath(base: string, keys: readonly PropertyKey[]): string {
  const path = keys.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return /^[\w$]+$/.test(String(key)) ? `${text}.${String(key)}` : `${text}[${show(key)}]`
  }, base)
  return path.startsWith('.') ? path.slice(1) : path
}

function describe(
  schema: unknown,
  issue: Issue,
  keys: readonly PropertyKey[],
  { phrases = false, hint }: ProblemOptions,
): ConfigProblem {
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return unknownOption(schema, keys, hint)
  }
  // valibot's way to say that a key is missing: it expected the key's own name.
  if (issue.type === 'strict_object' && issue.expected === JSON.stringify(keys.at(-1))) {
    return { problem: 'is required' }
  }
  if (phrases) return { expected: issue.message, received: show(issue.input) }
  const standard = /^Invalid [\w ]+: Expected (.+) but received .+$/s.exec(issue.message)
  return standard ? { expected: standard[1]!, received: show(issue.input) } : { problem: issue.message }
}

function unknownOption(
  schema: unknown,
  keys: readonly PropertyKey[],
  hint: ProblemOptions['hint'],
): ConfigProblem {
  const key = String(keys.at(-1))
  const known = keysAt(schema, keys.slice(0, -1))
  const help =
    hint?.(key) ?? didYouMean(key, known) ?? (known.length > 0 ? `known are ${known.join(', ')}` : null)
  return { problem: 'unknown option', ...(help === null ? {} : { hint: help }) }
}

interface ValibotSchema {
  readonly entries?: Readonly<Record<string, ValibotSchema>>
  readonly item?: ValibotSchema
  readonly wrapped?: ValibotSchema
  /** Of what has several forms: the one for an input. */
  readonly getter?: (input: unknown) => ValibotSchema
  readonly pipe?: readonly ValibotSchema[]
}

/** The keys that a valibot object schema knows at a path; none for schemas that do not tell. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let here: ValibotSchema | undefined = bare(schema as ValibotSchema)
  for (const key of path) here = bare(here?.entries?.[String(key)] ?? here?.item)
  return Object.keys(here?.entries ?? {})
}

function bare(schema: ValibotSchema | undefined): ValibotSchema | undefined {
  if (schema?.wrapped) return bare(schema.wrapped)
  // Only an object has keys that can be unknown.
  if (schema?.getter) return bare(schema.getter({}))
  return schema?.pipe?.map(bare).find(step => step?.entries ?? step?.item) ?? schema
}

function keyOf(step: Step): PropertyKey {
  const key = typeof step === 'object' ? step.key : step
  return typeof key === 'number' || typeof key === 'symbol' ? key : String(key)
}
