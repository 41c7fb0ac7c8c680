import { createRequire } from 'node:module'

/** The version of this package; found by its own name, since sources and dist lie at different depths. */
export function version(): string {
  const own = createRequire(import.meta.url)('rawhttp/package.json') as { readonly version: string }
  return own.version
}
