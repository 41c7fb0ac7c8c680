/** Directives of Cache-Control by name in lower case; `true` for one without a value. */
export type Directives = ReadonlyMap<string, string | true>

const DIRECTIVE = /([!#$%&'*+.^_`|~0-9a-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/gi

/** Larger numbers of seconds are this one (RFC 9111 section 1.2.2). */
const MOST_SECONDS = 2_147_483_648

const none: Directives = new Map()

/** Reads a Cache-Control field (RFC 9111 section 5.2). Of a directive that stands there twice the stricter one counts. */
export function directivesOf(field: string | undefined): Directives {
  if (field === undefined) return none
  const directives = new Map<string, string | true>()
  for (const [, name, quoted, plain] of field.matchAll(DIRECTIVE)) {
    const key = name!.toLowerCase()
    const value = quoted ?? plain ?? true
    const before = directives.get(key)
    if (before === undefined || toSeconds(value) < toSeconds(before)) directives.set(key, value)
  }
  return directives
}

/** The seconds of a directive, null without it; what is no number is no time at all (RFC 9111 section 4.2.1). */
export function secondsOf(directives: Directives, name: string): number | null {
  const value = directives.get(name)
  return value === undefined ? null : toSeconds(value)
}

/** Digits only; what is not is 0. */
export function toSeconds(value: string | true): number {
  return value !== true && /^\d+$/.test(value) ? Math.min(Number(value), MOST_SECONDS) : 0
}
