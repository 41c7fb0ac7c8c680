import type { HttpRequest, HttpResponse } from 'rawhttp'
import { keyBeside } from './key.ts'
import type { SharedPurges } from './shared-purges.ts'

/** Methods that change nothing (RFC 9110 section 9.2.1); of those that are not known here nobody can say. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])

/** Whether a request may have changed what is stored. */
export function hasChanged(response: HttpResponse, request: HttpRequest): boolean {
  return !SAFE.has(request.method) && response.status < 400
}

/**
 * Drops what a request for a key has changed (RFC 9111 section 4.4): its own URL, and those that the answer names of the same
 * origin. Before the client hears of its success, so that it reads what it wrote.
 */
export function invalidate(purges: SharedPurges, response: HttpResponse, key: string): void {
  purges.invalidate(key)
  const { headers } = response
  for (const name of ['location', 'content-location']) {
    const reference = headers.get(name)
    const beside = reference === undefined ? null : keyBeside(key, reference)
    if (beside !== null) purges.invalidate(beside)
  }
}
