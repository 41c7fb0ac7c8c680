import { didYouMean } from 'rawhttp'
import { type Pattern, readPattern } from './pattern.ts'
import { type Method, methods } from './types.ts'

/** A key of a table of routes. */
export interface ReadKey extends Pattern {
  /** As errors name it, with the prefix: `GET /api/users/:id`. */
  readonly key: string
  readonly method: Method
}

/**
 * Reads a key below a prefix (empty: none). The key's path `/` is the prefix itself, with and without a slash.
 *
 * @throws Error that names the key.
 */
export function readKey(prefix: string, key: string): ReadKey {
  const [method, path] = split(key)
  const text = path === '/' && prefix !== '' ? prefix : `${prefix}${path}`
  try {
    const pattern = readPattern(text)
    const paths = text === prefix ? [...pattern.paths, ...readPattern(`${text}/`).paths] : pattern.paths
    return { ...pattern, key: `${method} ${text}`, method, paths }
  } catch (error) {
    throw routeError(key, error)
  }
}

/** A sentence about an option that there is not. */
export function unknownOption(name: string, known: readonly string[]): string {
  return `unknown option "${name}"; ${didYouMean(name, known) ?? `known are ${known.join(', ')}`}`
}

/** An error about one key of the table. */
export function routeError(key: string, problem: unknown): Error {
  const sentence = problem instanceof Error ? problem.message : String(problem)
  return new Error(`route ${JSON.stringify(key)}: ${sentence}`, { cause: problem })
}

/**
 * The prefix as patterns go on from it: `/` is none.
 *
 * @throws Error for what cannot be a prefix.
 */
export function readPrefix(prefix: string): string {
  const fail = (problem: string) => new Error(`prefix ${JSON.stringify(prefix)}: ${problem}`)
  if (!prefix.startsWith('/')) throw fail('expected a path that starts with "/", such as "/api"')
  if (prefix === '/') return ''
  if (prefix.endsWith('/')) throw fail('a prefix ends without "/"')
  try {
    const { paths, text } = readPattern(prefix)
    if (paths.length > 1 || text.endsWith('*')) throw new Error('"?" and "*" cannot stand in a prefix')
    return text
  } catch (error) {
    throw fail((error as Error).message)
  }
}

function split(key: string): [Method, string] {
  const [, method, path] = /^(\S+) (\/.*)$/.exec(key) ?? []
  if (method === undefined || path === undefined) {
    throw routeError(key, 'expected a method, one space and a path, such as "GET /users/:id"')
  }
  if (!(methods as readonly string[]).includes(method)) throw routeError(key, unknownMethod(method))
  return [method as Method, path]
}

function unknownMethod(method: string): string {
  const capitals = method.toUpperCase()
  if ((methods as readonly string[]).includes(capitals))
    return `methods are written in capitals: "${capitals}"`
  return `"${method}" is no method that can be routed; known are ${methods.join(', ')}`
}
