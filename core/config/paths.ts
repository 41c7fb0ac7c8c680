import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A path of a config as an absolute one: a string or a `file:` URL, relative ones counted from `dir`. */
export function resolvePath(dir: string, path: string | URL): string {
  const isUrl = path instanceof URL || path.startsWith('file:')
  return isUrl ? fileURLToPath(path) : resolve(dir, path)
}
