import { problemWithEntry } from '../address-list.ts'
import { TrustedProxies } from '../trusted-proxies.ts'
import { ConfigError } from './errors.ts'
import type { WrittenConfig } from './schema.ts'

/**
 * The trusted proxies of a server or listener; null for nobody.
 *
 * @param at Their place in the config, for errors.
 */
export function resolveProxies(
  written: WrittenConfig['trustedProxies'],
  at: string,
  file: string | null,
): TrustedProxies | null {
  if (written === undefined) return null
  const isList = Array.isArray(written)
  const { from, fields } = isList ? { from: written } : written
  for (const [index, entry] of from.entries()) {
    const problem = problemWithEntry(entry)
    if (problem === null) continue
    throw new ConfigError({ file, path: `${at}${isList ? '' : '.from'}[${index}]`, ...problem })
  }
  return from.length === 0 ? null : new TrustedProxies(from as string[], fields)
}
