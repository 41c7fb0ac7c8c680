import {
  ConfigError,
  type ExchangeLimits,
  type HttpHeaders,
  type HttpRequest,
  parseHosts,
  parseLimits,
  type SiteLimitsConfig,
} from 'rawhttp'
import { unknownOption } from './key.ts'
import { parts, readSchemas, type Schemas } from './schemas.ts'
import type { Guard, Part, RouteContext, RouteHandler, RouteParams, Schema } from './types.ts'

/** What {@link route} takes beside the handler. */
export interface RouteOptions<
  Params extends Schema = Schema,
  Query extends Schema = Schema,
  Headers extends Schema = Schema,
  Body extends Schema = Schema,
> {
  /** Checks the path parameters, an object of strings. Any Standard Schema: zod, valibot, arktype … */
  readonly params?: Params
  /** Checks the query, an object of strings; a name that came more than once has a list of them. */
  readonly query?: Query
  /** Checks the header fields, an object of strings by lower-case names. */
  readonly headers?: Headers
  /** Checks the body: JSON, the fields of a form, or text, as its Content-Type says. */
  readonly body?: Body
  /** Run one after another before the handler, and before any cache. Default: none. */
  readonly guards?: readonly Guard[] | undefined
  /** Limits of this route: `{ bodyBytes: '10mb', handlerTimeout: '2m' }`. Default: those of the site. */
  readonly limits?: SiteLimitsConfig | undefined
  /** The hosts that the route is for, exact or `*.example.com`. Default: every host of the site. */
  readonly hosts?: readonly string[] | undefined
  /** Fields of the route's operation in the router's OpenAPI document: `summary`, `tags`, `responses` … */
  readonly openapi?: Readonly<Record<string, unknown>> | undefined
}

/** A handler with more to it: the value of a key in a table of routes. Made by {@link route}. */
export class Route<Key extends string = string, Prefix extends string = string> {
  readonly options: RouteOptions
  readonly handler: RouteHandler<never>
  /** Carries the types of key and prefix; never present at run time. */
  declare readonly takes?: (params: RouteParams<Key, Prefix>) => void

  constructor(options: RouteOptions, handler: RouteHandler<never>) {
    this.options = options
    this.handler = handler
  }
}

/**
 * A handler with guards, limits and schemas. In a table the parameters come from the key; defined apart, they come
 * from a schema, or from the key that is named: `route<'GET /users/:id'>(…)`.
 *
 * What a schema refuses is answered 422 with all its issues; the handler gets what the schemas made.
 *
 * @example
 * router({ 'DELETE /users/:id': route({ guards: [adminsOnly] }, ({ params }) => remove(params.id)) })
 * @example
 * const NewUser = z.object({ name: z.string().min(1) })
 * router({ 'POST /users': route({ body: NewUser }, ({ body }) => create(body.name)) })
 */
export function route<
  Key extends string,
  Prefix extends string = '',
  Params extends Schema = undefined,
  Query extends Schema = undefined,
  Headers extends Schema = undefined,
  Body extends Schema = undefined,
>(
  options: RouteOptions<Params, Query, Headers, Body>,
  handler: RouteHandler<
    RouteContext<
      Part<Params, RouteParams<Key, Prefix>>,
      Part<Query, URLSearchParams>,
      Part<Headers, HttpHeaders>,
      Part<Body, HttpRequest['body']>
    >
  >,
): Route<Key, Prefix> {
  return new Route(options, handler)
}

/** A route's parts, from what stands behind its key. */
export interface RouteParts {
  readonly guards: readonly Guard[]
  /** Null without any: then the handler gets the raw forms. */
  readonly schemas: Schemas | null
  /** Null for those of the site. */
  readonly limits: Partial<ExchangeLimits> | null
  /** Null for every host. */
  readonly hosts: readonly string[] | null
  readonly handler: RouteHandler<never>
}

const known = [...parts, 'guards', 'limits', 'hosts', 'openapi']

/**
 * Reads the value of a key: a handler, or what {@link route} gave.
 *
 * @throws Error with a sentence about what is wrong with it.
 */
export function readRoute(value: unknown): RouteParts {
  if (!(value instanceof Route))
    return { guards: [], schemas: null, limits: null, hosts: null, handler: readHandler(value) }
  const options: unknown = value.options
  if (typeof options !== 'object' || options === null) {
    throw new Error(`expected route(options, handler), got ${kindOf(options)} for the options`)
  }
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown !== undefined) throw new Error(unknownOption(unknown, known))
  const { guards, limits, hosts } = value.options
  return {
    guards: readGuards(guards ?? []),
    schemas: readSchemas(value.options),
    limits: limits === undefined ? null : readConfig(() => parseLimits(limits)),
    hosts: hosts === undefined ? null : readHosts(hosts),
    handler: readHandler(value.handler),
  }
}

function readHandler(handler: unknown): RouteHandler<never> {
  if (typeof handler === 'function') return handler as RouteHandler<never>
  throw new Error(`expected a handler function or route(options, handler), got ${kindOf(handler)}`)
}

/** @throws Error for what is no list of functions. */
export function readGuards(guards: unknown): readonly Guard[] {
  if (!Array.isArray(guards)) throw new Error(`guards must be a list of functions, got ${kindOf(guards)}`)
  for (const [index, guard] of guards.entries()) {
    if (typeof guard !== 'function')
      throw new Error(`guards[${index}] must be a function, got ${kindOf(guard)}`)
  }
  return guards
}

function readConfig<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new Error(`${error.path}: ${error.detail}`, { cause: error })
  }
}

/** Null for every host. */
function readHosts(hosts: readonly string[]): readonly string[] | null {
  const read = readConfig(() => parseHosts(hosts))
  return read.includes('*') ? null : read
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (value === null || typeof value !== 'object') return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
