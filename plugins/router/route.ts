import type { Guard, RouteContext, RouteHandler, RouteParams } from './types.ts'

/** What {@link route} takes beside the handler. */
export interface RouteOptions {
  /** Run one after another before the handler, and before any cache. Default: none. */
  readonly guards?: readonly Guard[] | undefined
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
 * A handler with guards. In a table the parameters come from the key; defined apart, they come from the key that
 * is named: `route<'GET /users/:id'>(…)`.
 *
 * @example
 * router({ 'DELETE /users/:id': route({ guards: [adminsOnly] }, ({ params }) => remove(params.id)) })
 */
export function route<Key extends string, Prefix extends string = ''>(
  options: RouteOptions,
  handler: RouteHandler<RouteContext<RouteParams<Key, Prefix>>>,
): Route<Key, Prefix> {
  return new Route(options, handler)
}
