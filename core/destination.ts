import { didYouMean } from './config/suggest.ts'
import { HttpError, refusals } from './errors.ts'
import { canonicalPattern, PathError } from './path.ts'

/** A place that a rule leads to, for one request. */
export interface Reached {
  readonly path: string
  /** With its question mark; empty without one. */
  readonly search: string
}

/** Text, or the parameter that stands there. */
type Piece = string | { readonly name: string }

/** What a destination is made of. */
interface Parts {
  readonly origin: string | null
  readonly path: readonly Piece[]
  readonly query: readonly Piece[]
  readonly fragment: string
}

/** Where a rule leads. Made by {@link readDestination}. */
export class Destination {
  /** Another server, `https://example.com`; null for the one that answers. No parameter is ever a part of it. */
  readonly origin: string | null
  /** With its number sign; empty without one. */
  readonly fragment: string
  readonly #path: readonly Piece[]
  readonly #query: readonly Piece[]

  /** @internal */
  constructor({ origin, path, query, fragment }: Parts) {
    this.origin = origin
    this.fragment = fragment
    this.#path = path
    this.#query = query
  }

  /**
   * The place for one request. Its path begins with one slash and has no dot segment, whatever the parameters are; in
   * the query they are a part of the value in which they stand.
   *
   * @param params As a {@link PatternTable} gives them: escaped. One that is missing is left out.
   * @param search The client's query, to be kept behind that of the destination. Default: none.
   * @throws HttpError 400 when the parameters would make a dot segment.
   */
  reach(params: ReadonlyMap<string, string>, search = ''): Reached {
    const path = this.#path.map(piece => filled(piece, params)).reduce(joined)
    if (DOT_SEGMENT.test(path))
      throw new HttpError(400, 'the path leads to a dot segment', { code: 'DESTINATION' })
    const query = this.#query.map(piece => filled(piece, params, inQuery)).join('')
    return { path, search: searchOf(query, search.slice(1)) }
  }
}

/**
 * Reads where a rule leads: a path, or an absolute URL of http or https, with query and fragment if wanted. In path and
 * query `:name` and `*` stand for what the pattern's parameters took, `::` for a colon.
 *
 * @param names The parameters that there are.
 * @throws Error with a sentence that says what is wrong.
 */
export function readDestination(text: string, names: readonly string[]): Destination {
  const [, written, rest, query, fragment = ''] = SYNTAX.exec(text)!
  const origin = written === undefined ? null : readOrigin(written)
  const path = rest === '' && origin !== null ? '/' : rest!
  if (!path.startsWith('/') || (origin === null && path.startsWith('//')))
    throw new Error('expected a path that starts with one "/", or a URL such as "https://example.com/"')
  if (query === '')
    throw new Error('its query is empty; a parameter is written ":name", also one that may be missing')
  const form = origin === null ? canonical : escaped
  const pieces = piecesOf(path, names, form)
  if (DOT_SEGMENT.test(pieces.map(piece => (typeof piece === 'string' ? piece : ':')).join('')))
    throw new Error('it has a dot segment')
  return new Destination({
    origin,
    path: pieces,
    query: piecesOf(query ?? '', names, escaped),
    fragment: escaped(fragment),
  })
}

const SYNTAX = /^(https?:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?(#.*)?$/is

// Browsers take an escaped dot for a dot (WHATWG URL, "double-dot URL path segment").
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

function readOrigin(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : null
  // A URL is read with some tolerance, and would take all of these for something.
  if (url === null || /[*@\\\s]/.test(written))
    throw new Error(`${JSON.stringify(written)} is not the beginning of a URL; parameters belong behind it`)
  return url.origin
}

function piecesOf(text: string, names: readonly string[], form: (text: string) => string): Piece[] {
  const tokens = text.match(/::|:(?:[A-Za-z_]\w*)?\(?|\*|[^:*]+/g) ?? []
  return tokens.map(token => {
    if (token === '::') return ':'
    if (token === '*') return param('*', names)
    if (!token.startsWith(':')) return form(token)
    if (token === ':') throw new Error('":" begins a parameter and needs a name; "::" is a literal colon')
    if (token.endsWith('('))
      throw new Error('a regular expression belongs to the pattern, not to where it leads')
    return param(token.slice(1), names)
  })
}

function param(name: string, names: readonly string[]): Piece {
  if (names.includes(name)) return { name }
  const written = (each: string) => (each === '*' ? each : `:${each}`)
  const known = names.length === 0 ? 'which has no parameters' : `which has ${names.map(written).join(', ')}`
  const hint = didYouMean(name, names)
  const help = hint === null ? '' : `; ${hint}`
  throw new Error(`"${written(name)}" is not in the pattern, ${known}${help}`)
}

function filled(piece: Piece, params: ReadonlyMap<string, string>, form = (text: string) => text): string {
  return typeof piece === 'string' ? piece : form(params.get(piece.name) ?? '')
}

// A wildcard may begin with a slash, and a parameter may be missing between two: `//host` would be another server.
const joined = (path: string, piece: string): string =>
  path.endsWith('/') && piece.startsWith('/') ? path + piece.slice(1) : path + piece

// These would end the value in which they stand, and a plus would become a space.
const inQuery = (text: string): string => text.replace(/[&+;=]/g, encodeURIComponent)

function searchOf(own: string, clients: string): string {
  const query = own !== '' && clients !== '' ? `${own}&${clients}` : own + clients
  return query === '' ? '' : `?${query}`
}

function canonical(text: string): string {
  try {
    return canonicalPattern(text)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    throw new Error(refusals[error.id].sentence, { cause: error })
  }
}

function escaped(text: string): string {
  if (/[\x00-\x1f\x7f\\]|%(?![\dA-Fa-f]{2})/.test(text) || !text.isWellFormed())
    throw new Error('it has a character that no URL has, or a broken percent escape')
  return text.replace(/[^\x21-\x7e]+|["<>^`{|}]+/g, encodeURIComponent)
}
