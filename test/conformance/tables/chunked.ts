import { BODY_BYTES, chunked, request, smuggled } from '../bytes.ts'
import { closed, echoed, FIN, may, must, policy, type Row, refused, type Table } from '../row.ts'

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
  ['white space and an extension alone', ' ;a'],
  ['a letter that is no digit', 'g'],
  ['a letter behind', '5g'],
  // HTTP Garden: aiohttp 1, gunicorn 4, Libevent 2, relayd 3, Pound 2, H2O 3.
  ['0x', '0x5'],
  ['an underscore', '0_5'],
  ['a plus sign', '+5'],
  ['a minus sign', '-5'],
  ['a minus sign before 0', '-0'],
  ['a minus sign before 0x', '-0x0'],
  ['a plus sign before 0', '+0'],
  ['0x before 0', '0x0'],
  // HTTP Garden: sizes that were cut at the first byte that is no digit, and sent on as they came.
  ['words behind it', '1these-bytes'],
  ['white space in front of 0', '     0'],
  ['h behind', '5h'],
  ['a hash', '#5'],
  ['a backslash', '\\x35'],
  ['a percent escape', '%35'],
  ['white space in front', ' 5'],
  ['a tab in front', '\t5'],
  ['white space behind', '5 '],
  ['white space within', '5 0'],
  ['spaces and a tab behind', '5  \t'],
  ['a fraction', '5.0'],
  ['quotes', '"5"'],
  ['a comma', '5,5'],
  ['a slash', '5/'],
  ['NUL', '5\0'],
  ['a vertical tab', '5\x0b'],
  ['a form feed', '5\x0c'],
  ['DEL', '5\x7f'],
  ['a full-width digit', '\xef\xbc\x95'],
  ['a no-break space', '5\xa0'],
  // llhttp's request tests, "No semicolon before chunk extensions".
  ['text behind it', '5 erfrferferf'],
  ['2^64 + 5', '10000000000000005'],
  ['2^64 - 1', 'ffffffffffffffff'],
  ['2^63', '8000000000000000'],
  ['2^53 + 1', '20000000000001'],
  ['2^32 in so many digits that it is 5 with 32 bits', '00000000100000005'],
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
  // HTTP Garden, a proxy's bug 17: one took the empty line for nothing, the other for a size.
  must(
    '9112 7.1',
    'an empty line in place of the first size is refused',
    chunked('\r\n5\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-SIZE'),
  ),
  // HTTP Garden, server bug 47: what stood behind an invalid chunk was the next request.
  must(
    '9112 7.1',
    'a request in place of a chunk is refused',
    chunked(smuggled),
    refused(400, 'H1-CHUNK-SIZE'),
  ),
  must(
    '9112 7.1',
    'a later size is looked at as well',
    chunked('1\r\na\r\n0x5\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-SIZE'),
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
  must(
    '9112 7.1',
    'a size line that ends in CR CR LF is refused',
    chunked('5\r\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-CR'),
  ),
  must(
    '9112 7.1',
    'a size line that ends in LF CR is refused',
    chunked('5\n\rhello\r\n0\r\n\r\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 7.1',
    'data that ends in CR CR LF is refused',
    chunked('5\r\nhello\r\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must(
    '9112 7.1',
    'data that ends in LF CR is refused',
    chunked('5\r\nhello\n\r0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must(
    '9112 7.1',
    'data that is shorter than its size is refused',
    chunked('6\r\nhello\r\n0\r\n\r\n'),
    refused(400, 'H1-CHUNK-END'),
  ),
  must('9112 7.1', 'a last chunk that ends in CR is refused', chunked('0\r\r\n'), refused(400, 'H1-BARE-CR')),
  // CVE-2022-32213 to 32215 (Node.js) and others: the empty line behind the last chunk was not waited for.
  must(
    '9112 7.1',
    'a request in place of the empty line is refused',
    chunked(`0\r\n${smuggled}`),
    refused(400, 'H1-FIELD-SPACE'),
  ),
  may(
    '9112 8',
    'a body without its last line is an error',
    [chunked('5\r\nhello\r\n0\r\n'), FIN],
    closed({ status: 400 }),
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

export const chunkedCoding: Table = {
  topic: 'the chunked coding',
  rows: [...takenRows, ...sizeRows, ...lineEndRows],
}
