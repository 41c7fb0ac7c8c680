import * as v from 'valibot'
import type { ScopeOptions } from '../plugin.ts'
import { compileScopes, type RequestTest } from '../scope.ts'
import { ConfigError, configErrorOf, messageOf } from './errors.ts'
import { canonicalHost } from './hosts.ts'
import { problemsOf } from './issues.ts'
import { scopeSchema } from './schema.ts'

/**
 * The test for the requests that a plugin's options narrow something to, with the meaning and the checks of `scope()`:
 * `parseScope({ path: '/api/*', methods: ['GET'] })`. Null when they narrow nothing.
 *
 * @throws ConfigError that names `path`, `methods` or `hosts`.
 */
export function parseScope(to: ScopeOptions): RequestTest | null {
  const scope = readScope(to, '', null)
  try {
    return compileScopes([scope])
  } catch (error) {
    throw new ConfigError(
      { path: 'path', problem: messageOf(error).replace(/^scope: path /, '') },
      { cause: error },
    )
  }
}

/**
 * Hosts of an option, checked, and in the form of `request.hostname`: as those of sites and scopes are read.
 *
 * @throws ConfigError that names `hosts`.
 */
export function parseHosts(hosts: readonly string[]): readonly string[] {
  return readScope({ hosts }, '', null).hosts!
}

/**
 * What a reading of one option of a rule gives, such as {@link parseScope} or `readPattern`.
 *
 * @param from The pattern that the rule is known by.
 * @throws Error in a sentence that names rule and option: `"/old/:id": to: …`.
 */
export function readRuleOption<T>(from: string, option: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const path = error instanceof ConfigError ? (error.path ?? '') : option
    const sentence = error instanceof ConfigError ? error.detail : messageOf(error)
    throw new Error(`${JSON.stringify(from)}: ${path}: ${sentence}`, { cause: error })
  }
}

/**
 * What a scope narrows to, checked, with its hosts in the form that sites have them.
 *
 * @param base The option path of the scope, for errors; empty for none.
 * @throws ConfigError that names the option.
 */
export function readScope(to: ScopeOptions, base: string, file: string | null): ScopeOptions {
  const checked = v.safeParse(scopeSchema, to)
  if (!checked.success)
    throw configErrorOf(problemsOf(scopeSchema, checked.issues, { base, file, phrases: true }))
  if (to.hosts === undefined) return to
  const at = base === '' ? 'hosts' : `${base}.hosts`
  const hosts = to.hosts.map((written, index) => {
    const host = canonicalHost(written)
    if (typeof host === 'string') return host
    throw new ConfigError({ file, path: `${at}[${index}]`, ...host })
  })
  return { ...to, hosts }
}
