import { type PatternPiece, readPattern as read } from 'rawhttp'
import { fold } from './escapes.ts'
import { type Segments, segmentsOf } from './segments.ts'

/** One form of a pattern, as matchers take it. */
export interface PatternPath {
  /** In find-my-way's notation. */
  readonly notation: string
  /** Null when a parameter is less than a segment, or has an expression. */
  readonly segments: Segments | null
}

/** A path pattern, ready to be matched. */
export interface Pattern {
  /** As it was written: what `Slots.route` and errors show. */
  readonly text: string
  /** Two when the last parameter is optional. */
  readonly paths: readonly PatternPath[]
  /** The parameters in order, `*` for the wildcard. */
  readonly names: readonly string[]
  /** Parameters without an expression. find-my-way lets them be empty, which `/users/:id` does not mean. */
  readonly bare: readonly string[]
}

/**
 * Reads a pattern for matchers.
 *
 * @throws Error with a sentence that says what is wrong.
 */
export function readPattern(text: string): Pattern {
  const { variants, names } = read(text)
  const bare = variants[0]!.flatMap(piece =>
    piece.kind === 'param' && piece.regex === '' ? [piece.name] : [],
  )
  const paths = variants.map(variant => ({ notation: join(variant), segments: segmentsOf(variant) }))
  return { text, paths, names, bare }
}

/** A path as OpenAPI writes it: `/users/{id}`. */
export interface PathTemplate {
  readonly path: string
  /** In order; `pattern` is the regular expression of one that has its own. */
  readonly params: readonly { readonly name: string; readonly pattern: string | null }[]
}

/** A pattern as path templates: two when the last parameter is optional. */
export function templatesOf(text: string): PathTemplate[] {
  return read(text).variants.map(templateOf)
}

function templateOf(pieces: readonly PatternPiece[]): PathTemplate {
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

const regexOf = (piece: PatternPiece): string | null =>
  piece.kind === 'param' && piece.regex !== '' ? `^(?:${piece.regex})$` : null

function join(pieces: readonly PatternPiece[]): string {
  return pieces.map(notation).join('')
}

function notation(piece: PatternPiece): string {
  if (piece.kind === 'static') return fold(piece.text).replaceAll(':', '::')
  return piece.kind === 'wildcard' ? '*' : `:${piece.name}${piece.regex}`
}
