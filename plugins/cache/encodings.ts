import { remembered } from 'rawhttp'

/** The content codings that a stored answer may have been chosen among; x-gzip is gzip (RFC 9110 section 8.4.1.3). */
const CODINGS: ReadonlySet<string> = new Set(['zstd', 'br', 'gzip', 'deflate', 'identity'])

const REMEMBERED = 1_024

/**
 * Brings Accept-Encoding to a form in which it decides the same (RFC 9110 section 12.5.3): the known codings by
 * preference, those that are refused behind a `!`. Spellings that mean the same become one; a field that breaks the
 * grammar stays as it is, since nobody can say how it will be read.
 */
export function acceptedCodings(field: string | undefined): string {
  return field === undefined ? 'none' : acceptedOf(field)
}

const acceptedOf = remembered(normalForm, REMEMBERED)

/** Whether a stored answer of this Content-Encoding can be told from those for other clients. */
export function isKnownCoding(contentEncoding: string): boolean {
  return CODINGS.has(contentEncoding)
}

interface Wish {
  readonly coding: string
  readonly quality: number
}

const MEMBER = /^([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/

function normalForm(field: string): string {
  const wishes: Wish[] = []
  for (const member of field.toLowerCase().split(',')) {
    const text = member.trim()
    if (text === '') continue
    const parts = MEMBER.exec(text)
    if (parts === null) return `?${field}`
    const coding = parts[1] === 'x-gzip' ? 'gzip' : parts[1]!
    if (coding !== '*' && !CODINGS.has(coding)) continue
    if (wishes.some(wish => wish.coding === coding)) return `?${field}`
    wishes.push({ coding, quality: Number(parts[2] ?? 1) })
  }
  return inOrder(wishes)
}

// Of two with the same quality the one that stands first comes first: a server may go by that. A refusal says
// something only of what would be taken otherwise.
function inOrder(wishes: readonly Wish[]): string {
  const wanted = wishes.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality)
  const takesAll = wanted.some(({ coding }) => coding === '*')
  const refused = wishes
    .filter(({ coding, quality }) => quality === 0 && (takesAll || coding === '*' || coding === 'identity'))
    .map(({ coding }) => `!${coding}`)
    .sort()
  let text = ''
  for (const [place, { coding, quality }] of wanted.entries()) {
    const before = wanted[place - 1]
    text += `${before === undefined ? '' : before.quality > quality ? '>' : ','}${coding}`
  }
  return [text, ...refused].join(' ')
}
