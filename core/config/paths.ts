import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A path of a config as an absolute one: a string or a `file:` URL, relative ones counted from `dir`. */
export function resolvePath(dir: string, path: string | URL): string {
  const isUrl = path instanceof URL || path.startsWith('file:')
  return isUrl ? fileURLToPath(path) : resolve(dir, path)
}

/** Whether a value is what {@link resolvePath} takes, for the schemas of plugins: a path or a `file:` URL. */
export function isPath(value: unknown): value is string | URL {
  return (typeof value === 'string' && value !== '') || (value instanceof URL && value.protocol === 'file:')
}
