import { posix } from 'node:path'
import mime from 'mime-types'
import type { Test } from './glob.ts'
import { isHashedName } from './hashed-name.ts'

type Field = readonly [name: string, value: string]

/** What the options say about files, compiled when the config is loaded. */
export interface Rules {
  readonly types: readonly (readonly [Test, string])[]
  readonly headers: readonly (readonly [Test, readonly Field[]])[]
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

/** The header fields of a file beside those that describe it, in order: of one name the last one counts. */
export function fieldsOf(rules: Rules, path: string): readonly Field[] {
  const cacheControl = rules.isImmutable(path) ? IMMUTABLE : rules.cacheControl
  const own: Field[] = cacheControl === null ? [] : [['cache-control', cacheControl]]
  return [...own, ...rules.headers.flatMap(([test, fields]) => (test(path) ? fields : []))]
}

/** The rule for files of which only the name tells that they never change. */
export const isHashedPath: Test = path => isHashedName(posix.basename(path))
