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
  const checked = v.safeParse(scopeSchema, to)
  if (!checked.success)
    throw configErrorOf(problemsOf(scopeSchema, checked.issues, { base: '', file: null, phrases: true }))
  const scope = to.hosts === undefined ? to : { ...to, hosts: to.hosts.map(checkedHost) }
  try {
    return compileScopes([scope])
  } catch (error) {
    throw new ConfigError(
      { path: 'path', problem: messageOf(error).replace(/^scope: path /, '') },
      { cause: error },
    )
  }
}

function checkedHost(written: string, index: number): string {
  const host = canonicalHost(written)
  if (typeof host === 'string') return host
  throw new ConfigError({ path: `hosts[${index}]`, ...host })
}
