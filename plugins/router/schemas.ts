import type { StandardIssue, StandardSchema } from 'rawhttp'
import { CheckedContext, type RawContext } from './context.ts'
import { type Issue, ValidationError } from './validation-error.ts'

/** The parts of a request that a schema may check, in the order in which their issues are told. */
export const parts = ['params', 'query', 'headers', 'body'] as const
type PartName = (typeof parts)[number]

/** The schemas of a route; a part that has none stays in its raw form. */
export type Schemas = { readonly [Name in PartName]?: StandardSchema | undefined }

/** A part: what its schema made of it, or what the schema found. */
type Checked = { readonly value: unknown } | { readonly issues: readonly StandardIssue[] }

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
  if (name === 'params') return validate(raw.params)
  if (name === 'query') return validate(objectOf(raw.query))
  if (name === 'headers') return validate(raw.headers.toObject())
  return readBody(raw).then(validate)
}

function contextOf(raw: RawContext, checked: readonly (Checked | undefined)[]): CheckedContext {
  const issues = checked.flatMap((part, index) =>
    part !== undefined && 'issues' in part && part.issues !== undefined
      ? Array.from(part.issues, issue => issueOf(parts[index]!, issue))
      : [],
  )
  if (issues.length > 0) throw new ValidationError(issues)
  const values = Object.fromEntries(
    checked.flatMap((part, index) => (part === undefined ? [] : [[parts[index]!, (part as Made).value]])),
  )
  return new CheckedContext(raw, values)
}

interface Made {
  readonly value: unknown
}

function issueOf(part: PartName, { message, path = [] }: StandardIssue): Issue {
  // Not `path.map`: it makes another of the path's own class, and arktype's takes the length 0 for its first step.
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
