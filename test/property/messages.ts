import fc from 'fast-check'

/** A request as it was meant, and its bytes as one of the ways to write it. */
export interface Message {
  readonly method: string
  readonly target: string
  readonly minor: 0 | 1
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  readonly text: string
}

const alphanumeric = 'ABCXYZabcxyz0189'
const letters = (characters: string) => fc.constantFrom(...characters)
const text = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: letters(characters), minLength, maxLength })
const latin1 = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map(bytes => Buffer.from(bytes).toString('latin1'))

const token = text(`${alphanumeric}!#$%&'*+-.^_\`|~`, 1, 12)
/** Field names that mean nothing to the parser, among them nearly those that do. */
const fieldName = fc.oneof(
  token.map(name => `x-${name}`),
  fc.constantFrom(
    'Accept',
    'USER-AGENT',
    'Cookie',
    'content-lengths',
    'Transfer_Encoding',
    'Hos',
    'Hostt',
    'XHost',
  ),
)
const trailerName = fieldName.filter(name => name !== 'Cookie')
const fieldValue = text(`${alphanumeric} \t:;,="\xe9\xff`, 0, 20).map(value =>
  value.replace(/^[ \t]+|[ \t]+$/g, ''),
)
const whiteSpace = fc.constantFrom('', ' ', '\t', ' \t ')

const field = (name: fc.Arbitrary<string>) =>
  fc.tuple(name, whiteSpace, fieldValue, whiteSpace).map(([name, before, value, after]) => ({
    line: `${name}:${before}${value}${after}\r\n`,
    flat: [name.toLowerCase(), value],
  }))
const fields = (name: fc.Arbitrary<string>) =>
  fc
    .array(field(name), { maxLength: 4 })
    .map(all => ({ lines: all.map(({ line }) => line).join(''), flat: all.flatMap(({ flat }) => flat) }))

const method = fc
  .oneof(fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE', 'get'), token)
  .filter(name => name !== 'CONNECT')
const origin = text(`${alphanumeric}-._~%!$&'()*+,;=:@/?"<>[]^{|}\\\``, 0, 20).map(rest => `/${rest}`)
const target = fc.oneof(
  origin,
  origin.map(path => `http://example.org:80${path}`),
)

interface Framed {
  readonly line: string
  readonly flat: readonly string[]
  readonly body: string
  readonly wire: string
  readonly trailers: readonly string[]
}

const unframed: Framed = { line: '', flat: [], body: '', wire: '', trailers: [] }

const counted = latin1(40).map(
  (body): Framed => ({
    line: `Content-Length: ${body.length}\r\n`,
    flat: ['content-length', String(body.length)],
    body,
    wire: body,
    trailers: [],
  }),
)

const extension = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom(';a', ';a=b', ';a="b;c"', '; x = "\xe9\\"\t"', ' ;\ta; b ;c=d'),
)
const chunk = fc
  .tuple(
    latin1(20).filter(data => data !== ''),
    extension,
    fc.nat(4),
  )
  .map(([data, extension, zeros]) => ({
    data,
    wire: `${'0'.repeat(zeros)}${data.length.toString(16)}${extension}\r\n${data}\r\n`,
  }))

const chunked = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    extension,
    fields(trailerName),
    fc.constantFrom('chunked', 'Chunked'),
  )
  .map(
    ([chunks, extension, { lines, flat }, coding]): Framed => ({
      line: `Transfer-Encoding: ${coding}\r\n`,
      flat: ['transfer-encoding', coding],
      body: chunks.map(({ data }) => data).join(''),
      wire: `${chunks.map(({ wire }) => wire).join('')}0${extension}\r\n${lines}\r\n`,
      trailers: flat,
    }),
  )

/** A valid request, in any of the ways in which it may be written. */
export const message: fc.Arbitrary<Message> = fc
  .record({
    method,
    target,
    emptyLine: fc.constantFrom('', '', '\r\n'),
    version: fc.constantFrom(0, 1, 2),
    framed: fc.oneof(fc.constant(unframed), counted, chunked),
    before: fields(fieldName),
    after: fields(fieldName),
  })
  .map(({ method, target, emptyLine, version, framed, before, after }) => {
    const minor = version === 0 && framed.line.startsWith('Transfer') ? 1 : version
    const head = `${method} ${target} HTTP/1.${minor}\r\n${before.lines}Host: a\r\n${framed.line}${after.lines}\r\n`
    return {
      method,
      target,
      minor: minor === 0 ? 0 : 1,
      fields: [...before.flat, 'host', 'a', ...framed.flat, ...after.flat],
      body: framed.body,
      trailers: framed.trailers,
      text: emptyLine + head + framed.wire,
    }
  })

/** Several requests, one behind the other. */
export const pipeline = fc.array(message, { minLength: 1, maxLength: 3 })

/** What attacks are made of. */
const poison = fc.oneof(
  fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    ';',
    ',',
    '0',
    '1',
    '-',
    '+',
    '0x',
    '\x0b',
    '\x7f',
    '\xff',
    '#',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Host: b\r\n',
    'GET / HTTP/1.1\r\n',
    '0\r\n\r\n',
    'HTTP/1.1',
  ),
  latin1(2),
)

const mutation = fc.record({ at: fc.nat(), removed: fc.nat(3), inserted: poison })

/** Bytes that are requests, requests with faults, or anything. */
export const bytes: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(pipeline, fc.array(mutation, { maxLength: 3 })).map(([messages, mutations]) => {
      const text = messages.map(({ text }) => text).join('')
      return mutations.reduce((text, { at, removed, inserted }) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + inserted + text.slice(place + removed)
      }, text)
    }),
  },
  latin1(60),
)

/** The sizes of the pieces that bytes are cut into; what is left over is the last one. */
export const cuts = fc.oneof(
  fc.constant<number[]>(new Array(2_000).fill(1)),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 200 })), { maxLength: 40 }),
)

export function cut(text: string, sizes: readonly number[]): Buffer[] {
  const all = Buffer.from(text, 'latin1')
  const pieces: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    if (at >= all.length) break
    // Copies: each chunk of a socket has memory of its own.
    pieces.push(Buffer.from(all.subarray(at, at + size)))
    at += size
  }
  if (at < all.length) pieces.push(Buffer.from(all.subarray(at)))
  return pieces
}
