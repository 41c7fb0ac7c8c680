/**
 * The cookies of a Cookie field (RFC 6265 section 4.2): the first of each name, since user agents send the one with
 * the longest path first. Values lose their quotes; escapes are decoded where they are whole.
 */
export function parseCookies(field: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  for (const pair of field?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0)).trim()
    if (name !== '' && !cookies.has(name)) cookies.set(name, decoded(pair.slice(equals + 1).trim()))
  }
  return cookies
}

function decoded(text: string): string {
  const isQuoted = text.length > 1 && text.startsWith('"') && text.endsWith('"')
  const value = isQuoted ? text.slice(1, -1) : text
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
