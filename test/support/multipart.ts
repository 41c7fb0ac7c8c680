/** One part of a multipart/byteranges body, as a client reads it. */
export interface PartRead {
  readonly type: string | undefined
  readonly start: number
  readonly end: number
  readonly size: number
  readonly bytes: Buffer
}

/**
 * The parts of a multipart/byteranges body, by a strict reading of RFC 2046 section 5.1 and RFC 9110 section 14.6.
 *
 * @throws Error for anything that is not exactly such a body.
 */
export function readParts(type: string | undefined, body: Buffer): PartRead[] {
  const boundary = /^multipart\/byteranges; boundary=([0-9a-zA-Z'()+_,./:=?-]{1,70})$/.exec(type ?? '')?.[1]
  if (boundary === undefined) throw new Error(`not multipart/byteranges: ${type}`)
  const text = body.toString('latin1')
  const [preamble, ...parts] = text.split(`\r\n--${boundary}`)
  if (preamble !== '') throw new Error(`something before the first part: ${preamble}`)
  if (parts.pop() !== '--\r\n') throw new Error('the body does not end with its boundary')
  return parts.map(readPart)
}

function readPart(part: string): PartRead {
  const end = part.indexOf('\r\n\r\n')
  if (!part.startsWith('\r\n') || end === -1) throw new Error(`not a part: ${JSON.stringify(part)}`)
  const lines = part.slice(2, end).split('\r\n')
  const fields = new Map(lines.map(line => line.split(': ', 2) as [string, string]))
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(fields.get('content-range') ?? '')
  if (range === null) throw new Error(`a part without Content-Range: ${JSON.stringify(lines)}`)
  const [start, last, size] = range.slice(1).map(Number) as [number, number, number]
  const bytes = Buffer.from(part.slice(end + 4), 'latin1')
  if (bytes.length !== last - start + 1) throw new Error(`${range[0]} has ${bytes.length} bytes`)
  return { type: fields.get('content-type'), start, end: last, size, bytes }
}
