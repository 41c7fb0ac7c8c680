import type { RefusalId } from '../../../core/errors.ts'
import { BODY_BYTES, get, post, request, sized, smuggled } from '../bytes.ts'
import { closed, echoed, FIN, kept, may, must, policy, type Row, refused, type Table } from '../row.ts'

/** What is not `1*DIGIT` (RFC 9110 section 8.6). */
const invalid: readonly (readonly [string, string])[] = [
  // HTTP Garden, Puma 1 (GHSA-68xg-gqqm-vgj8) and Go net/http 1: nothing was read as 0, or as "to the end".
  ['nothing', ''],
  // HTTP Garden, gunicorn 1, CPython http.server 1: Python's int() took all of these.
  ['a plus sign', '+5'],
  ['a minus sign', '-5'],
  ['an underscore', '1_0'],
  ['a hexadecimal number', '0x5'],
  // HTTP Garden, Mongoose 5: the longest valid prefix counted.
  ['digits and a letter', '5a'],
  ['a fraction', '5.0'],
  ['an exponent', '5e0'],
  ['a list of two', '5, 6'],
  ['a list of the same', '5, 5'],
  ['a list with an empty member', '5,'],
  ['a list with an empty member in front', ',5'],
  ['two numbers', '5 5'],
  ['quotes', '"5"'],
  ['a parameter', '5;a'],
  ['a no-break space', '\xa05'],
  ['digits of another script', '\xd9\xa5'],
  ['2^64 + 5', '18446744073709551621'],
  ['2^63', '9223372036854775808'],
  ['more than a safe integer', '9007199254740993'],
  ['more zeros than a number needs', `${'0'.repeat(20)}5`],
  ['minus zero', '-0'],
  ['an octal number', '0o5'],
  // HTTP Request Smuggler: pads and lists that one recipient cuts at its first number, another at its last.
  ['zero and a number', '0 5'],
  ['zero before a comma', '0, 5'],
  ['zero behind a comma', '5, 0'],
  ['a tab within', '5\t5'],
  ['a byte over 0x7F behind', '5\xff'],
  ['a letter alone', 'x'],
  ['a word', 'chunked'],
  ['a hundred digits', '9'.repeat(100)],
]

const valueRows: readonly Row[] = [
  must(
    '9112 6.3',
    'Content-Length is the length of the body',
    `${sized('5')}hello`,
    echoed({ body: 'hello' }),
  ),
  must('9112 6.3', 'Content-Length 0 is no body', sized('0'), echoed({ body: '' })),
  // HTTP Garden, OpenLiteSpeed 3: a leading zero made it octal.
  must('9110 8.6', 'leading zeros are decimal', `${sized('010')}0123456789`, echoed({ body: '0123456789' })),
  must(
    '9110 5.5',
    'white space around Content-Length is none of it',
    `${sized(' \t5\t ')}hello`,
    echoed({ body: 'hello' }),
  ),
  ...invalid.map(([what, value]) =>
    must('9112 6.3', `Content-Length with ${what} is refused`, sized(value), refused(400, 'H1-CL-INVALID')),
  ),
]

const doubledRows: readonly Row[] = [
  must(
    '9112 6.3',
    'a second Content-Length of another value is refused',
    sized('5', '6'),
    refused(400, 'H1-CL-TWICE'),
  ),
  must('9112 6.3', 'a second Content-Length of 0 is refused', sized('0', '35'), refused(400, 'H1-CL-TWICE')),
  policy(
    '9112 6.3',
    'a second Content-Length of the same value is refused',
    sized('5', '5'),
    refused(400, 'H1-CL-TWICE'),
  ),
  must(
    '9112 6.3',
    'a second Content-Length in another case and place is refused',
    request('POST / HTTP/1.1', 'content-length: 5', 'Host: a', 'CONTENT-LENGTH: 6'),
    refused(400, 'H1-CL-TWICE'),
  ),
  // HTTP Garden, HAProxy 1 (CVE-2023-40225).
  must(
    '9112 6.3',
    'an empty Content-Length before another is refused',
    sized('', '59'),
    refused(400, 'H1-CL-INVALID'),
  ),
  must(
    '9112 6.3',
    'an empty Content-Length behind another is refused',
    sized('59', ''),
    refused(400, 'H1-CL-TWICE'),
  ),
]

/** What hides the field, or its value, from one of two recipients. */
const disguised: readonly (readonly [string, string, RefusalId])[] = [
  ['a vertical tab before the number', 'Content-Length: \x0b5', 'H1-FIELD-VALUE'],
  ['NUL behind the number', 'Content-Length: 5\0', 'H1-FIELD-VALUE'],
  ['a form feed behind the number', 'Content-Length: 5\f', 'H1-FIELD-VALUE'],
  ['LF before the number', 'Content-Length:\n5', 'H1-BARE-LF'],
  ['CR before the number', 'Content-Length:\r5', 'H1-BARE-CR'],
  ['CR behind the number', 'Content-Length: 5\r', 'H1-BARE-CR'],
  ['a folded number', 'Content-Length: 5\r\n 0', 'H1-FIELD-FOLD'],
  ['a tab before the colon', 'Content-Length\t: 5', 'H1-FIELD-SPACE'],
  // llhttp's request tests, "`Content-Length` with CR instead of dash".
  ['CR in place of the hyphen', 'Content\rLength: 5', 'H1-FIELD-NAME'],
  ['NUL behind the name', 'Content-Length\0: 5', 'H1-FIELD-NAME'],
  ['a second colon', 'Content-Length:: 5', 'H1-CL-INVALID'],
  ['a line of nothing but a colon before it', ':\r\nContent-Length: 5', 'H1-FIELD-NAME'],
]

const disguisedRows: readonly Row[] = disguised.map(([what, line, id]) =>
  must('9112 6.3', `Content-Length with ${what} is refused`, post(line), refused(400, id)),
)

const bodyRows: readonly Row[] = [
  // "CL.0": bytes behind a body of none are the next request, and nothing else.
  must(
    '9112 6.3',
    'what stands behind a body of none begins the next request',
    `${sized('00')}X${get()}`,
    echoed({ body: '' }, { method: 'XGET' }),
  ),
  // HTTP Garden, server bug 48: all that came with the first request was its body.
  must(
    '9112 6.3',
    'a body of none, then one that looks like a request',
    `${sized('0')}${sized(String(smuggled.length))}${smuggled}${get()}`,
    echoed({ body: '' }, { body: smuggled }, { method: 'GET' }),
  ),
  must(
    '9110 9.3.7',
    'OPTIONS may have a body',
    `${request('OPTIONS /ignore HTTP/1.1', 'Host: a', `Content-Length: ${smuggled.length}`)}${smuggled}${get()}`,
    kept({ status: 200, body: 'ignored' }, { status: 200, saw: { method: 'GET' } }),
  ),
  must(
    '9112 6.3',
    'a body of a GET that nobody reads is not the next request',
    `${request('GET /ignore HTTP/1.1', 'Host: a', `Content-Length: ${smuggled.length}`)}${smuggled}${get()}`,
    kept({ status: 200, body: 'ignored' }, { status: 200, saw: { method: 'GET' } }),
  ),
  must(
    '9112 6.3',
    'a POST without length has no body',
    [request('POST / HTTP/1.1', 'Host: a'), get()],
    echoed({ body: '' }, { method: 'GET' }),
  ),
  // HTTP Garden, relayd 6: a GET was forwarded without its body.
  must(
    '9110 9.3.1',
    'a GET may have a body',
    `${get(`Content-Length: ${smuggled.length}`)}${smuggled}`,
    echoed({ method: 'GET', body: smuggled }),
  ),
  must(
    '9110 9.3.2',
    'a HEAD may have a body',
    `${request('HEAD / HTTP/1.1', 'Host: a', 'Content-Length: 5')}hello`,
    kept({ status: 200, toHead: true }),
  ),
  must(
    '9112 6.3',
    'a body that looks like a request is a body',
    `${sized(String(smuggled.length))}${smuggled}`,
    echoed({ body: smuggled }),
  ),
  must(
    '9112 6.3',
    'a body may have every byte',
    `${sized('6')}\0\r\n\r\n\xff`,
    echoed({ body: '\0\r\n\r\n\xff' }),
  ),
  must(
    '9112 6.3',
    'a body that comes byte by byte is the same',
    { bytewise: `${sized('5')}hello` },
    echoed({ body: 'hello' }),
  ),
  may('9112 8', 'a body that ends early is an error', [`${sized('5')}hell`, FIN], closed({ status: 400 })),
  may('9110 15.5.14', 'a body over the limit is 413', sized(String(BODY_BYTES + 1)), closed({ status: 413 })),
  must(
    '9112 9.3',
    'a body that nobody reads is dropped, and the connection kept',
    `${request('POST /ignore HTTP/1.1', 'Host: a', `Content-Length: ${smuggled.length}`)}${smuggled}`,
    kept({ status: 200, body: 'ignored' }),
  ),
  must(
    '9112 9.3',
    'a body of which only the beginning is read is dropped',
    `${request('POST /first-piece HTTP/1.1', 'Host: a', 'Content-Length: 5')}hello`,
    kept({ status: 200, body: 'hello' }),
  ),
  must(
    '9112 9.3',
    'a body to what nobody answers is dropped',
    `${request('POST /nobody HTTP/1.1', 'Host: a', 'Content-Length: 5')}hello`,
    kept({ status: 404 }),
  ),
]

export const contentLength: Table = {
  topic: 'Content-Length',
  rows: [...valueRows, ...doubledRows, ...disguisedRows, ...bodyRows],
}
