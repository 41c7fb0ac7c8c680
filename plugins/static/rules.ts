import { posix } from 'node:path'
import mime from 'mime-types'
import type { Test } from './glob.ts'
import { isHashedName } from './hashed-name.ts'

/** What the options say about files, compiled when the config is loaded. */
export interface Rules {
  readonly types: readonly (readonly [Test, string])[]
  readonly headers: readonly (readonly [Test, readonly (readonly [name: string, value: string])[]])[]
  readonly cacheControl: string | null
  /** Whether a file never changes, by its path. */
  readonly isImmutable: Test
}

/** For files that never change: a year, and no question in between (RFC 8246). */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/**
 * The media type of a file, by its path below the root: what the options say last, else what its extension stands
 * for, with a charset for text. The bare name `json` has no extension.
 */
export function mediaType({ types }: Pick<Rules, 'types'>, path: string): string {
  const given = types.findLast(([test]) => test(path))
  if (given !== undefined) return given[1]
  return mime.contentType(posix.extname(posix.basename(path))) || 'application/octet-stream'
}

/** The header fields of a file beside those that describe it; of one name the last one counts. */
export function fieldsOf(rules: Rules, path: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const cacheControl = rules.isImmutable(path) ? IMMUTABLE : rules.cacheControl
  if (cacheControl !== null) fields.set('cache-control', cacheControl)
  for (const [test, given] of rules.headers) {
    if (test(path)) for (const [name, value] of given) fields.set(name, value)
  }
  return fields
}

/** The rule for files of which only the name tells that they never change. */
export const isHashedPath: Test = path => isHashedName(posix.basename(path))
