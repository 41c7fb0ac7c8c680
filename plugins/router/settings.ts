import type { HttpError, HttpRequest, HttpResponse } from 'rawhttp'
import { unknownOption } from './key.ts'
import { type OpenApiOptions, readOpenApi, withDocument } from './openapi.ts'
import { RouteTable } from './table.ts'

/** What a router does with a path that is known only with a trailing slash more, or less. */
export type TrailingSlash = 'strict' | 'ignore' | 'redirect'

/** Options of a router. */
export interface RouterOptions {
  /**
   * Whether requests below the prefix that no route takes go on to what comes later, for example the page of a
   * single-page application; else they are 404, or 405 with Allow. Only with a prefix. Default: false.
   */
  readonly passThrough?: boolean | undefined
  /**
   * Whether `/users/` is `/users`: not (`strict`), one and the same (`ignore`), or a 308 to the one that has a route
   * (`redirect`), which keeps method, body and query. Default: `'strict'`.
   */
  readonly trailingSlash?: TrailingSlash | undefined
  /**
   * Answers the errors of this router's routes: what handlers, guards and schemas throw, and their time-outs. An
   * unexpected throw comes as a 500 with the thrown value as `cause`. Without an answer it goes the usual way.
   */
  readonly onError?: ((error: HttpError, request: HttpRequest) => HttpResponse | undefined | void) | undefined
  /** Describes the routes as an OpenAPI 3.1 document, at a path below the prefix. Default: no document. */
  readonly openapi?: OpenApiOptions | undefined
}

/** What the taps of one router instance work with. */
export interface RouterSettings {
  readonly table: RouteTable
  /** Whether an unknown path below the prefix is this router's 404. */
  readonly isOwner: boolean
  readonly redirectsSlash: boolean
  readonly onError: RouterOptions['onError'] | null
}

const policies = ['strict', 'ignore', 'redirect']

/** What is wrong with an option's value, or null. */
const checks: Readonly<Record<keyof RouterOptions, (value: unknown) => string | null>> = {
  passThrough: value => (typeof value === 'boolean' ? null : 'expected true or false'),
  trailingSlash: value =>
    policies.includes(value as string) ? null : `expected one of ${policies.map(quote).join(', ')}`,
  onError: value => (typeof value === 'function' ? null : 'expected a function of error and request'),
  openapi: value => (isObject(value) ? null : 'expected an object such as { title, version }'),
}

/**
 * Reads what `router(…)` was called with.
 *
 * @throws Error with a sentence that names the route or the option.
 */
export function readSettings(input: readonly unknown[]): RouterSettings {
  const prefix = typeof input[0] === 'string' ? input[0] : null
  const [routes, options, ...more] = prefix === null ? input : input.slice(1)
  if (!isObject(routes))
    throw new Error(`expected an object of routes, got ${routes === null ? 'null' : typeof routes}`)
  if (more.length > 0) throw new Error('expected router(routes, options) or router(prefix, routes, options)')
  const { passThrough, trailingSlash, onError, openapi } = readOptions(options)
  if (prefix === null && passThrough !== undefined)
    throw new Error('passThrough: only a router with a prefix can pass on what is below it')
  const described = openapi === undefined ? routes : withDocument(routes, prefix ?? '', readOpenApi(openapi))
  return {
    table: new RouteTable(prefix, described, { ignoresSlash: trailingSlash === 'ignore' }),
    isOwner: prefix !== null && passThrough !== true,
    redirectsSlash: trailingSlash === 'redirect',
    onError: onError ?? null,
  }
}

function readOptions(options: unknown): RouterOptions {
  if (options === undefined) return {}
  const names = Object.keys(checks)
  if (!isObject(options)) throw new Error(`expected an object of options: ${names.join(', ')}`)
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) throw new Error(unknownOption(name, names))
    const fault = value === undefined ? null : checks[name as keyof RouterOptions](value)
    if (fault !== null) throw new Error(`${name}: ${fault}, got ${show(value)}`)
  }
  return options
}

const quote = (text: string): string => `'${text}'`
const show = (value: unknown): string =>
  typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value))
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
