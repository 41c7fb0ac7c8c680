/**
 * A second reading of RFC 9112, written to be obviously right and not to be fast: whole texts, split at CRLF, matched
 * against the grammar. What the parser accepts must be what this one reads, to the byte; shares no code with core/.
 */

/** One request as read. */
export interface NaiveRequest {
  readonly method: string
  readonly target: string
  /** Name in lower case, value, name, value … */
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  /** Where the message ends in the text. */
  readonly end: number
}

/** A message is read whole, is cut off, or is not one whose meaning and end all recipients agree on. */
export type NaiveReading =
  | { readonly kind: 'request'; readonly request: NaiveRequest }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly why: string }

const invalid = (why: string): NaiveReading => ({ kind: 'invalid', why })
const incomplete: NaiveReading = { kind: 'incomplete' }

// RFC 9110 section 5.6.2, RFC 9112 section 3, RFC 9110 section 5.5 with the white space of RFC 9112 section 5.
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const requestLine = new RegExp(`^(${token}) ([\\x21-\\x7e]+) HTTP/1\\.(\\d)$`)
const fieldLine = new RegExp(`^(${token}):[ \\t]*([\\t\\x20-\\x7e\\x80-\\xff]*?)[ \\t]*$`)
// RFC 9112 sections 7.1 and 7.1.1, RFC 9110 section 5.6.4.
const bws = '[ \\t]*'
const quoted = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const extension = `${bws};${bws}${token}(?:${bws}=${bws}(?:${token}|${quoted}))?`
const sizeLine = new RegExp(`^([0-9A-Fa-f]+)(?:${extension})*$`)
// RFC 3986 section 3.2.2, loosely: no character that could begin another part of a URI.
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[\w\-.~!$&'()*+,;=]+)(?::\d*)?$/

/** Reads one request that begins at `from`, behind the empty line that RFC 9112 section 2.2 forgives. */
export function readNaively(text: string, from: number): NaiveReading {
  const start = text.startsWith('\r\n', from) ? from + 2 : from
  const blank = text.indexOf('\r\n\r\n', start)
  if (blank === -1) return incomplete
  const [line = '', ...lines] = text.slice(start, blank).split('\r\n')
  const [, method, target, minor] = requestLine.exec(line) ?? []
  if (method === undefined) return invalid('request line')
  const all = fieldsOf(lines)
  if (all === null) return invalid('field line')
  const fault = hostFault(target!, minor!, all) ?? framingFault(minor!, all)
  if (fault !== null) return invalid(fault)
  const fields = isOffer(minor!, all) ? all : without(all, 'upgrade')
  const body = readBody(text, blank + 4, fields)
  if ('kind' in body) return body
  return { kind: 'request', request: { method, target: target!, fields, ...body } }
}

function fieldsOf(lines: readonly string[]): string[] | null {
  const fields: string[] = []
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? []
    if (name === undefined) return null
    fields.push(name.toLowerCase(), value!)
  }
  return fields
}

const valuesOf = (fields: readonly string[], name: string): string[] =>
  fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === name)

// RFC 9110 section 7.8: Upgrade counts where Connection names it too, and not in HTTP/1.0.
const isOffer = (minor: string, fields: readonly string[]): boolean =>
  minor !== '0' &&
  valuesOf(fields, 'connection').some(value => /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(value))

const without = (fields: readonly string[], name: string): string[] =>
  fields.filter((_, index) => fields[index - (index % 2)] !== name)

// RFC 9112 sections 3.2 and 3.2.1 to 3.2.4.
function hostFault(target: string, minor: string, fields: readonly string[]): string | null {
  const hosts = valuesOf(fields, 'host')
  if (hosts.length > 1) return 'two Hosts'
  if (hosts.length === 0 && minor !== '0') return 'no Host'
  if (hosts.some(host => !hostAndPort.test(host))) return 'Host'
  return target.includes('#') ? 'fragment' : null
}

// RFC 9112 sections 6.1 to 6.3, without any of the repairs that a recipient may make.
function framingFault(minor: string, fields: readonly string[]): string | null {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (lengths.some(length => !/^\d+$/.test(length))) return 'Content-Length'
  if (lengths.length > 1) return 'two Content-Lengths'
  if (codings.length === 0) return null
  if (lengths.length > 0) return 'Content-Length and Transfer-Encoding'
  if (minor === '0') return 'Transfer-Encoding in HTTP/1.0'
  return codings.length === 1 && codings[0]!.toLowerCase() === 'chunked' ? null : 'Transfer-Encoding'
}

type Body = Pick<NaiveRequest, 'body' | 'trailers' | 'end'>

function readBody(text: string, start: number, fields: readonly string[]): Body | NaiveReading {
  if (valuesOf(fields, 'transfer-encoding').length > 0) return readChunks(text, start)
  const size = BigInt(valuesOf(fields, 'content-length')[0] ?? '0')
  if (size > BigInt(text.length - start)) return incomplete
  const end = start + Number(size)
  return { body: text.slice(start, end), trailers: [], end }
}

function readChunks(text: string, start: number): Body | NaiveReading {
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return incomplete
    const digits = sizeLine.exec(text.slice(at, lineEnd))?.[1]
    if (digits === undefined) return invalid('chunk size')
    const size = BigInt(`0x${digits}`)
    if (size === 0n) return readTrailers(text, lineEnd, body)
    const data = lineEnd + 2
    if (size > BigInt(text.length - data)) return incomplete
    at = data + Number(size)
    body += text.slice(data, at)
    if (text.length < at + 2) return incomplete
    if (text.slice(at, at + 2) !== '\r\n') return invalid('chunk end')
    at += 2
  }
}

/** Reads trailers behind the line that ends at `lineEnd`, up to the empty line. */
function readTrailers(text: string, lineEnd: number, body: string): Body | NaiveReading {
  const blank = text.indexOf('\r\n\r\n', lineEnd)
  if (blank === -1) return incomplete
  const trailers = blank === lineEnd ? [] : fieldsOf(text.slice(lineEnd + 2, blank).split('\r\n'))
  return trailers === null ? invalid('trailer') : { body, trailers, end: blank + 4 }
}
