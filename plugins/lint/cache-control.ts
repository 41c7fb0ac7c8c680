import type { HttpHeaders } from 'rawhttp'

/** Members of Cache-Control by their names in lower case; null for one without a value. */
export type Directives = ReadonlyMap<string, string | null>

/** One member, be it well-formed or not: a comma in quotes is no end. */
const MEMBER = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g

/** The members of a Cache-Control field as they stand there, without the white space around them. */
export const membersOf = (value: string): readonly string[] =>
  (value.match(MEMBER) ?? []).map(member => member.trim()).filter(member => member !== '')

/** What Cache-Control says; of a name that stands there twice the first one. */
export function directivesOf(value = ''): Directives {
  const directives = new Map<string, string | null>()
  for (const member of membersOf(value)) {
    const [name, ...rest] = member.split('=')
    const key = name!.trim().toLowerCase()
    if (directives.has(key)) continue
    directives.set(
      key,
      rest.length === 0
        ? null
        : rest
            .join('=')
            .trim()
            .replace(/^"(.*)"$/, '$1'),
    )
  }
  return directives
}

/** A directive's seconds; null when it is not there, or is no number. */
export function secondsOf(directives: Directives, name: string): number | null {
  const value = directives.get(name)
  return value != null && /^\d+$/.test(value) ? Number(value) : null
}

/** Seconds that an answer says that it is fresh for in shared caches (RFC 9111 section 4.2.1). */
export function freshFor(directives: Directives, fields: HttpHeaders): number | null {
  const told = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age')
  const expires = fields.get('expires')
  if (told !== null || expires === undefined) return told
  const date = Date.parse(fields.get('date') ?? '')
  const until = Date.parse(expires)
  if (Number.isNaN(until)) return 0
  return Math.max(0, (until - (Number.isNaN(date) ? Date.now() : date)) / 1_000)
}

/** Whether nothing forbids shared caches to store an answer, and to give it out without a question. */
export const isStorable = (directives: Directives): boolean =>
  !['no-store', 'private', 'no-cache'].some(name => directives.has(name))
