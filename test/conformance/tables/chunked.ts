import { BODY_BYTES, chunked, get, HEAD_BYTES, HEADERS, post, request, smuggled } from '../bytes.ts'
import { closed, echoed, FIN, kept, may, must, policy, type Row, refused, type Table } from '../row.ts'

const long = 'x'.repeat(0xab)

const takenRows: readonly Row[] = [
  must(
    '9112 7.1',
    'chunks are put together',
    chunked('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'),
    echoed({ body: 'hello world' }),
  ),
  must('9112 7.1', 'a body may be empty', chunked('0\r\n\r\n'), echoed({ body: '' })),
  must(
    '9112 7.1',
    'the last chunk may have many zeros',
    chunked('1\r\na\r\n00000\r\n\r\n'),
    echoed({ body: 'a' }),
  ),
  must(
    '9112 7.1',
    'a size may have leading zeros',
    chunked('0005\r\nhello\r\n0\r\n\r\n'),
    echoed({ body: 'hello' }),
  ),
  must(
    '9112 7.1',
    'a size may be in lower case',
    chunked(`ab\r\n${long}\r\n0\r\n\r\n`),
    echoed({ body: long }),
  ),
  must(
    '9112 7.1',
    'a size may be in upper case',
    chunked(`AB\r\n${long}\r\n0\r\n\r\n`),
    echoed({ body: long }),
  ),
  must(
    '9112 7.1',
    'data may have every byte',
    chunked('8\r\n\r\n0\r\n\r\n\0\r\n0\r\n\r\n'),
    echoed({ body: '\r\n0\r\n\r\n\0' }),
  ),
  must(
    '9112 7.1',
    'data that looks like a request is data',
    chunked(`${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`),
    echoed({ body: smuggled }),
  ),
  must(
    '9112 7.1',
    'chunks that come byte by byte are the same',
    { bytewise: chunked('5\r\nhello\r\n0\r\n\r\n') },
    echoed({ body: 'hello' }),
  ),
  policy(
    '9112 9.3',
    'a body of unknown length that nobody reads ends the connection',
    `${request('POST /ignore HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}1\r\na\r\n0\r\n\r\n`,
    closed({ status: 200, body: 'ignored' }),
  ),
  may('9112 8', 'a body that ends early is an error', [chunked('5\r\nhel'), FIN], closed({ status: 400 })),
  may(
    '9112 8',
    'a body without its last chunk is an error',
    [chunked('5\r\nhello\r\n'), FIN],
    closed({ status: 400 }),
  ),
  may(
    '9110 15.5.14',
    'a body over the limit is 413',
    chunked(`ffff\r\n${'x'.repeat(BODY_BYTES + 1)}`),
    closed({ status: 413 }),
  ),
]

/** What is not `1*HEXDIG`, or too large: sizes that others read as their longest valid prefix, or run over. */
const sizes: readonly (readonly [string, string])[] = [
  // HTTP Garden, Go net/http 2 and Hyper 1: nothing was read as 0.
  ['nothing', ''],
  ['an extension alone', ';a'],
  ['a letter that is no digit', 'g'],
  ['a letter behind', '5g'],
  // HTTP Garden: aiohttp 1, gunicorn 4, Libevent 2, relayd 3, Pound 2, H2O 3.
  ['0x', '0x5'],
  ['an underscore', '0_5'],
  ['a plus sign', '+5'],
  ['a minus sign', '-5'],
  ['a minus sign before 0', '-0'],
  ['white space in front', ' 5'],
  ['a tab in front', '\t5'],
  ['white space behind', '5 '],
  ['white space within', '5 0'],
  ['a fraction', '5.0'],
  ['quotes', '"5"'],
  ['a comma', '5,5'],
  ['a slash', '5/'],
  ['NUL', '5\0'],
  ['a vertical tab', '5\x0b'],
  ['a no-break space', '5\xa0'],
  // llhttp's request tests, "No semicolon before chunk extensions".
  ['text behind it', '5 erfrferferf'],
  ['2^64 + 5', '10000000000000005'],
  ['2^64 - 1', 'ffffffffffffffff'],
  ['2^63', '8000000000000000'],
  ['2^53 + 1', '20000000000001'],
  ['a thousand digits', '5'.repeat(1_000)],
  ['a thousand zeros', '0'.repeat(1_000)],
]

const sizeRows: readonly Row[] = [
  ...sizes.map(([what, size]) =>
    must(
      '9112 7.1',
      `a size with ${what} is refused`,
      chunked(`${size}\r\nhello\r\n0\r\n\r\n`),
      refused(400, 'H1-CHUNK-SIZE'),
    ),
  ),
  must(
    '9112 7.1',
    'an empty line between chunks is refused',
    chunked('1\r\na\r\n\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-SIZE'),
  ),
  must(
    '9112 7.1',
    'a later size is looked at as well',
    chunked('1\r\na\r\n0x5\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-SIZE'),
  ),
  // The grammar has bad white space there; recipients do not agree on where such a size ends (DESIGN 7: strict in).
  policy(
    '9112 7.1.1',
    'white space before an extension is refused',
    chunked('5 ;a\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-SIZE'),
  ),
]

const extensionRows: readonly Row[] = [
  must(
    '9112 7.1.1',
    'an extension is ignored',
    chunked('5;a=b\r\nhello\r\n0;c\r\n\r\n'),
    echoed({ body: 'hello' }),
  ),
  must(
    '9112 7.1.1',
    'a quoted extension is ignored',
    chunked('5;a="b;c=\\"0\\""\r\nhello\r\n0\r\n\r\n'),
    echoed({ body: 'hello' }),
  ),
  must(
    '9112 7.1.1',
    'white space within an extension is ignored',
    chunked('5; a = b ; c\r\nhello\r\n0\r\n\r\n'),
    echoed({ body: 'hello' }),
  ),
  // CVE-2025-55315 (Kestrel), CVE-2025-22871 (Go net/http), benoitc/gunicorn pull request 3327.
  must(
    '9112 7.1.1',
    'LF within an extension is refused',
    chunked('5;a\nb\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 7.1.1',
    'LF behind the semicolon is refused',
    chunked('5;\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 7.1.1',
    'LF within a quoted extension is refused',
    chunked('5;a="\n"\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 7.1.1',
    'CR within an extension is refused',
    chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-CR'),
  ),
  // HTTP Garden, Node.js 2 (CVE-2023-30589), Akamai 3, Apache Traffic Server 4: CR before the semicolon.
  must(
    '9112 7.1.1',
    'CR before an extension is refused',
    chunked('5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-CR'),
  ),
  must(
    '9112 7.1.1',
    'NUL within an extension is refused',
    chunked('5;a\0\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  must(
    '9112 7.1.1',
    'a control character within an extension is refused',
    chunked('5;a\x0b\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  // CVE-2023-39326 (Go net/http) and llhttp's CVE-2024-22019: extensions as a flood.
  must(
    '9112 7.1.1',
    'an over-long extension is refused',
    chunked(`5;${'a'.repeat(2_000)}\r\nhello\r\n0\r\n\r\n`),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  must(
    '9112 7.1.1',
    'many extensions are over-long together',
    chunked(`1;${'a'.repeat(99)}\r\nx\r\n`.repeat(12)),
    refused(400, 'H1-CHUNK-EXT'),
  ),
]

const lineEndRows: readonly Row[] = [
  must(
    '9112 7.1',
    'a size line that ends in LF is refused',
    chunked('5\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 7.1',
    'a size line that ends in CR is refused',
    chunked('5\rhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-CR'),
  ),
  must(
    '9112 7.1',
    'data that ends in LF is refused',
    chunked('5\r\nhello\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must(
    '9112 7.1',
    'data that ends in CR is refused',
    chunked('5\r\nhello\r0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must(
    '9112 7.1',
    'data that is longer than its size is refused',
    chunked('5\r\nhello!\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must(
    '9112 7.1',
    'data without CRLF is refused',
    chunked('5\r\nhello0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must(
    '9112 7.1',
    'chunks with LF everywhere are refused',
    chunked('5\nhello\n0\n\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  must('9112 7.1', 'a last chunk that ends in LF is refused', chunked('0\n\r\n'), refused(400, 'H1-BARE-LF')),
  must('9112 7.1', 'a body that ends in LF is refused', chunked('0\r\n\n'), refused(400, 'H1-BARE-LF')),
  must(
    '9112 7.1',
    'a body that ends in CR and another byte is refused',
    chunked(`0\r\n\rX${smuggled}`),
    refused(400, 'H1-BARE-CR'),
  ),
  // HTTP Garden, Puma 2 (CVE-2023-40175), oven-sh/bun issue 29732: any two bytes ended the body.
  must(
    '9112 7.1',
    'any two bytes do not end a body',
    chunked('0\r\nXX\r\n\r\n'),
    refused(400, 'H1-FIELD-NAME'),
  ),
]

// RFC 9110 section 6.5.1: what frames, routes, modifies, authenticates or describes the content.
const forbiddenTrailers = [
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Host: b',
  'Connection: close',
  'TE: trailers',
  'Trailer: x',
  'Upgrade: x',
  'Expect: 100-continue',
  'Authorization: Basic x',
  'Proxy-Authorization: Basic x',
  'Cookie: a=b',
  'Cache-Control: no-store',
  'Max-Forwards: 1',
  'Range: bytes=0-1',
  'If-Match: *',
  'If-None-Match: *',
  'Content-Encoding: gzip',
  'Content-Type: text/html',
  'Content-Range: bytes 0-1/2',
]

const trailerRows: readonly Row[] = [
  may(
    '9112 7.1.2',
    'trailers reach the handler',
    chunked('1\r\na\r\n0\r\nX-Sum: 1 \r\nX-End:\r\n\r\n'),
    echoed({
      body: 'a',
      trailers: [
        ['x-sum', '1'],
        ['x-end', ''],
      ],
    }),
  ),
  must(
    '9110 6.5.1',
    'trailers do not become header fields',
    chunked('0\r\nX-Sum: 1\r\n\r\n'),
    echoed({
      headers: [
        ['host', 'a'],
        ['transfer-encoding', 'chunked'],
      ],
    }),
  ),
  must(
    '9110 6.6.2',
    'trailers need not be announced',
    `${post('Transfer-Encoding: chunked', 'Trailer: X-Other')}0\r\nX-Sum: 1\r\n\r\n`,
    echoed({ trailers: [['x-sum', '1']] }),
  ),
  ...forbiddenTrailers.map(field =>
    policy(
      '9110 6.5.1',
      `the trailer ${field} is refused`,
      chunked(`1\r\na\r\n0\r\n${field}\r\n\r\n`),
      refused(400, 'H1-TRAILER-FIELD'),
    ),
  ),
  must(
    '9112 5.1',
    'a space before the colon of a trailer is refused',
    chunked('0\r\nX : v\r\n\r\n'),
    refused(400, 'H1-FIELD-SPACE'),
  ),
  must(
    '9112 5.2',
    'a folded trailer is refused',
    chunked('0\r\nX: a\r\n b\r\n\r\n'),
    refused(400, 'H1-FIELD-FOLD'),
  ),
  must(
    '9110 5.5',
    'a trailer with NUL is refused',
    chunked('0\r\nX: a\0\r\n\r\n'),
    refused(400, 'H1-FIELD-VALUE'),
  ),
  must(
    '9112 2.2',
    'a trailer that ends in LF is refused',
    chunked('0\r\nX: a\n\r\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  policy(
    '6585 5',
    'trailers over the limit are 431',
    chunked(`0\r\nX: ${'v'.repeat(HEAD_BYTES)}\r\n\r\n`),
    refused(431, 'H1-HEAD-LARGE'),
  ),
  policy(
    '6585 5',
    'too many trailers are 431',
    chunked(`0\r\n${'X: v\r\n'.repeat(HEADERS + 1)}\r\n`),
    refused(431, 'H1-HEAD-COUNT'),
  ),
  must(
    '9112 7.1.2',
    'a request behind trailers is the next one',
    `${chunked('0\r\nX: v\r\n\r\n')}${get()}`,
    echoed({ trailers: [['x', 'v']] }, { method: 'GET' }),
  ),
  must(
    '9112 7.1.2',
    'a trailer that looks like a request is a trailer',
    chunked('0\r\nX:GET /smuggled HTTP/1.1\r\n\r\n'),
    kept({ status: 200 }),
  ),
]

export const chunkedCoding: Table = {
  topic: 'the chunked coding',
  rows: [...takenRows, ...sizeRows, ...extensionRows, ...lineEndRows, ...trailerRows],
}
