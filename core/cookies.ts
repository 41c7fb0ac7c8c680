import { parseCookie } from 'cookie'

const options = { decode: decoded }

/**
 * The cookies of a Cookie field (RFC 6265 section 4.2): the first of each name, since user agents send the one with
 * the longest path first. Values lose their quotes; escapes are decoded where they are whole.
 */
export function parseCookies(field: string | undefined): ReadonlyMap<string, string> {
  if (field === undefined) return new Map()
  const cookies = new Map(Object.entries(parseCookie(field, options)) as [string, string][])
  cookies.delete('')
  return cookies
}

// The library decodes, but leaves quotes on: a server that writes them means what is inside (section 4.1.1).
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
