import { decodeSegment, encodeSegment, PathError } from './path.ts'
import type { PathPattern, PatternPiece } from './pattern.ts'

/** What the parameters of one segment stand for, escaped as in a canonical path; null when it does not fit. */
export type Take = (segment: string) => readonly string[] | null

/** What a pattern says of one segment of a path. */
export type PatternSegment =
  | { readonly kind: 'static'; readonly text: string }
  /** `key` is the same for segments that take the same. */
  | { readonly kind: 'dynamic'; readonly key: string; readonly take: Take }
  /** All that is left, if it begins so. */
  | { readonly kind: 'rest'; readonly prefix: string }

/**
 * A variant of a pattern, segment by segment.
 *
 * @throws Error for an expression that would take exponential time, and for a wildcard that shares its segment with
 * a parameter.
 */
export function segmentsOf(variant: PathPattern['variants'][number]): PatternSegment[] {
  const segments: PatternPiece[][] = [[]]
  for (const piece of variant) {
    const [first, ...more] = piece.kind === 'static' ? piece.text.split('/').map(asPiece) : [[piece]]
    segments[segments.length - 1]!.push(...first!)
    segments.push(...more)
  }
  // Before the first slash there is nothing.
  return segments.slice(1).map(compile)
}

const asPiece = (text: string): PatternPiece[] => (text === '' ? [] : [{ kind: 'static', text }])

function compile(pieces: readonly PatternPiece[]): PatternSegment {
  const [first, second] = pieces
  if (first === undefined) return { kind: 'static', text: '' }
  const last = pieces[pieces.length - 1]!
  if (last.kind === 'wildcard') return rest(pieces)
  if (second !== undefined || first.kind === 'wildcard') return expression(pieces)
  if (first.kind === 'static') return first
  if (first.regex !== '') return expression(pieces)
  return { kind: 'dynamic', key: ':', take: segment => (segment === '' ? null : [segment]) }
}

function rest(pieces: readonly PatternPiece[]): PatternSegment {
  const before = pieces.slice(0, -1)
  if (before.some(piece => piece.kind !== 'static'))
    throw new Error('behind a parameter "*" must be a segment of its own')
  return { kind: 'rest', prefix: before.map(piece => (piece.kind === 'static' ? piece.text : '')).join('') }
}

// Expressions are about the decoded text; what they took is escaped again. A segment that is not UTF-8 is no text.
function expression(pieces: readonly PatternPiece[]): PatternSegment {
  const source = sourceOf(pieces)
  const matcher = new RegExp(`^${source}$`, 's')
  const groups = pieces.flatMap((piece, index) => (piece.kind === 'param' ? [`_${index}`] : []))
  const take: Take = segment => {
    const found = textOf(segment, text => matcher.exec(text))?.groups
    return found === undefined ? null : groups.map(group => encodeSegment(found[group]!))
  }
  return { kind: 'dynamic', key: source, take }
}

function textOf<T>(segment: string, use: (text: string) => T): T | null {
  try {
    return use(decodeSegment(segment))
  } catch (error) {
    if (error instanceof PathError) return null
    throw error
  }
}

// As find-my-way does it, a parameter without an expression never holds the text that parts it from the one before:
// so there is one way to cut a segment, and none that takes more than linear time to find.
function sourceOf(pieces: readonly PatternPiece[]): string {
  let source = ''
  let between = ''
  let isBehindBare = false
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'static') {
      between = escaped(decodeSegment(piece.text))
      source += between
    } else if (piece.kind === 'param') {
      const bare = isBehindBare ? `(?:(?!${between}).)+` : '.+?'
      source += `(?<_${index}>${piece.regex === '' ? bare : checked(piece.regex)})`
      isBehindBare = piece.regex === ''
    }
  }
  return source
}

const escaped = (text: string): string => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')

function checked(regex: string): string {
  // Compiled alone first, so that the error shows what was written.
  new RegExp(regex)
  if (hasNestedRepetition(regex))
    throw new Error(`the regular expression ${regex} is not safe: a repetition stands inside of another`)
  return regex
}

const TOKEN = /\\.|\[(?:\\.|[^\]\\])*\]|\(|\)|[*+]|\{\d*,\d*\}|\{\d+\}|./gs

/** Whether a repetition stands inside of another, as in `(a+)+`: what takes exponential time to fail. */
function hasNestedRepetition(regex: string): boolean {
  const repeats = [false]
  let closed = false
  for (const [token] of regex.matchAll(TOKEN)) {
    const isRepetition = token === '*' || token === '+' || /^\{.+\}$/s.test(token)
    if (isRepetition && closed) return true
    if (isRepetition && !/^\{\d+\}$/.test(token)) repeats[repeats.length - 1] = true
    closed = false
    if (token === '(') repeats.push(false)
    if (token === ')') {
      closed = repeats.pop()!
      if (closed) repeats[repeats.length - 1] = true
    }
  }
  return false
}
