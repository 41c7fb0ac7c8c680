import { canonicalPattern, PathError } from './path.ts'
import type { ScopeOptions } from './plugin.ts'
import type { HttpRequest } from './request.ts'

/** Whether a request is one of those that something is narrowed to. */
export type RequestTest = (request: Pick<HttpRequest, 'path' | 'method' | 'hostname'>) => boolean

/**
 * One test from nested scopes, compiled when the plugins are set up; null when there are none.
 *
 * @throws TypeError for a path pattern that no path can match: what it should guard would stand open.
 */
export function compileScopes(scopes: readonly ScopeOptions[]): RequestTest | null {
  const tests = scopes.flatMap(scopeTests)
  if (tests.length === 0) return null
  if (tests.length === 1) return tests[0]!
  return request => tests.every(test => test(request))
}

function scopeTests(scope: ScopeOptions): RequestTest[] {
  const tests: RequestTest[] = []
  if (scope.path !== undefined) tests.push(pathTest(list(scope.path)))
  if (scope.methods !== undefined) tests.push(methodTest(scope.methods))
  if (scope.hosts !== undefined) tests.push(hostTest(scope.hosts))
  return tests
}

const list = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value

// `/admin/*` covers `/admin` too: a guard that misses the folder's own path is a hole.
function pathTest(patterns: readonly string[]): RequestTest {
  const exact = new Set<string>()
  const folders: string[] = []
  for (const pattern of patterns.map(checkedPattern)) {
    if (!pattern.endsWith('/*')) exact.add(pattern)
    else {
      folders.push(pattern.slice(0, -1))
      exact.add(pattern.slice(0, -2) || '/')
    }
  }
  return request => exact.has(request.path) || folders.some(folder => request.path.startsWith(folder))
}

function checkedPattern(written: string): string {
  const fail = (reason: string) => new TypeError(`scope: path ${JSON.stringify(written)}: ${reason}`)
  let pattern: string
  try {
    pattern = canonicalPattern(written)
  } catch (error) {
    throw error instanceof PathError ? fail(error.message) : error
  }
  if (/\*(?!$)|[^/]\*$/.test(pattern)) throw fail('a * stands only at the end and for all below: /admin/*')
  if (!pattern.startsWith('/') || /\/\.\.?$/.test(pattern)) throw fail('no path can match it')
  return pattern
}

function methodTest(methods: readonly string[]): RequestTest {
  const wanted = new Set(methods)
  if (wanted.has('GET')) wanted.add('HEAD')
  return request => wanted.has(request.method)
}

function hostTest(hosts: readonly string[]): RequestTest {
  if (hosts.includes('*')) return () => true
  const exact = new Set(hosts.map(host => host.toLowerCase()))
  const suffixes = hosts.filter(host => host.startsWith('*.')).map(host => host.slice(1).toLowerCase())
  return request => exact.has(request.hostname) || suffixes.some(suffix => request.hostname.endsWith(suffix))
}
