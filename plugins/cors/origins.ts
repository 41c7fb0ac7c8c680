import type { HttpRequest } from 'rawhttp'

/** Says whether pages of an origin may read answers. It is also asked for `null`. */
export type OriginTest = (origin: string, request: HttpRequest) => boolean

/** Who may read: everybody (`*`), origins, expressions that match whole origins, or what a function says. */
export type OriginOption = string | RegExp | readonly (string | RegExp)[] | OriginTest

/** What an origin is answered. */
export interface Origins {
  /** The same for everybody, whatever they send; null: it depends on the Origin field. */
  readonly constant: string | null
  /** What Access-Control-Allow-Origin says to an origin; null: nothing. */
  allow(origin: string | undefined, request: HttpRequest): string | null
}

/**
 * As browsers write it (RFC 6454 section 6.1), ports and schemes of extensions too. What is sent back to a client has
 * this form, and no expression of the config sees anything longer.
 */
const ORIGIN = /^[a-z][a-z0-9+.-]{0,31}:\/\/(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._~-]{1,255})(?::\d{1,5})?$/

export function originsOf(option: OriginOption): Origins {
  if (typeof option === 'string') return { constant: option, allow: () => option }
  if (typeof option === 'function') return { constant: null, allow: byFunction(option) }
  const list = option instanceof RegExp ? [option] : option
  const exact = new Set(list.filter(each => typeof each === 'string'))
  const patterns = list.filter(each => each instanceof RegExp).map(whole)
  const allow = (origin: string | undefined) => {
    // Any page can have the origin `null`: in a sandboxed frame, behind a redirect, from a file.
    if (origin === undefined || !ORIGIN.test(origin)) return null
    return exact.has(origin) || patterns.some(pattern => pattern.test(origin)) ? origin : null
  }
  return { constant: null, allow }
}

function byFunction(test: OriginTest): Origins['allow'] {
  return (origin, request) => {
    if (origin === undefined || (origin !== 'null' && !ORIGIN.test(origin))) return null
    const answer: unknown = test(origin, request)
    if (typeof answer === 'boolean') return answer ? origin : null
    // A promise is true to JavaScript, and would let everybody in.
    throw new TypeError(`origin: the function must answer true or false at once, got ${typeof answer}`)
  }
}

// `^a|b$` begins and ends as it should, and lets everything in that ends with b.
function whole({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`, flags.replace(/[gym]/g, ''))
}

/** What is wrong with an origin of the config; null when nothing is. */
export function problemWithOrigin(text: string): string | null {
  if (text === 'null')
    return "any page can have the origin 'null'; a function may let it in, where nothing is secret"
  if (text === '*') return "'*' stands alone, not in a list"
  const { origin = 'null' } = URL.parse(text) ?? {}
  if (ORIGIN.test(text) && (origin === text || origin === 'null')) return null
  const hint = origin === 'null' || origin === text ? '' : `; did you mean '${origin}'?`
  return `expected an origin such as 'https://www.example.com', as browsers send it, got '${text}'${hint}`
}

/** What is wrong with an expression of the config; null when nothing is. */
export function problemWithPattern({ source, multiline }: RegExp): string | null {
  const bare = source.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gs, 'x')
  if (multiline || !bare.startsWith('^') || !bare.endsWith('$'))
    return `expected an expression from ^ to $, without the flag m, got /${source}/; without them 'https://example.com.evil.net' may fit`
  if (/\.(?![*+?{])/.test(bare))
    return `expected \\. for each dot of a name, got /${source}/; a bare dot is any character`
  return null
}
