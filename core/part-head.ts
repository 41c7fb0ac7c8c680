import { mediaType } from './body-text.ts'
import { invalidForm, tooMany } from './form-errors.ts'
import { isToken, trimmed } from './head-syntax.ts'
import { readParameters } from './parameters.ts'

/** What a part of a multipart form says of itself. */
export interface PartHead {
  readonly name: string
  /** Null for a plain field. */
  readonly filename: string | null
  readonly type: string
  /** As the client sent it, with a charset if there is one. */
  readonly contentType: string | undefined
}

/** Three are common. */
const MOST_LINES = 32

const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads the header fields of a part (RFC 7578 section 4). What cannot be read is refused, and not left out: a part that
 * is dropped in silence was seen by whoever has checked the form before us, or the other way round.
 *
 * @param block From behind the boundary up to the empty line.
 * @throws HttpError 400, 413 for too many lines.
 */
export function readPartHead(block: Uint8Array): PartHead {
  const [padding = '', ...lines] = textOf(block).split('\r\n')
  if (trimmed(padding) !== '') throw invalidForm('something stands behind a boundary')
  if (lines.length > MOST_LINES) throw tooMany('header fields in one part', MOST_LINES)
  const fields = fieldsOf(lines)
  const { name, filename } = dispositionOf(fields.get('content-disposition'))
  const contentType = fields.get('content-type')
  const type = mediaType(contentType) || 'text/plain'
  // Old clients send files without a name for them.
  const isFile = filename !== undefined || type === 'application/octet-stream'
  return { name, filename: isFile ? withoutFolders(filename ?? '') : null, type, contentType }
}

function textOf(block: Uint8Array): string {
  try {
    return utf8.decode(block)
  } catch (cause) {
    throw invalidForm('the header of a part is not in UTF-8', cause)
  }
}

function fieldsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    if (!isToken(name) || CONTROL.test(line)) throw invalidForm('a line in the header of a part is malformed')
    if (fields.has(name)) throw invalidForm('a part has a header field twice')
    fields.set(name, trimmed(line.slice(colon + 1)))
  }
  return fields
}

function dispositionOf(field: string | undefined) {
  if (field === undefined) throw invalidForm('a part has no Content-Disposition')
  const read = readParameters(field)
  if (read?.value !== 'form-data') throw invalidForm('a Content-Disposition is no valid form-data')
  const { parameters } = read
  const name = parameters.get('name')
  // It cannot be told from others (section 4.2).
  if (name === undefined) throw invalidForm('a part has no name')
  const filename = parameters.get('filename')
  // Section 4.2 forbids it. Beside a plain one it says the same; alone it would make a field of a file.
  if (filename === undefined && parameters.has('filename*'))
    throw invalidForm('a file has its name in filename* alone')
  return { name: decoded(name), filename: filename === undefined ? undefined : decoded(filename) }
}

// What browsers write for the three characters that cannot stand there (HTML, "multipart/form-data encoding algorithm").
const decoded = (text: string): string =>
  text.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n')

/** The last segment of a path, of Windows or another; none for one that would lead up. */
function withoutFolders(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return name === '.' || name === '..' ? '' : name
}
