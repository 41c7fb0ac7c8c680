import { RouteTable } from './table.ts'

/** Options of a router with a prefix. */
export interface RouterOptions {
  /**
   * Whether requests below the prefix that no route takes go on to what comes later, for example the page of a
   * single-page application. Default: false: they are 404, or 405 with Allow.
   */
  readonly passThrough?: boolean | undefined
}

/** What the taps of one router instance work with. */
export interface RouterSettings {
  readonly table: RouteTable
  /** Whether an unknown path below the prefix is this router's 404. */
  readonly isOwner: boolean
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
  if (more.length > 0 || (prefix === null && options !== undefined)) {
    throw new Error('expected router(routes) or router(prefix, routes, { passThrough })')
  }
  const passThrough = readPassThrough(options)
  return { table: new RouteTable(prefix, routes), isOwner: prefix !== null && !passThrough }
}

function readPassThrough(options: unknown): boolean {
  if (options === undefined) return false
  if (!isObject(options)) throw new Error('expected options such as { passThrough: true } behind the routes')
  const unknown = Object.keys(options).find(name => name !== 'passThrough')
  if (unknown !== undefined) throw new Error(`unknown option "${unknown}"; known are passThrough`)
  const { passThrough = false } = options as { readonly passThrough?: unknown }
  if (typeof passThrough === 'boolean') return passThrough
  throw new Error(`passThrough: expected true or false, got ${JSON.stringify(passThrough)}`)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
