import { type Hop, type Hops, hostOf, nodeOf, schemeOf } from './forwarded-hops.ts'
import { trimmed } from './head-syntax.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c

const token = "[!#$%&'*+.^_`|~\\w-]+"
/** RFC 7239 section 4: `name=value`, the value a token or a quoted string. */
const PAIR = new RegExp(String.raw`(${token})=(?:(${token})|"((?:[^"\\]|\\.)*)")[ \t]*(?:;[ \t;]*|$)`, 'y')

const nothing: Hop = { from: null, scheme: null, host: null }

/**
 * What Forwarded says (RFC 7239). Read from the right, quoted strings too: a client may begin the field with a quote
 * that it never closes, and to a reader from the left all that proxies have added would stand in it.
 */
export class ForwardedElements implements Hops {
  readonly #field: string
  #end: number

  constructor(field: string) {
    this.#field = field
    this.#end = field.length
  }

  next(): Hop | null {
    while (this.#end >= 0) {
      const comma = commaBefore(this.#field, this.#end)
      const element = trimmed(this.#field.slice(comma + 1, this.#end))
      this.#end = comma
      if (element !== '') return hopOf(element)
    }
    return null
  }
}

/** The last comma before a place that stands in no quoted string; -1 when there is none. */
function commaBefore(text: string, end: number): number {
  let isQuoted = false
  for (let at = end - 1; at >= 0; at--) {
    const code = text.charCodeAt(at)
    if (code === COMMA && !isQuoted) return at
    // Outside nothing is escaped: there a quote is the end of a string.
    if (code === QUOTE) isQuoted = isQuoted ? isEscaped(text, at) : true
  }
  return -1
}

function isEscaped(text: string, at: number): boolean {
  let start = at
  while (start > 0 && text.charCodeAt(start - 1) === BACKSLASH) start--
  return (at - start) % 2 === 1
}

/** One element. What is malformed, or says one thing twice (section 4), says nothing. */
function hopOf(element: string): Hop {
  const said = new Map<string, string>()
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < element.length) {
    const [, name, bare, quoted = ''] = PAIR.exec(element) ?? []
    if (name === undefined || said.has(name.toLowerCase())) return nothing
    said.set(name.toLowerCase(), bare ?? quoted.replace(/\\(.)/g, '$1'))
  }
  return {
    from: nodeOf(said.get('for') ?? ''),
    scheme: schemeOf(said.get('proto') ?? null),
    host: hostOf(said.get('host') ?? null),
  }
}
