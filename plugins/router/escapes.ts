import { HttpError } from 'rawhttp'

// find-my-way decodes a path on its own terms: it leaves %2F, %3F and %23 in static parts in a form that no pattern
// can name, and it finds nothing for bytes that are not UTF-8. So it is given a path without any percent sign.
// What must not be decoded before the match, and what cannot be, becomes a lone low surrogate, which no UTF-8 text
// decodes to: byte b is U+DC00 + b.
const RESERVED = /%(?:2[35F]|3F)/g
const NON_ASCII_RUN = /(?:%[89A-F][0-9A-F])+/g
const SURROGATE = 0xdc00
// The flag u keeps these from matching the second half of a whole character.
const FOLDED = /[\udc23\udc25\udc2f\udc3f]/gu
const NOT_UTF8 = /[\udc80-\udcff]/u

/** A canonical path, or the static part of a pattern, as the matcher reads it: decoded, and without `%`. */
export function fold(path: string): string {
  if (!path.includes('%')) return path
  const kept = path.replace(RESERVED, foldEscape)
  try {
    return decodeURIComponent(kept)
  } catch {
    return decodeURIComponent(kept.replace(NON_ASCII_RUN, foldUndecodable))
  }
}

function foldUndecodable(run: string): string {
  try {
    return decodeURIComponent(run)
  } catch {
    return run.replace(/%../g, foldEscape)
  }
}

function foldEscape(triplet: string): string {
  return String.fromCharCode(SURROGATE + Number.parseInt(triplet.slice(1), 16))
}

/**
 * The value of a parameter from a folded path.
 *
 * @throws HttpError 400 for bytes that are not UTF-8, and for a wildcard with a dot segment in it: `..%2F`.
 */
export function unfold(name: string, value: string): string {
  if (NOT_UTF8.test(value)) throw bad(name, 'is not valid UTF-8')
  const decoded = value.replace(FOLDED, folded => String.fromCharCode(folded.charCodeAt(0) - SURROGATE))
  // A wildcard is a path, and whoever joins it to a folder must not be led out of it.
  if (name === '*' && /(?:^|[/\\])\.\.?(?:[/\\]|$)/.test(decoded)) throw bad(name, 'has a dot segment')
  return decoded
}

function bad(name: string, problem: string): HttpError {
  return new HttpError(400, `the path parameter "${name}" ${problem}`, { code: 'ROUTE_PARAM' })
}
