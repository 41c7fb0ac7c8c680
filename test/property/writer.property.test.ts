import { Readable } from 'node:stream'
import fc from 'fast-check'
import { HttpResponse } from 'rawhttp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ParserEvent, Recorder } from '../core/record.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'

/** An answer as a handler means it. */
interface Meant {
  readonly status: number
  /** Name and value, in their order; names that the kernel does not care about. */
  readonly fields: readonly (readonly [string, string])[]
  /** Pieces of a stream, or one text. */
  readonly pieces: readonly Buffer[]
  readonly kind: 'bytes' | 'stream of known length' | 'stream'
  readonly trailers: readonly (readonly [string, string])[]
}

const letters = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength })
const name = letters("abcxyz019!#$%&'*+.^_`|~-", 1, 8).map(text => `x-${text}`)
const value = letters('abcXYZ019 \t:;,="\\\x80\xe9\xff', 0, 16).map(text =>
  text.replace(/^[ \t]+|[ \t]+$/g, ''),
)
const fields = fc.array(fc.tuple(name, value), { maxLength: 4 })
/** Names of trailers are announced once each. */
const trailers = fc.uniqueArray(fc.tuple(name, value), { maxLength: 3, selector: ([name]) => name })
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)) },
  fc.constantFrom('0\r\n\r\n', '\r\n', 'HTTP/1.1 200 OK\r\n\r\n').map(text => Buffer.from(text)),
  // Around what is joined with its head to one write.
  fc.constantFrom(16_383, 16_384, 16_385, 70_000).map(size => Buffer.alloc(size, 'x')),
)

const answer: fc.Arbitrary<Meant> = fc.record({
  status: fc.constantFrom(200, 201, 203, 207, 404, 500, 599),
  fields,
  pieces: fc.array(piece, { maxLength: 4 }),
  kind: fc.constantFrom('bytes', 'stream of known length', 'stream'),
  trailers,
})

/** The body; the kernel would put a text of its own in the place of an error's empty one. */
function bodyOf({ status, pieces }: Meant): Buffer {
  const body = Buffer.concat([...pieces])
  return body.length === 0 && status >= 400 ? Buffer.from('-') : body
}

function made(meant: Meant): HttpResponse {
  const { status, kind, pieces, trailers } = meant
  const body = bodyOf(meant)
  const stream = () => Readable.from(body.length === 1 ? [body] : [...pieces])
  const length = kind === 'stream' ? {} : { length: body.length }
  const response =
    kind === 'bytes'
      ? HttpResponse.bytes(body, { status })
      : HttpResponse.stream(stream(), { status, ...length })
  for (const [name, value] of meant.fields) response.append(name, value)
  if (trailers.length === 0) return response
  const names = trailers.map(([name]) => name)
  return response.trailers(names, () => Object.fromEntries(trailers))
}

let served: TestServer
let answers: readonly Meant[] = []

beforeAll(async () => {
  served = await startServer({
    plugins: [answering(({ path }) => made(answers[Number(path.slice(1))]!))],
  })
})

afterAll(() => served[Symbol.asyncDispose]())

/** The bytes of the answers to a pipeline of requests. */
async function written(meant: readonly Meant[]): Promise<Buffer> {
  answers = meant
  const requests = meant.map((_, index) => {
    const close = index === meant.length - 1 ? 'Connection: close\r\n' : ''
    return `GET /${index} HTTP/1.1\r\nHost: a\r\n${close}\r\n`
  })
  await using client = await RawClient.connect(served.port)
  client.send(requests.join(''))
  return Buffer.from(await client.rest(), 'latin1')
}

/** What the parser reads of what the writer wrote, with a request line in the place of each status line. */
function readBack(bytes: Buffer) {
  const messages: { status: number; fields: string[][]; body: string; trailers: string[][] }[] = []
  for (let from = 0; from < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', from) + 2
    const status = /^HTTP\/1\.1 (\d{3}) [ -~]+\r\n$/.exec(bytes.toString('latin1', from, lineEnd))?.[1]
    expect(status, 'a status line').toBeDefined()
    const recorder = new Recorder({ headBytes: 65_536 })
    recorder.feed('POST / HTTP/1.1\r\nHost: a\r\n')
    let at = lineEnd
    while (at < bytes.length && recorder.events.at(-1)?.kind !== 'end')
      at = recorder.parser.execute(bytes, at)
    expect(recorder.events.at(-1)).toMatchObject({ kind: 'end' })
    messages.push({ status: Number(status), ...partsOf(recorder.events) })
    from = at
  }
  return messages
}

function partsOf(events: readonly ParserEvent[]) {
  let fields: readonly string[] = []
  let body = ''
  let trailers: readonly string[] = []
  for (const event of events) {
    if (event.kind === 'head') fields = event.head.fields
    else if (event.kind === 'body') body = event.bytes
    else if (event.kind === 'end') trailers = event.trailers
  }
  return { fields: pairs(fields).filter(([name]) => name!.startsWith('x-')), body, trailers: pairs(trailers) }
}

const pairs = (flat: readonly string[]): string[][] =>
  flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]!]] : []))

test('the parser reads what was meant out of what the writer wrote, to the byte', async () => {
  const property = fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 3 }), async meant => {
    const read = readBack(await written(meant))
    expect(read).toEqual(
      meant.map(each => ({
        status: each.status,
        fields: each.fields.map(field => [...field]),
        body: bodyOf(each).toString('latin1'),
        trailers: each.kind === 'stream' ? each.trailers.map(field => [...field]) : [],
      })),
    )
  })
  await fc.assert(property, { numRuns: 400 })
  expect(served.reports).toEqual([])
})
