import type { HttpResponse } from 'rawhttp'

/** A member of a list of directives: commas in quotes do not end it. */
const MEMBER = /(?:[^",]|"[^"]*"?)+/g

/**
 * Keeps an answer for one client out of shared caches. Set-Cookie alone does not (RFC 9111 section 7.3), and no cache
 * knows that a cookie was looked at; the browser's own cache may keep what it could keep before.
 *
 * @param when `always`, or `unless-public`: not when the answer itself says that it is for everybody.
 */
export function keepPrivate(response: HttpResponse, when: 'always' | 'unless-public'): void {
  const members = (response.headers.get('cache-control') ?? '').match(MEMBER) ?? []
  const directives = members.map(member => member.trim()).filter(member => member !== '')
  const names = new Set(directives.map(nameOf))
  if (directives.some(isPrivate)) return
  if (when === 'unless-public' && (names.has('public') || names.has('s-maxage'))) return
  const kept = directives.filter(directive => !FOR_SHARED.has(nameOf(directive)))
  response.set('cache-control', ['private', ...kept].join(', '))
}

/** What speaks to shared caches alone, and allows them something. */
const FOR_SHARED = new Set(['public', 's-maxage', 'private'])

const nameOf = (directive: string): string => directive.split('=', 1)[0]!.trim().toLowerCase()

/** With names of fields behind it, `private` is about those fields only. */
const isPrivate = (directive: string): boolean => {
  const lower = directive.toLowerCase()
  return lower === 'private' || nameOf(directive) === 'no-store'
}
