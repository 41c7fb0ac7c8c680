import { describe, expect, it } from 'vitest'
import { type RefusalId, refusals } from '../../core/errors.ts'
import { BODY_LENGTH, BODY_NONE } from '../../core/framing.ts'
import { returnParser, takeParser } from '../../core/parser.ts'
import {
  byteByByte,
  chunked,
  eventsOf,
  get,
  headOf,
  outline,
  Recorder,
  refusalOf,
  request,
  withField,
} from './record.ts'

describe('a body', () => {
  const post = request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5')

  it('has the length that the head says', () => {
    expect(headOf(post)).toMatchObject({ framing: BODY_LENGTH, contentLength: 5 })
    expect(outline(eventsOf([`${post}hello`]))).toEqual(['POST / hello'])
  })

  it('of length 0 is none', () => {
    const head = request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 0')
    expect(headOf(head)).toMatchObject({ framing: BODY_NONE, contentLength: 0 })
    expect(outline(eventsOf([head + get]))).toEqual(['POST /', 'GET /'])
  })

  it('is told piece by piece as it comes, as views of the chunks, however the head came', () => {
    const recorder = new Recorder()
    const pieces: Buffer[] = []
    recorder.onBody = piece => pieces.push(piece)
    const chunks = [post.slice(0, 20), `${post.slice(20)}hel`, 'lo'].map(text => Buffer.from(text))
    recorder.feed(...chunks)
    expect(pieces.map(String)).toEqual(['hel', 'lo'])
    expect(pieces.map(({ buffer }) => buffer)).toEqual([chunks[1]!.buffer, chunks[2]!.buffer])
  })

  it('keeps its bytes when the head before it came in pieces', () => {
    const recorder = new Recorder()
    recorder.feed(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-',
      'Length: 5\r\n\r\nhel',
      'lo',
      'GE',
      'T /b HTTP/1.1\r\nHo',
    )
    expect(outline(recorder.events)).toEqual(['POST / hello'])
  })

  it('may look like a request', () => {
    const text = `${request('POST / HTTP/1.1', 'Host: a', `Content-Length: ${get.length}`)}${get}`
    expect(outline(eventsOf([text + get]))).toEqual([`POST / ${get}`, 'GET /'])
  })

  it('larger than any limit of heads is read through', () => {
    const size = 100_000
    const head = request('POST / HTTP/1.1', 'Host: a', `Content-Length: ${size}`)
    const text = head + 'x'.repeat(size) + get
    expect(outline(eventsOf([text.slice(0, 20), text.slice(20)]))).toEqual([
      `POST / ${'x'.repeat(size)}`,
      'GET /',
    ])
  })
})

describe('the end of a message', () => {
  const post = request('POST /b HTTP/1.1', 'Host: a', 'Content-Length: 2')
  const messages = [get, `${post}hi`, chunked('1\r\nx\r\n0\r\n\r\n'), chunked('0\r\nX: y\r\n\r\n'), get]

  it('is where execute stops', () => {
    let at = 0
    const ends = messages.map(text => (at += text.length))
    expect(new Recorder().feed(messages.join(''))).toEqual(ends)
  })

  it('is where execute stops when the head began in an earlier chunk', () => {
    for (const text of messages) {
      for (let cut = 1; cut < text.length; cut++) {
        const recorder = new Recorder()
        recorder.feed(text.slice(0, cut))
        expect(recorder.feed(text.slice(cut) + get)).toContain(text.length - cut)
      }
    }
  })

  it('is counted from where the chunk was begun', () => {
    const { parser } = new Recorder()
    parser.execute(Buffer.from(get.slice(0, 9)), 0)
    expect(parser.execute(Buffer.from(`xx${get.slice(9)}${get}`), 2)).toBe(2 + get.length - 9)
  })

  it('leaves the bytes behind it unread', () => {
    const recorder = new Recorder()
    const chunk = Buffer.from(`xx${get}\x00\x01`)
    expect(recorder.parser.execute(chunk, 2)).toBe(2 + get.length)
    expect(outline(recorder.events)).toEqual(['GET /'])
  })
})

// Every refusal that bytes alone can bring about. The others are decided later: on a clock, a path or a site.
const refused: Partial<Record<RefusalId, readonly string[]>> = {
  'H1-TLS-HELLO': ['\x16\x03\x01'],
  'H1-H2-PREFACE': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  'H1-METHOD': [' GET / HTTP/1.1', 'GE(T / HTTP/1.1', 'GET\t/ HTTP/1.1', '\x00', '\x80', '{"a":1}'],
  'H1-METHOD-LONG': [`${'M'.repeat(33)} /`, `${'M'.repeat(33)}\x00`],
  'H1-REQUEST-LINE': [
    'GET\r\n',
    'GET  / HTTP/1.1',
    'GET /\r\n',
    'GET \r\n',
    'GET / HTTP/1.1 \r\n',
    'GET / HTTP/1.1\t',
    'GET /  HTTP/1.1',
    'GET / \tHTTP/1.1',
    'GET /a b HTTP/1.1',
  ],
  'H1-TARGET-LONG': [`GET /${'a'.repeat(8_192)}`],
  'H1-TARGET-CHAR': ['GET /\t', 'GET /\x00 ', 'GET /\x7f ', 'GET /\xc3\xa9 ', 'GET /a#b ', 'GET /a?b#c '],
  'H1-TARGET-FORM': [
    request('GET * HTTP/1.1', 'Host: a'),
    request('GET a HTTP/1.1', 'Host: a'),
    request('OPTIONS a:80 HTTP/1.1', 'Host: a'),
    request('CONNECT /a HTTP/1.1', 'Host: a'),
    request('PRI * HTTP/1.1', 'Host: a'),
  ],
  'H1-VERSION': [
    'GET / \r\n',
    'GET / HTTP/1.1x',
    'GET / HTTP/1.12\n',
    'GET / http/1.1\r\n',
    'GET / HTTP/11\r\n',
    'GET / HTTP/1\r\n',
    'GET / HTTP/1,1\r\n',
    'GET / HTTP/x.1\r\n',
    'GET / HTTP/1.x\r\n',
    'GET / HTTPS/1.1\r\n',
  ],
  'H1-VERSION-MAJOR': [
    'GET / HTTP/2.0\r\n',
    'GET / HTTP/0.9\r\n',
    'GET / HTTP/0.0\r\n',
    'PRI / HTTP/2.0\r\n',
    'PRI * HTTP/2.1\r\n',
  ],
  'H1-BARE-LF': [
    '\n',
    'GET\n',
    'GET /\n',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1\r\n\n',
    withField('X\n'),
    withField('X: y\nZ: 1'),
    chunked('1\nx'),
    chunked('1;a\nx'),
    chunked('0\r\nX: y\n'),
    chunked('0\r\n\n'),
  ],
  'H1-BARE-CR': [
    '\rG',
    '\r\r\n',
    'GET / HTTP/1.1\rHost: a',
    'GET / HTTP/1.1\r\r\n',
    withField('X: y\rZ: 1'),
    'GET / HTTP/1.1\r\nHost: a\r\n\rX',
    chunked('1\rx'),
    chunked('1;a\rb\r\nx'),
    chunked('0\r\n\rG'),
  ],
  'H1-EMPTY-LINES': [`\r\n\r\n${get}`],
  'H1-HEAD-LARGE': [withField(`X: ${'a'.repeat(16_384)}`), chunked(`0\r\nX: ${'a'.repeat(16_384)}`)],
  'H1-HEAD-COUNT': [withField(`${'X: y\r\n'.repeat(100)}`), chunked(`0\r\n${'X: y\r\n'.repeat(101)}`)],
  'H1-FIELD-NAME': [': a\r\n', 'X\r\n', 'X\x00: y', 'X(: y', 'X\xe9: y', 'X'].map(field => withField(field)),
  'H1-FIELD-SPACE': [withField('X : y'), withField('X\t: y'), chunked('0\r\nX : y')],
  'H1-FIELD-FOLD': [
    withField('X: y\r\n z'),
    withField('X: y\r\n\tz'),
    'GET / HTTP/1.1\r\n Host: a',
    chunked('0\r\n x'),
  ],
  'H1-FIELD-VALUE': ['\x00', '\x01', '\x0b', '\x0c', '\x1f', '\x7f'].map(bad => withField(`X: a${bad}b`)),
  'H1-HOST-MISSING': [request('GET / HTTP/1.1')],
  'H1-HOST-TWICE': [withField('Host: a')],
  'H1-HOST-INVALID': [request('GET / HTTP/1.1', 'Host: a b')],
  'H1-CL-INVALID': [withField('Content-Length: +1')],
  'H1-CL-TWICE': [withField('Content-Length: 1\r\nContent-Length: 1')],
  'H1-CL-TE': [withField('Content-Length: 1\r\nTransfer-Encoding: chunked')],
  'H1-TE-VERSION': [request('GET / HTTP/1.0', 'Transfer-Encoding: chunked')],
  'H1-TE-INVALID': [withField('Transfer-Encoding: chunked, chunked')],
  'H1-TE-CODING': [withField('Transfer-Encoding: gzip, chunked')],
  'H1-CHUNK-SIZE': [
    '\r\n',
    'x',
    '-1\r\n',
    '+1\r\n',
    '0x1\r\n',
    '1_0\r\n',
    ' 1\r\n',
    '1 \r\n',
    '1 x;a\r\n',
    '1\t\r\n',
    '1.0',
    ';a',
    '\x00',
    '1234567890abc\r\n',
    '0000000000000\r\n',
  ].map(chunked),
  'H1-CHUNK-EXT': ['1;a\x00', '1;a\x7f', '1;\r\n', '1;=', '1;a \r', '1;a="\r', `1;${'a'.repeat(1_025)}`].map(
    chunked,
  ),
  'H1-CHUNK-END': ['1\r\nxy\r\n', '1\r\nx\n', '1\r\nx\rG', '1\r\nx0\r\n', '2\r\nx\r\n0\r\n\r\n'].map(chunked),
  'H1-TRAILER-FIELD': [
    'Content-Length: 1',
    'transfer-encoding: chunked',
    'HOST: b',
    'Authorization: x',
    'Cookie: a=b',
  ].map(field => chunked(`0\r\n${field}\r\n\r\n`)),
}

describe('a refused message', () => {
  const cases = Object.entries(refused).flatMap(([id, texts]) => texts.map(text => [id, text] as const))

  it.each(cases)('is %s for %j', (id, text) => {
    expect(refusalOf([text])).toBe(id)
    expect(refusalOf(byteByByte(text))).toBe(id)
  })

  it('has every id of the message layer that bytes can bring about', () => {
    const later = ['H1-HEAD-TIMEOUT', 'H1-CONNECT', 'H1-TRACE', 'H1-EXPECT', 'H1-SCHEME']
    const ids = Object.keys(refusals).filter(id => id.startsWith('H1-') && !later.includes(id))
    expect(Object.keys(refused).sort()).toEqual(ids.sort())
  })

  it.each(cases)('is the last that is read (%s, %j)', (_, text) => {
    const recorder = new Recorder()
    const chunk = Buffer.from(text + get + get, 'latin1')
    expect(recorder.feed(chunk).at(-1)).toBe(chunk.length)
    const { events } = recorder
    expect(recorder.parser.isRefused).toBe(true)
    recorder.feed(get, '\r\n\r\n', get)
    expect(recorder.events).toEqual(events)
    expect(events.filter(({ kind }) => kind === 'refused')).toHaveLength(1)
  })

  it('tells what was read of its head', () => {
    const text = 'POST /a HTTP/1.1\r\nHost: a\r\nX: y\r\nZ\x00: 1\r\n'
    for (const pieces of [[text], byteByByte(text)])
      expect(eventsOf(pieces).at(-1)).toMatchObject({
        head: { method: 'POST', target: '/a', fields: ['host', 'a', 'x', 'y'] },
      })
  })

  it.each(['\n', '\r\r', '\r\n\r'])('has nothing of the head before it when it begins with %j', text => {
    expect(eventsOf([get + text]).at(-1)).toMatchObject({
      kind: 'refused',
      head: { method: '', target: '', fields: [] },
    })
  })

  it('does not take back the messages before it', () => {
    expect(outline(eventsOf([`${get}${get}GET / HTTP/1.1\r\n\r\n${get}`]))).toEqual([
      'GET /',
      'GET /',
      '!H1-HOST-MISSING',
    ])
  })
})

describe('a parser that was given back', () => {
  const roomy = { headBytes: 1_000, headers: 10, targetBytes: 100 }

  it('serves the next one, with the limits of that one', () => {
    const [first, second] = [new Recorder(), new Recorder()]
    const parser = takeParser(first, roomy)
    parser.execute(Buffer.from(get), 0)
    returnParser(parser, roomy)
    expect(takeParser(second, { ...roomy, targetBytes: 3 })).toBe(parser)
    parser.execute(Buffer.from(get.replace('/', '/long')), 0)
    expect(outline(first.events)).toEqual(['GET /'])
    expect(second.events.map(({ kind }) => kind)).toEqual(['begin', 'refused'])
  })

  it('tells the one before nothing any more', () => {
    const recorder = new Recorder()
    const parser = takeParser(recorder, roomy)
    returnParser(parser, roomy)
    parser.execute(Buffer.from(get), 0)
    expect(recorder.events).toEqual([])
    takeParser(recorder, roomy)
  })

  it('is another one for each of those who read at the same time', () => {
    const recorder = new Recorder()
    expect(takeParser(recorder, roomy)).not.toBe(takeParser(recorder, roomy))
  })
})
