import { refusals } from './errors.ts'
import { canonicalPattern, PathError } from './path.ts'

/** A part of a pattern. */
export type PatternPiece =
  /** Text in the canonical form of paths. */
  | { readonly kind: 'static'; readonly text: string }
  /** `regex` is the expression with its parentheses, or empty: then the parameter is never empty. */
  | { readonly kind: 'param'; readonly name: string; readonly regex: string; readonly isOptional: boolean }
  | { readonly kind: 'wildcard' }

/** A path pattern: what keys of routes and the rules of redirects and rewrites are written in. */
export interface PathPattern {
  /** As it was written. */
  readonly text: string
  /** What it stands for; two when the last parameter is optional, the one with it first. */
  readonly variants: readonly (readonly PatternPiece[])[]
  /** The parameters in order, `*` for the wildcard. */
  readonly names: readonly string[]
}

const dotSegment = 'no request has a dot segment in its path'

/**
 * Reads a path pattern: `:name` for a segment or a part of one, `:name(regex)` for what the expression matches,
 * `:name?` as the last segment for one that may be missing, `*` as the last character for all that is left, and `::`
 * for a literal colon. All else is brought to the canonical form of paths.
 *
 * @throws Error with a sentence that says what is wrong.
 */
export function readPattern(text: string): PathPattern {
  if (!text.startsWith('/')) throw new Error('expected a path that starts with "/"')
  const pieces = piecesOf(text)
  const names = pieces.flatMap(nameOf)
  checkNames(names)
  checkSegments(pieces)
  const last = pieces[pieces.length - 1]
  const isOptional = last?.kind === 'param' && last.isOptional
  return { text, variants: isOptional ? [pieces, withoutLast(pieces)] : [pieces], names }
}

function nameOf(piece: PatternPiece): string[] {
  if (piece.kind === 'static') return []
  return [piece.kind === 'param' ? piece.name : '*']
}

function piecesOf(text: string): PatternPiece[] {
  const pieces: PatternPiece[] = []
  let at = 0
  while (at < text.length) {
    const [piece, end] = text[at] === '*' ? wildcardAt(text, at) : (paramAt(text, at) ?? staticAt(text, at))
    checkPlace(pieces[pieces.length - 1], piece, text.slice(end))
    pieces.push(piece)
    at = end
  }
  return pieces
}

function wildcardAt(text: string, at: number): [PatternPiece, number] {
  if (at !== text.length - 1)
    throw new Error('"*" stands for all that is left and can only be the last character')
  return [{ kind: 'wildcard' }, at + 1]
}

function paramAt(text: string, at: number): [PatternPiece, number] | null {
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

function staticAt(text: string, at: number): [PatternPiece, number] {
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

function checkPlace(before: PatternPiece | undefined, piece: PatternPiece, behind: string): void {
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

function checkNames(names: readonly string[]): void {
  const double = names.find((name, index) => names.indexOf(name) !== index)
  if (double !== undefined) throw new Error(`two parameters are named "${double}"`)
}

function checkSegments(pieces: readonly PatternPiece[]): void {
  const path = pieces.map(piece => (piece.kind === 'static' ? piece.text : ':')).join('')
  if (/\/\.\.?(?:\/|$)/.test(path)) throw new Error(dotSegment)
}

function withoutLast(pieces: readonly PatternPiece[]): PatternPiece[] {
  const rest = pieces.slice(0, -2)
  const slashed = pieces[pieces.length - 2] as { readonly text: string }
  return [...rest, { kind: 'static', text: slashed.text.slice(0, -1) || (rest.length === 0 ? '/' : '') }]
}
