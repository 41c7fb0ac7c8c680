import { chunked, get, HEAD_BYTES, HEADERS, post } from '../bytes.ts'
import { echoed, kept, may, must, policy, type Row, refused, type Table } from '../row.ts'

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
  'Set-Cookie: a=b',
  'Keep-Alive: timeout=5',
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
  policy(
    '9110 6.5.1',
    'a forbidden trailer behind others, in any case, is refused',
    chunked('0\r\nX: v\r\ntRANSFER-eNCODING: chunked\r\n\r\n'),
    refused(400, 'H1-TRAILER-FIELD'),
  ),
  must(
    '9112 5.1',
    'a trailer without colon is refused',
    chunked('0\r\nX\r\n\r\n'),
    refused(400, 'H1-FIELD-NAME'),
  ),
  must(
    '9112 5.1',
    'a trailer without name is refused',
    chunked('0\r\n: v\r\n\r\n'),
    refused(400, 'H1-FIELD-NAME'),
  ),
  must(
    '9112 2.2',
    'CR within a trailer is refused',
    chunked('0\r\nX: a\rY: b\r\n\r\n'),
    refused(400, 'H1-BARE-CR'),
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

export const trailers: Table = { topic: 'trailers', rows: trailerRows }
