import type { StandardSchema } from '../plugin.ts'
import { configErrorOf } from './errors.ts'
import { problemsOf } from './issues.ts'

/**
 * Reads options that a function takes in code, such as the maker of a guard, by the schema and with the errors that the
 * options of a plugin have.
 *
 * @param owner What stands in front of the option in errors: `basicAuthGuard()`.
 * @throws ConfigError for input that the schema refuses; TypeError for a schema that does not answer at once.
 *
 * @example
 * export const myGuard = (options: MyOptions): MyGuard => makeGuard(readOptions(myOptions, options, 'myGuard()'))
 */
export function readOptions<Output>(
  schema: StandardSchema<unknown, Output> | StandardSchema<never, Output>,
  input: unknown,
  owner: string,
): Output {
  const result = schema['~standard'].validate(input)
  if (result instanceof Promise)
    throw new TypeError(`${owner}: its schema must answer at once, got a promise`)
  if (result.issues === undefined) return result.value
  throw configErrorOf(problemsOf(schema, result.issues, { base: owner, file: null }))
}
