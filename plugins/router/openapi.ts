import { HttpResponse, type StandardSchema } from 'rawhttp'
import { type ReadKey, readKey, readPrefix } from './key.ts'
import { type PathTemplate, templatesOf } from './pattern.ts'
import { Route, type RouteOptions, readGuards } from './route.ts'
import { parts } from './schemas.ts'
import type { Guard } from './types.ts'

/** What {@link RouterOptions.openapi} takes. */
export interface OpenApiOptions {
  /** `info.title` and `info.version` of the document. */
  readonly title: string
  readonly version: string
  /** Where the document is, below the router's prefix. Default: `/openapi.json`. */
  readonly path?: `/${string}` | undefined
  /** Who may read it. Default: everybody. */
  readonly guards?: readonly Guard[] | undefined
  /** Further fields of the document: `servers`, `tags`, `components`, `security` … */
  readonly document?: Readonly<Record<string, unknown>> | undefined
}

type Json = Readonly<Record<string, unknown>>

/** Fields that are described by other parts of the specification, and must not be parameters. */
const NO_PARAMETERS = new Set(['accept', 'content-type', 'authorization'])
const DESCRIBED = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'])

/**
 * Reads the option.
 *
 * @throws Error for what is missing, unknown or of another kind.
 */
export function readOpenApi(given: object): OpenApiOptions {
  const {
    title,
    version,
    path = '/openapi.json',
    guards = [],
    document = {},
    ...rest
  } = given as OpenApiOptions
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    throw new Error(`openapi: unknown option "${unknown}"; known are title, version, path, guards, document`)
  for (const [name, value] of Object.entries({ title, version }))
    if (typeof value !== 'string' || value === '') throw new Error(`openapi.${name}: expected a text`)
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new Error('openapi.path: expected a path such as "/openapi.json"')
  return { title, version, path, document, guards: readGuards(guards) }
}

/** The routes with one more, which answers the document that describes them (OpenAPI 3.1.1). */
export function withDocument(routes: Json, prefix: string, options: OpenApiOptions): Json {
  const base = prefix === '' ? '' : readPrefix(prefix)
  const document = HttpResponse.json(documentOf(routes, base, options))
  return { ...routes, [`GET ${options.path}`]: new Route({ guards: options.guards }, () => document) }
}

function documentOf(routes: Json, base: string, { title, version, document }: OpenApiOptions): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [key, value] of Object.entries(routes)) {
    const read = readKey(base, key)
    if (!DESCRIBED.has(read.method)) continue
    for (const template of templatesOf(read.text)) {
      paths[template.path] ??= {}
      paths[template.path]![read.method.toLowerCase()] = operationOf(read, template, value)
    }
  }
  return { openapi: '3.1.1', info: { title, version }, ...document, paths }
}

function operationOf(read: ReadKey, template: PathTemplate, value: unknown): Json {
  const options: RouteOptions = value instanceof Route ? value.options : {}
  const parameters = [
    ...pathParameters(template, options.params),
    ...parametersOf('query', options.query),
    ...parametersOf('header', options.headers).filter(({ name }) => !NO_PARAMETERS.has(String(name))),
  ]
  const body = jsonSchema(options.body)
  const isChecked = parts.some(part => options[part] !== undefined)
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === null || read.method === 'GET' || read.method === 'HEAD'
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: isChecked ? { default: anyAnswer, 422: refusedAnswer } : { default: anyAnswer },
    ...options.openapi,
  }
}

const anyAnswer: Json = { description: 'What the handler answers' }
const refusedAnswer: Json = {
  description: 'The schemas of the route refuse the request',
  content: { 'application/problem+json': { schema: { type: 'object' } } },
}

function pathParameters({ params }: PathTemplate, schema: StandardSchema | undefined): Json[] {
  const known = propertiesOf(schema)
  return params.map(({ name, pattern }) => ({
    name,
    in: 'path',
    required: true,
    schema: known[name] ?? { type: 'string', ...(pattern === null ? {} : { pattern }) },
  }))
}

function parametersOf(place: 'query' | 'header', schema: StandardSchema | undefined): Json[] {
  const required = jsonSchema(schema)?.required ?? []
  return Object.entries(propertiesOf(schema)).map(([name, property]) => ({
    name,
    in: place,
    ...(required.includes(name) ? { required: true } : {}),
    schema: property,
  }))
}

const propertiesOf = (schema: StandardSchema | undefined): Json => jsonSchema(schema)?.properties ?? {}

/** Standard JSON Schema (standardschema.dev): what a schema takes, for those that can tell. */
interface Described {
  readonly required?: readonly string[]
  readonly properties?: Json
}
interface Describing {
  readonly version: 1
  readonly jsonSchema?: {
    input(options: { readonly target: 'draft-2020-12' }): Described & { readonly $schema?: string }
  }
}

/** Null for a schema that has no JSON form: it cannot be described, and its route is listed without it. */
function jsonSchema(schema: StandardSchema | undefined): Described | null {
  const standard: Describing | undefined = schema?.['~standard']
  if (standard?.jsonSchema === undefined) return null
  try {
    const { $schema: _, ...described } = standard.jsonSchema.input({ target: 'draft-2020-12' })
    return described
  } catch {
    return null
  }
}
