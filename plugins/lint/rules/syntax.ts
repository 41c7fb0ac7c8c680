import { printable } from 'rawhttp'
import { forEach, type Rule } from '../rule.ts'

/** Fields of which one answer has one line: recipients take the first, the last, or none (RFC 9110 section 5.3). */
const SINGLE = [
  'access-control-allow-origin',
  'content-disposition',
  'content-location',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
] as const

/** How single fields are written. */
export const syntax: readonly Rule[] = [
  ...forEach(SINGLE, field => ({
    id: 'field-repeated',
    section: 'RFC 9110 5.3',
    field,
    check: ({ fields }, value) => {
      const lines = fields.getAll(field)
      return lines.length > 1 && value === lines.at(-1) ? `there are ${lines.length} lines of ${field}` : null
    },
  })),
  {
    id: 'etag-syntax',
    section: 'RFC 9110 8.8.3',
    field: 'etag',
    check: (_answer, value) =>
      /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(value)
        ? null
        : `${quoted(value)} is no entity tag: it stands in double quotes`,
  },
  ...forEach(['expires', 'last-modified'], field => ({
    id: 'date-syntax',
    section: 'RFC 9110 5.6.7',
    field,
    check: (_answer, value) =>
      isDate(value) ? null : `${quoted(value)} is no date of HTTP; Date.prototype.toUTCString makes one`,
  })),
  {
    id: 'last-modified-future',
    section: 'RFC 9110 8.8.2.1',
    field: 'last-modified',
    // A second of grace: Date tells whole ones.
    check: ({ fields }, value) => {
      const now = Date.parse(fields.get('date') ?? '') || Date.now()
      return isDate(value) && Date.parse(value) > now + 1_000 ? 'it was changed after it was sent' : null
    },
  },
]

/** Who sends a date has one form for it, which is that of `toUTCString`. */
function isDate(value: string): boolean {
  const date = new Date(value)
  return !Number.isNaN(date.getTime()) && date.toUTCString() === value
}

const quoted = (value: string): string => `"${printable(value, 64)}"`
