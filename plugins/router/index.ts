import { definePlugin, type PluginEntry } from 'rawhttp'
import type { RouterOptions } from './settings.ts'
import { type RouterSettings, readSettings } from './settings.ts'
import { tapSite } from './taps.ts'
import type { Routes } from './types.ts'

export type { OpenApiOptions } from './openapi.ts'
export { type Route, type RouteOptions, route } from './route.ts'
export type { RouterOptions, TrailingSlash } from './settings.ts'
export type {
  Answer,
  Guard,
  Method,
  Part,
  PathParams,
  RouteContext,
  RouteHandler,
  RouteKey,
  RouteParams,
  Routes,
  Schema,
} from './types.ts'
export { type Issue, ValidationError } from './validation-error.ts'

const plugin = definePlugin({
  name: 'router',
  repeatable: true,
  options: (...input: readonly unknown[]): RouterSettings => readSettings(input),
  site: tapSite,
})

/**
 * Routes by method and path, with handlers that return their answer.
 *
 * A key is `METHOD /path`. In the path `:name` is a segment's part, `:name(regex)` one that the expression matches,
 * `:name?` a last segment that may be missing, and `*` at the end all that is left. With a prefix, which may have
 * parameters too, the router owns what is below: unknown paths there are 404, unknown methods 405.
 *
 * @example
 * router({ 'GET /api/hello/:name': ({ params }) => ({ hello: params.name }) })
 * @example
 * router('/orgs/:org', {
 *   'GET /users/:id': ({ params }) => findUser(params.org, params.id),
 *   'DELETE /users/:id': route({ guards: [adminsOnly] }, async ({ params }) => {
 *     await removeUser(params.org, params.id)
 *     return null
 *   }),
 * })
 * @example
 * router({ 'POST /users': route({ body: NewUser, guards: [adminsOnly] }, ({ body }) => create(body)) })
 * @throws Error, when the config loads, for a key that cannot be read, two keys for the same path, and a value that
 *   is no handler.
 */
export function router<const Key extends string>(routes: Routes<Key>, options?: RouterOptions): PluginEntry
/** The same below a prefix. */
export function router<const Prefix extends `/${string}`, const Key extends string>(
  prefix: Prefix,
  routes: Routes<Key, Prefix>,
  options?: RouterOptions,
): PluginEntry
export function router(...input: readonly unknown[]): PluginEntry {
  return plugin(...input)
}
