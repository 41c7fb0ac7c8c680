import { canonicalPattern, PathError, refusals } from 'rawhttp'
import { fold } from './escapes.ts'

/** A path pattern, ready for find-my-way. */
export interface Pattern {
  /** As it was written: what `Slots.route` and errors show. */
  readonly text: string
  /** In find-my-way's notation; two when the last parameter is optional. */
  readonly paths: readonly string[]
  /** Parameters without an expression. find-my-way lets them be empty, which `/users/:id` does not mean. */
  readonly bare: readonly string[]
}

type Piece =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string; readonly regex: string; readonly isOptional: boolean }
  | { readonly kind: 'wildcard' }

const dotSegment = 'no request has a dot segment in its path'

/**
 * Reads a pattern: `:name`, `:name(regex)`, `:name?` as the last segment, `*` as the last character, `::` for a
 * literal colon.
 *
 * @throws Error with a sentence that says what is wrong.
 */
export function readPattern(text: string): Pattern {
  const pieces = piecesOf(text)
  checkNames(pieces)
  checkSegments(pieces)
  const last = pieces[pieces.length - 1]
  const isOptional = last?.kind === 'param' && last.isOptional
  const paths = isOptional ? [join(pieces), join(withoutLast(pieces))] : [join(pieces)]
  const bare = pieces.flatMap(piece => (piece.kind === 'param' && piece.regex === '' ? [piece.name] : []))
  return { text, paths, bare }
}

/** A path as OpenAPI writes it: `/users/{id}`. */
export interface PathTemplate {
  readonly path: string
  /** In order; `pattern` is the regular expression of one that has its own. */
  readonly params: readonly { readonly name: string; readonly pattern: string | null }[]
}

/** A pattern as path templates: two when the last parameter is optional. */
export function templatesOf(text: string): PathTemplate[] {
  const pieces = piecesOf(text)
  const last = pieces[pieces.length - 1]
  const isOptional = last?.kind === 'param' && last.isOptional
  return (isOptional ? [pieces, withoutLast(pieces)] : [pieces]).map(templateOf)
}

function templateOf(pieces: readonly Piece[]): PathTemplate {
  const names = pieces.map(piece =>
    piece.kind === 'static' ? null : piece.kind === 'param' ? piece.name : '*',
  )
  return {
    path: pieces.map((piece, index) => (piece.kind === 'static' ? piece.text : `{${names[index]}}`)).join(''),
    params: pieces.flatMap((piece, index) =>
      piece.kind === 'static' ? [] : [{ name: names[index]!, pattern: regexOf(piece) }],
    ),
  }
}

const regexOf = (piece: Piece): string | null =>
  piece.kind === 'param' && piece.regex !== '' ? `^(?:${piece.regex})$` : null

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  while (at < text.length) {
    const [piece, end] = text[at] === '*' ? wildcardAt(text, at) : (paramAt(text, at) ?? staticAt(text, at))
    checkPlace(pieces[pieces.length - 1], piece, text.slice(end))
    pieces.push(piece)
    at = end
  }
  return pieces
}

function wildcardAt(text: string, at: number): [Piece, number] {
  if (at !== text.length - 1)
    throw new Error('"*" stands for all that is left and can only be the last character')
  return [{ kind: 'wildcard' }, at + 1]
}

function paramAt(text: string, at: number): [Piece, number] | null {
  if (text[at] !== ':' || text[at + 1] === ':') return null
  const name = /^[A-Za-z_]\w*/.exec(text.slice(at + 1))?.[0]
  if (name === undefined) {
    throw new Error('":" begins a parameter and needs a name such as ":id"; "::" is a literal colon')
  }
  const afterName = at + 1 + name.length
  const afterRegex = text[afterName] === '(' ? regexEnd(text, afterName) : afterName
  const isOptional = text[afterRegex] === '?'
  const regex = text.slice(afterName, afterRegex)
  return [{ kind: 'param', name, regex, isOptional }, afterRegex + (isOptional ? 1 : 0)]
}

// Counted as find-my-way counts: it does not look into character classes either.
function regexEnd(text: string, open: number): number {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '(') depth++
    else if (text[i] === ')' && --depth === 0) return i + 1
  }
  throw new Error(`the regular expression ${text.slice(open)} has no closing parenthesis`)
}

function staticAt(text: string, at: number): [Piece, number] {
  const raw = /^(?:::|[^:*])+/.exec(text.slice(at))![0]
  return [{ kind: 'static', text: canonicalStatic(raw) }, at + raw.length]
}

function canonicalStatic(raw: string): string {
  if (raw.includes('?'))
    throw new Error('"?" makes the last parameter optional; a query is no part of a pattern')
  if (/[{}]/.test(raw)) throw new Error('braces mean nothing here: a parameter is written ":id"')
  const text = canonical(raw.replaceAll('::', ':'))
  if (text.includes('*')) throw new Error('an escaped "*" cannot be matched literally; use :name([*])')
  return text
}

function canonical(text: string): string {
  try {
    return canonicalPattern(text)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    throw new Error(error.id === 'PATH-CLIMB' ? dotSegment : refusals[error.id].sentence, { cause: error })
  }
}

function checkPlace(before: Piece | undefined, piece: Piece, behind: string): void {
  if (before?.kind === 'param' && before.regex === '') {
    // find-my-way reads a name up to one of these.
    const ends = piece.kind === 'static' && /^[/.-]/.test(piece.text)
    const hint = `behind ":${before.name}" comes "/", "-", "." or the end; anything else needs :${before.name}(regex)`
    if (!ends) throw new Error(hint)
  }
  if (piece.kind !== 'param' || !piece.isOptional) return
  const isSegment = before?.kind === 'static' && before.text.endsWith('/') && behind === ''
  if (!isSegment) throw new Error(`":${piece.name}?" is optional and must be the whole last segment`)
}

function checkNames(pieces: readonly Piece[]): void {
  const names = pieces.flatMap(piece => (piece.kind === 'param' ? [piece.name] : []))
  const double = names.find((name, index) => names.indexOf(name) !== index)
  if (double !== undefined) throw new Error(`two parameters are named "${double}"`)
}

function checkSegments(pieces: readonly Piece[]): void {
  const path = pieces.map(piece => (piece.kind === 'static' ? piece.text : ':')).join('')
  if (/\/\.\.?(?:\/|$)/.test(path)) throw new Error(dotSegment)
}

function withoutLast(pieces: readonly Piece[]): Piece[] {
  const rest = pieces.slice(0, -2)
  const slashed = pieces[pieces.length - 2] as { readonly text: string }
  return [...rest, { kind: 'static', text: slashed.text.slice(0, -1) || (rest.length === 0 ? '/' : '') }]
}

function join(pieces: readonly Piece[]): string {
  return pieces.map(notation).join('')
}

function notation(piece: Piece): string {
  if (piece.kind === 'static') return fold(piece.text).replaceAll(':', '::')
  return piece.kind === 'wildcard' ? '*' : `:${piece.name}${piece.regex}`
}
