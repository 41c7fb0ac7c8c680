import type { PatternPiece } from 'rawhttp'
import { fold } from './escapes.ts'

/** A pattern whose parameters are whole segments. */
export interface Segments {
  /** The text of each segment behind the first slash, as the matcher reads it; null for a parameter. */
  readonly parts: readonly (string | null)[]
  /** Whether a wildcard takes all segments behind these: one at least, which may be empty. */
  readonly hasRest: boolean
}

/** A variant of a pattern by its segments; null when a parameter is a part of one, or has an expression. */
export function segmentsOf(variant: readonly PatternPiece[]): Segments | null {
  // Before the first slash there is nothing.
  const parts: (string | null)[] = ['']
  for (const piece of variant) {
    const before = parts.pop()!
    if (piece.kind === 'static') {
      const [first, ...others] = fold(piece.text).split('/')
      if (before === null && first !== '') return null
      parts.push(before === null ? null : before + first, ...others)
    } else {
      if (before !== '') return null
      if (piece.kind === 'wildcard') return { parts: parts.slice(1), hasRest: true }
      if (piece.regex !== '') return null
      parts.push(null)
    }
  }
  return { parts: parts.slice(1), hasRest: false }
}
