import { BODY_BYTES, get, post, request, smuggled } from '../bytes.ts'
import { closed, echoed, kept, may, must, policy, type Row, refused, type Table } from '../row.ts'

const go = { answer: { status: 100, body: '' } }
const size = `Content-Length: ${smuggled.length}`

/** Lists that have nothing but 100-continue (RFC 9110 section 5.6.1). */
const noOthers: readonly (readonly [string, readonly string[]])[] = [
  ['empty members', ['Expect: , 100-continue,\t,']],
  ['itself again', ['Expect: 100-continue, 100-CONTINUE']],
  ['itself in a second line', ['Expect: 100-continue', 'Expect: 100-continue']],
  ['an empty line beside it', ['Expect:', 'Expect: 100-continue']],
]

const nothing: readonly (readonly [string, readonly string[]])[] = [
  ['nothing', ['Expect:']],
  ['commas alone', ['Expect: , ,']],
  ['two empty lines', ['Expect:', 'Expect:']],
]

const continueRows: readonly Row[] = [
  must(
    '9110 10.1.1',
    '100 comes when the handler reads the body',
    [post('Expect: 100-continue', 'Content-Length: 5'), go, 'hello'],
    echoed({ body: 'hello' }),
  ),
  must(
    '9110 10.1.1',
    '100 comes for a chunked body too',
    [post('Expect: 100-continue', 'Transfer-Encoding: chunked'), go, '1\r\na\r\n0\r\n\r\n'],
    echoed({ body: 'a' }),
  ),
  must(
    '9110 10.1.1',
    'the expectation is case-insensitive',
    [post('Expect: 100-Continue', 'Content-Length: 5'), go, 'hello'],
    echoed({ body: 'hello' }),
  ),
  ...noOthers.map(([what, fields]) =>
    must(
      '9110 10.1.1',
      `100 comes for an expectation with ${what}`,
      [post(...fields, 'Content-Length: 5'), go, 'hello'],
      echoed({ body: 'hello' }),
    ),
  ),
  ...nothing.map(([what, fields]) =>
    must(
      '9110 5.6.1',
      `an expectation of ${what} is none`,
      [post(...fields, 'Content-Length: 5'), 'hello'],
      echoed({ body: 'hello' }),
    ),
  ),
  policy(
    '9110 10.1.1',
    'no 100 comes for a body that nobody reads, and the connection ends',
    request('POST /ignore HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 5'),
    closed({ status: 200, body: 'ignored', fields: { connection: 'close' } }),
  ),
  policy(
    '9110 10.1.1',
    'no 100 comes for what nobody answers, and the connection ends',
    request('POST /nobody HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 5'),
    closed({ status: 404, fields: { connection: 'close' } }),
  ),
  policy(
    '9110 10.1.1',
    'no 100 comes for a body over the limit: the answer is 413',
    post('Expect: 100-continue', `Content-Length: ${BODY_BYTES + 1}`),
    closed({ status: 413 }),
  ),
  // James Kettle, "HTTP/1.1 must die" (2025): servers that took the unread body behind a final answer for a request.
  must(
    '9112 6.3',
    'a body that was not asked for is no request',
    request('POST /ignore HTTP/1.1', 'Host: a', 'Expect: 100-continue', size) + smuggled,
    closed({ status: 200, body: 'ignored' }),
  ),
  must(
    '9112 6.3',
    'a body that is sent after the final answer is no request',
    [
      request('POST /ignore HTTP/1.1', 'Host: a', 'Expect: 100-continue', size),
      { answer: { status: 200, body: 'ignored' } },
      smuggled,
    ],
    closed(),
  ),
  may(
    '9110 10.1.1',
    'no 100 comes when there is no body',
    get('Expect: 100-continue'),
    kept({ status: 200 }),
  ),
  may(
    '9110 10.1.1',
    'no 100 comes when the body is empty',
    post('Expect: 100-continue', 'Content-Length: 0'),
    kept({ status: 200 }),
  ),
  must(
    '9110 10.1.1',
    'HTTP/1.0 gets no 100',
    [request('POST / HTTP/1.0', 'Expect: 100-continue', 'Content-Length: 5'), 'hello'],
    closed({ status: 200, saw: { body: 'hello' } }),
  ),
  must(
    '9110 10.1.1',
    'HTTP/1.0 gets no 417',
    request('GET / HTTP/1.0', 'Expect: x'),
    closed({ status: 200 }),
  ),
]

/** What is not 100-continue alone. */
const others: readonly (readonly [string, readonly string[]])[] = [
  ['another one', ['Expect: x']],
  ['another one beside it', ['Expect: 100-continue, x']],
  ['another one in a second line', ['Expect: 100-continue', 'Expect: x']],
  // "HTTP/1.1 must die": spellings by which front and back differed.
  ['a word in front', ['Expect: y 100-continue']],
  ['a longer number', ['Expect: 1000-continue']],
  ['a parameter', ['Expect: 100-continue;a=b']],
  ['a value', ['Expect: 100-continue=a']],
  ['quotes', ['Expect: "100-continue"']],
  ['quotes around nothing', ['Expect: ""']],
  ['a list within quotes', ['Expect: x="a, 100-continue"']],
  ['a no-break space', ['Expect: \xa0100-continue']],
  ['another one beside an empty member', ['Expect: ,x,']],
]

const otherRows: readonly Row[] = others.map(([what, fields]) =>
  may('9110 10.1.1', `an expectation with ${what} is 417`, post(...fields, size), refused(417, 'H1-EXPECT')),
)

export const expectation: Table = { topic: 'Expect', rows: [...continueRows, ...otherRows] }
