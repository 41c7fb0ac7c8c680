import { type Escape, escapeFor, FIELD_LIMIT, jsonString, type Place, quoted } from './escape.ts'
import { type Entry, type Field, type FieldName, fieldOf, problemWith } from './fields.ts'
import type { Masks } from './mask.ts'

/** Makes the line of one exchange, with its newline, in ASCII. It runs for every line. */
export type Format = (entry: Entry) => string

/** How long the text of some fields may become, in characters. */
export type Limits = Readonly<Partial<Record<FieldName, number>>>

/** The same for method and protocol in a request line. */
const WORD_LIMIT = 64

/** What a template has for a field without a value. */
const NOTHING = '-'

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g

/** Characters that people put between fields: one of them behind a field is escaped in it. */
const SEPARATORS = " |;,'`()<>{}"

/** Literal text, and the field behind it: null behind the last text. */
interface Part {
  readonly text: string
  readonly field: string | null
}

/** What is wrong with a template, in a sentence; null when it is good. */
export function problemWithTemplate(template: string): string | null {
  if (/[^\t -~]/.test(template)) return 'a template is printable ASCII on one line'
  for (const [token, name] of template.matchAll(TOKEN)) {
    if (token === '{' || token === '}')
      return `a single '${token}'; write '${token}${token}' for the character`
    const problem = name === undefined ? null : problemWith(name)
    if (problem !== null) return problem
  }
  return null
}

/** A field in its place: the text before it, what reads it, and what makes it safe there. */
interface Column {
  readonly before: string
  readonly value: Field['value']
  /** Null for text that is safe already. */
  readonly escape: Escape | null
}

/**
 * Compiles a template, once for all lines.
 *
 * @param template One that {@link problemWithTemplate} has nothing against.
 * @param most How long the text of any field may become. Default: 8,192 characters.
 */
export function compileTemplate(
  template: string,
  masks: Masks,
  limits: Limits = {},
  most = FIELD_LIMIT,
): Format {
  const parts = partsOf(template)
  const end = `${parts.pop()!.text}\n`
  const columns = parts.map(({ text, field }, at): Column => {
    const isQuoted = quotesIn(parts.slice(0, at + 1)) % 2 === 1
    const next = (parts[at + 1]?.text ?? end)[0] ?? ''
    const until = SEPARATORS.includes(next) ? next : ''
    const limit = Math.min(limits[field as FieldName] ?? FIELD_LIMIT, most)
    return { before: text, ...columnOf(fieldOf(field!, masks), { isQuoted, until, limit }) }
  })
  return entry => lineOf(columns, entry, masks, NOTHING) + end
}

/** Compiles a list of fields to JSON, one object a line, by the names that they have there. */
export function compileJson(
  names: Readonly<Record<string, FieldName>>,
  masks: Masks,
  most = FIELD_LIMIT,
): Format {
  const columns = Object.entries(names).map(([name, field], at): Column => {
    const { value, isOurs } = fieldOf(field, masks)
    const before = `${at === 0 ? '{' : ','}${jsonString(name)}:`
    return { before, value, escape: isOurs === true ? quoted : text => jsonString(text, most) }
  })
  return entry => `${lineOf(columns, entry, masks, 'null')}}\n`
}

// For a log that is written for every request this is one of the hot places of a server: no array, no closure a line.
function lineOf(columns: readonly Column[], entry: Entry, masks: Masks, nothing: string): string {
  let line = ''
  for (let at = 0; at < columns.length; at++) {
    const { before, value, escape: safe } = columns[at]!
    const found = value(entry, masks)
    if (typeof found !== 'string') line += before + (found ?? nothing)
    else line += before + (safe === null ? found : safe(found))
  }
  return line
}

function columnOf({ value, words, isOurs }: Field, place: Place): Omit<Column, 'before'> {
  if (isOurs === true) return { value, escape: null }
  if (words === undefined) {
    const safe = escapeFor(place)
    return { value, escape: text => safe(text) || NOTHING }
  }
  const long = escapeFor({ isQuoted: false, limit: place.limit })
  const escapes = { short: escapeFor({ isQuoted: false, limit: WORD_LIMIT }), long }
  return { value: (entry, masks) => words(entry, masks, escapes), escape: null }
}

const quotesIn = (parts: readonly Part[]): number =>
  parts.reduce((count, { text }) => count + text.split('"').length - 1, 0)

function partsOf(template: string): Part[] {
  const parts: Part[] = []
  let text = ''
  let from = 0
  for (const { 0: token, 1: name, index } of template.matchAll(TOKEN)) {
    text += template.slice(from, index)
    from = index + token.length
    if (name === undefined) text += token[0]
    else {
      parts.push({ text, field: name })
      text = ''
    }
  }
  parts.push({ text: text + template.slice(from), field: null })
  return parts
}
