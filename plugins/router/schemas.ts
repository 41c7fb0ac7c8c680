import type { StandardIssue, StandardSchema } from 'rawhttp'
import { CheckedContext, type RawContext } from './context.ts'
import { type Issue, ValidationError } from './validation-error.ts'

/** The parts of a request that a schema may check, in the order in which their issues are told. */
export const parts = ['params', 'query', 'headers', 'body'] as const
type PartName = (typeof parts)[number]

/** The schemas of a route; a part that has none stays in its raw form. */
export type Schemas = { readonly [Name in PartName]?: StandardSchema | undefined }

/** A part: what its schema made of it, or what the schema found. */
interface Checked {
  readonly value?: unknown
  /** Also an empty list is a refusal. */
  readonly issues?: readonly StandardIssue[] | undefined
}

/**
 * The schemas among a route's options; null without any.
 *
 * @throws Error for what is no Standard Schema.
 */
export function readSchemas(options: Schemas): Schemas | null {
  const given = parts.filter(name => options[name] !== undefined)
  for (const name of given) {
    if (!isSchema(options[name])) {
      throw new Error(`${name} must be a Standard Schema (standardschema.dev), such as one of zod or valibot`)
    }
  }
  return given.length === 0 ? null : Object.fromEntries(given.map(name => [name, options[name]]))
}

// A schema may be a function too: arktype's are.
function isSchema(value: unknown): boolean {
  const isHolder = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isHolder && typeof (value as StandardSchema)['~standard']?.validate === 'function'
}

/**
 * The context with what the schemas make of its parts; a promise only if a body is read, or a schema makes one.
 *
 * @throws ValidationError with all issues of all parts; HttpError 400, 413 or 415 for a body that cannot be read.
 */
export function checkedContext(schemas: Schemas, raw: RawContext): CheckedContext | Promise<CheckedContext> {
  const checks = parts.map(name =>
    schemas[name] === undefined ? undefined : heard(check(name, schemas[name], raw)),
  )
  if (!checks.some(isPromise)) return contextOf(raw, checks as (Checked | undefined)[])
  return Promise.all(checks).then(checked => contextOf(raw, checked))
}

// The next check may throw at once: then nobody waits for this one, whose failure would end the process.
function heard(checked: Checked | Promise<Checked>): Checked | Promise<Checked> {
  if (isPromise(checked)) checked.then(undefined, () => undefined)
  return checked
}

function check(name: PartName, schema: StandardSchema, raw: RawContext): Checked | Promise<Checked> {
  const { validate } = schema['~standard']
  const result = name === 'body' ? readBody(raw).then(validate) : validate(inputOf(name, raw))
  return isPromise(result) ? result.then(later => read(name, later)) : read(name, result)
}

function inputOf(name: Exclude<PartName, 'body'>, raw: RawContext): unknown {
  if (name === 'params') return raw.params
  return name === 'query' ? objectOf(raw.query) : raw.headers.toObject()
}

// What is no result must not pass for a part without a schema, whose raw form the handler gets.
function read(name: PartName, result: unknown): Checked {
  if (typeof result === 'object' && result !== null) return result as Checked
  throw new TypeError(`the schema of ${name} answered ${String(result)}; expected { value } or { issues }`)
}

function contextOf(raw: RawContext, checked: readonly (Checked | undefined)[]): CheckedContext {
  const refusals = checked.map(part => part?.issues)
  if (refusals.some(Boolean)) throw new ValidationError(refusals.flatMap(issuesOf))
  const values = Object.fromEntries(
    checked.flatMap((part, index) => (part === undefined ? [] : [[parts[index]!, part.value]])),
  )
  return new CheckedContext(raw, values)
}

// Not `map` on lists of a library: it makes another of their own class, and that of arktype's paths takes the length 0
// for its first step.
function issuesOf(issues: readonly StandardIssue[] | undefined, part: number): Issue[] {
  return Array.from(issues ?? [], issue => issueOf(parts[part]!, issue))
}

function issueOf(part: PartName, { message, path = [] }: StandardIssue): Issue {
  const steps = Array.from(path, step => (typeof step === 'object' ? step.key : step))
  return { in: part, path: steps.map(step => (typeof step === 'number' ? step : String(step))), message }
}

/** Names and values as one object without prototype: the list of values where a name came more than once. */
function objectOf<Value>(pairs: Iterable<readonly [string, Value]>): Record<string, Value | Value[]> {
  const lists = new Map<string, Value[]>()
  for (const [name, value] of pairs) {
    const list = lists.get(name)
    if (list === undefined) lists.set(name, [value])
    else list.push(value)
  }
  const object: Record<string, Value | Value[]> = Object.create(null)
  for (const [name, list] of lists) object[name] = list.length === 1 ? list[0]! : list
  return object
}

/** What a body says, by its Content-Type. A message without a body is `undefined`, which most schemas refuse. */
async function readBody({ body, headers }: RawContext): Promise<unknown> {
  if (body.isEmpty) return undefined
  const type = (headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data')
    return objectOf(await body.form())
  return type.startsWith('text/') ? await body.text() : await body.json()
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
