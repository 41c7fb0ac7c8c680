import type { Entry, FieldName } from './fields.ts'
import type { Masks } from './mask.ts'
import { compileJson, compileTemplate, type Format, type Limits } from './template.ts'

const COMMON = '{client} - {user} [{localTime}] "{line}" {status} {bodyBytes}'

/** Formats that are known by a name: Apache's, which goaccess, AWStats and their like read. */
export const named = {
  combined: `${COMMON} "{referer}" "{userAgent}"`,
  common: COMMON,
} as const

export type FormatName = keyof typeof named | 'json'

/** Readers of Apache's formats take lines in pieces of 4,095 bytes: together these leave room for the rest. */
const LIMITS: Limits = { user: 256, line: 2_048, referer: 1_024, userAgent: 512 }

/** What a JSON line has unless the config says otherwise. */
export const JSON_FIELDS = [
  'time',
  'site',
  'client',
  'user',
  'method',
  'target',
  'protocol',
  'host',
  'status',
  'bytes',
  'milliseconds',
  'result',
  'referer',
  'userAgent',
  'route',
  'cacheStatus',
  'requestId',
  'refused',
] as const satisfies readonly FieldName[]

/** How long text may become where a line must be short, in the order in which it is tried. */
const SHORTER = [1_024, 256, 64, 16]

/** A format, and the same with ever shorter text. */
export type Formats = readonly [Format, ...Format[]]

/** The format that a config asks for by name, or by a template that was checked. */
export function formatsOf(
  format: string,
  fields: Readonly<Record<string, FieldName>>,
  masks: Masks,
): Formats {
  const compile = (most?: number): Format => {
    if (format === 'json') return compileJson(fields, masks, most)
    const isNamed = Object.hasOwn(named, format)
    return isNamed
      ? compileTemplate(named[format as keyof typeof named], masks, LIMITS, most)
      : compileTemplate(format, masks, {}, most)
  }
  return [compile(), ...SHORTER.map(compile)]
}

/** The line of an exchange, of at most so many characters if any of the formats makes one. */
export function lineWithin(longest: number, formats: Formats, entry: Entry): string {
  let line = ''
  for (const format of formats) {
    line = format(entry)
    if (line.length <= longest) break
  }
  return line
}
