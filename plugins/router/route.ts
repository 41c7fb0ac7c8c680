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

/** A route's parts, from what stands behind its key. */
export interface RouteParts {
  readonly guards: readonly Guard[]
  readonly handler: RouteHandler<never>
}

/**
 * Reads the value of a key: a handler, or what {@link route} gave.
 *
 * @throws Error with a sentence about what is wrong with it.
 */
export function readRoute(value: unknown): RouteParts {
  if (!(value instanceof Route)) return { guards: [], handler: readHandler(value) }
  const options: unknown = value.options
  if (typeof options !== 'object' || options === null) {
    throw new Error(`expected route(options, handler), got ${kindOf(options)} for the options`)
  }
  const unknown = Object.keys(options).find(name => name !== 'guards')
  if (unknown !== undefined) throw new Error(`unknown option "${unknown}"; known are guards`)
  return { guards: readGuards(value.options.guards ?? []), handler: readHandler(value.handler) }
}

function readHandler(handler: unknown): RouteHandler<never> {
  if (typeof handler === 'function') return handler as RouteHandler<never>
  throw new Error(`expected a handler function or route(options, handler), got ${kindOf(handler)}`)
}

function readGuards(guards: unknown): readonly Guard[] {
  if (!Array.isArray(guards)) throw new Error(`guards must be a list of functions, got ${kindOf(guards)}`)
  for (const [index, guard] of guards.entries()) {
    if (typeof guard !== 'function')
      throw new Error(`guards[${index}] must be a function, got ${kindOf(guard)}`)
  }
  return guards
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (value === null || typeof value !== 'object') return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
