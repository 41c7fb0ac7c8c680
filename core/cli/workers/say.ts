import type { ListeningAddress } from '../../server.ts'
import type { Outcome } from '../reloader.ts'

/** Lines of the primary, for stderr. */
export const sayAll = (lines: readonly string[]): string => lines.map(line => `rawhttp: ${line}\n`).join('')

/** A reload that has changed nothing, and why. */
export const notReloaded = (why: string): Outcome => ({ code: 1, text: sayAll([`not reloaded: ${why}`]) })

/** What is said of addresses that came and went with a reload. */
export function changes(before: readonly ListeningAddress[], after: readonly ListeningAddress[]): string[] {
  const without = (some: readonly ListeningAddress[], others: readonly ListeningAddress[]) =>
    some.map(({ url }) => url).filter(url => !others.some(other => other.url === url))
  return [
    ...without(after, before).map(url => `listening on ${url}`),
    ...without(before, after).map(url => `no longer listening on ${url}`),
  ]
}
