import { get, HEAD_BYTES, HEADERS, request, smuggled } from '../bytes.ts'
import { echoed, kept, may, must, policy, type Row, refused, should, type Table } from '../row.ts'

/** The echo must see this one field behind Host. */
const sees = (name: string, value: string) =>
  echoed({
    headers: [
      ['host', 'a'],
      [name, value],
    ],
  })

const valueRows: readonly Row[] = [
  must('9110 5.1', 'a field name is case-insensitive', get('X-MiXeD: v'), sees('x-mixed', 'v')),
  must('9112 5.1', 'no white space is needed behind the colon', get('X:v'), sees('x', 'v')),
  must('9112 5', 'white space around a value is no part of it', get('X: \t v \t '), sees('x', 'v')),
  must('9110 5.5', 'white space within a value stays', get('X: a \t b'), sees('x', 'a \t b')),
  must('9110 5.5', 'a value may be empty', get('X:'), sees('x', '')),
  must('9110 5.5', 'a value of white space is empty', get('X: \t '), sees('x', '')),
  should('9110 5.5', 'obs-text is taken as it is', get('X: caf\xe9 \x80\xff'), sees('x', 'caf\xe9 \x80\xff')),
  must(
    '9110 5.5',
    'a value may have every visible character',
    get('X: "(),/:;<=>?@[\\]{}'),
    sees('x', '"(),/:;<=>?@[\\]{}'),
  ),
  must(
    '9110 5.6.2',
    'a name may have every character of a token',
    get("!#$%&'*+-.^_`|~09: v"),
    sees("!#$%&'*+-.^_`|~09", 'v'),
  ),
  must(
    '9110 5.3',
    'the order of lines of one name is kept',
    get('X: 1', 'Y: 2', 'X: 3'),
    echoed({
      headers: [
        ['host', 'a'],
        ['x', '1'],
        ['y', '2'],
        ['x', '3'],
      ],
    }),
  ),
  must(
    '9110 5.5',
    'what is white space elsewhere is part of a value',
    get('X: \x85a\xa0'),
    sees('x', '\x85a\xa0'),
  ),
  // Names that CGI and its heirs make the same: only the hyphen is framing.
  must(
    '9110 5.1',
    'Transfer_Encoding and Content_Length frame nothing',
    get('Transfer_Encoding: chunked', 'Content_Length: 5'),
    echoed({ body: '' }),
  ),
]

const spaceRows: readonly Row[] = [
  must('9112 5.1', 'a space before the colon is refused', get('X : v'), refused(400, 'H1-FIELD-SPACE')),
  must('9112 5.1', 'a tab before the colon is refused', get('X\t: v'), refused(400, 'H1-FIELD-SPACE')),
  // HTTP Garden, aiohttp 3 and OpenLiteSpeed 4 (CVE-2023-40518): the space was stripped from the name.
  must(
    '9112 5.1',
    'a space before the colon of Content-Length is refused',
    get('Content-Length : 35'),
    refused(400, 'H1-FIELD-SPACE'),
  ),
  must(
    '9112 5.1',
    'a space before the colon of Transfer-Encoding is refused',
    get('Transfer-Encoding : chunked'),
    refused(400, 'H1-FIELD-SPACE'),
  ),
  must(
    '9112 5.1',
    'a space before the colon of Host is refused',
    request('GET / HTTP/1.1', 'Host : a'),
    refused(400, 'H1-FIELD-SPACE'),
  ),
  must(
    '9112 5.1',
    'a space within a name is refused',
    get('Transfer Encoding: chunked'),
    refused(400, 'H1-FIELD-SPACE'),
  ),
  // HTTP Garden, Mongoose 4: white space was enough between name and value.
  must(
    '9112 5',
    'white space in place of the colon is refused',
    get('Content-Length 35'),
    refused(400, 'H1-FIELD-SPACE'),
  ),
]

/** What is not a token, where a field name should be. */
const notNames: readonly (readonly [string, string])[] = [
  ['no name', ': v'],
  ['no name and no value', ':'],
  ['no colon', 'X'],
  ['a bracket', 'X(: v'],
  ['an at sign', 'X@: v'],
  ['a quote', '"X": v'],
  ['a slash', 'X/Y: v'],
  ['a semicolon', 'X;: v'],
  ['a comma', 'X,: v'],
  ['an equals sign', 'X=: v'],
  ['a brace', '{X}: v'],
  ['a backslash', 'X\\: v'],
  ['NUL', 'X\0: v'],
  ['a control character', 'X\x01: v'],
  ['a vertical tab', 'X\x0b: v'],
  ['a vertical tab in front', '\x0bX: v'],
  ['DEL', 'X\x7f: v'],
  ['a soft hyphen', 'X\xady: v'],
  ['UTF-8', 'X-\xc3\xab: v'],
  ['brackets', 'X[y]: v'],
  ['angle brackets', '<X>: v'],
  ['a question mark', 'X?: v'],
  // llhttp's request tests, "Corrupted Connection header".
  ['CR and an escape', 'Connection\r\x1b5\xd5eep-Alive'],
  // HTTP Garden, gunicorn 3: these two were stripped as white space.
  ['NEL', 'Content-Length\x85: 35'],
  ['a no-break space', 'Content-Length\xa0: 35'],
  ['a byte over 0x7F', 'X\xff: v'],
  ['NUL in Transfer-Encoding', 'Transfer-Encoding\0: chunked'],
  // HTTP Garden, Phusion Passenger 2: a name went on in the next line.
  ['a line end in Transfer-Encoding', 'Transfer-\r\nEncoding: chunked'],
  ['CR', 'X\rTransfer-Encoding: chunked'],
]

const nameRows: readonly Row[] = notNames.map(([what, field]) =>
  must('9112 5.1', `a field name with ${what} is refused`, get(field), refused(400, 'H1-FIELD-NAME')),
)

const foldRows: readonly Row[] = [
  must('9112 5.2', 'a folded line is refused', get('X: a', ' b'), refused(400, 'H1-FIELD-FOLD')),
  must('9112 5.2', 'a line folded by a tab is refused', get('X: a', '\tb'), refused(400, 'H1-FIELD-FOLD')),
  must('9112 5.2', 'a line of white space is refused', get('X: a', ' '), refused(400, 'H1-FIELD-FOLD')),
  must(
    '9112 5.2',
    'a folded Transfer-Encoding is refused',
    get('Transfer-Encoding:', ' chunked'),
    refused(400, 'H1-FIELD-FOLD'),
  ),
  // llhttp's request tests: a leading space hid Content-Length in the value before it.
  must(
    '9112 5.2',
    'a space before Content-Length is refused',
    get('X: a', ' Content-Length: 35'),
    refused(400, 'H1-FIELD-FOLD'),
  ),
  must(
    '9112 5.2',
    'a tab before Transfer-Encoding is refused',
    get('\tTransfer-Encoding: chunked'),
    refused(400, 'H1-FIELD-FOLD'),
  ),
]

const controls: readonly (readonly [string, string])[] = [
  ['NUL', '\0'],
  ['a control character', '\x01'],
  ['a backspace', '\b'],
  ['a vertical tab', '\x0b'],
  ['a form feed', '\f'],
  ['an escape', '\x1b'],
  ['a file separator', '\x1c'],
  ['a unit separator', '\x1f'],
  ['DEL', '\x7f'],
]

const controlRows: readonly Row[] = [
  ...controls.map(([what, control]) =>
    must(
      '9110 5.5',
      `a value with ${what} is refused`,
      get(`X: a${control}b`),
      refused(400, 'H1-FIELD-VALUE'),
    ),
  ),
  must(
    '9110 5.5',
    'a value that begins with a control character is refused',
    get('X:\x0bchunked'),
    refused(400, 'H1-FIELD-VALUE'),
  ),
  must(
    '9110 5.5',
    'a value that ends in a control character is refused',
    get('X: chunked\x0c'),
    refused(400, 'H1-FIELD-VALUE'),
  ),
  // HTTP Garden, HAProxy 2: what stood behind NUL escaped the access rules.
  must(
    '9110 5.5',
    'NUL in Host is refused',
    request('GET / HTTP/1.1', 'Host: a\0.example'),
    refused(400, 'H1-FIELD-VALUE'),
  ),
]

const lineEndRows: readonly Row[] = [
  may(
    '9112 2.2',
    'a field line that ends in LF alone is refused',
    get('X: a\nY: b'),
    refused(400, 'H1-BARE-LF'),
  ),
  // llhttp's request tests, "Missing CR between headers".
  may(
    '9112 2.2',
    'LF before Transfer-Encoding is refused',
    get('X: x\nTransfer-Encoding: chunked'),
    refused(400, 'H1-BARE-LF'),
  ),
  may(
    '9112 2.2',
    'LF behind a colon is refused',
    get('X:\nTransfer-Encoding: chunked'),
    refused(400, 'H1-BARE-LF'),
  ),
  // HTTP Garden, gunicorn 2: LF was stripped in front of a value, so that two requests were one.
  may('9112 2.2', 'LF LF behind a colon is refused', get(`X:\n\n${smuggled}`), refused(400, 'H1-BARE-LF')),
  may('9112 2.2', 'LF within a name is refused', get('X\nY: b'), refused(400, 'H1-BARE-LF')),
  may(
    '9112 2.2',
    'a head that ends in LF is refused',
    'GET / HTTP/1.1\r\nHost: a\r\n\n',
    refused(400, 'H1-BARE-LF'),
  ),
  may(
    '9112 2.2',
    'a head that ends in LF CR LF is refused',
    'GET / HTTP/1.1\r\nHost: a\n\r\n',
    refused(400, 'H1-BARE-LF'),
  ),
  must('9112 2.2', 'CR within a value is refused', get('X: a\rb'), refused(400, 'H1-BARE-CR')),
  // HTTP Garden, Mongoose 3 and CPython http.server 2: CR alone ended a field line.
  must(
    '9112 2.2',
    'CR before Transfer-Encoding is refused',
    get('X: a\rTransfer-Encoding: chunked'),
    refused(400, 'H1-BARE-CR'),
  ),
  must(
    '9112 2.2',
    'CR behind a colon is refused',
    get('X:\rTransfer-Encoding: chunked'),
    refused(400, 'H1-BARE-CR'),
  ),
  must('9112 2.2', 'CR CR LF behind a field is refused', get('X: a\r'), refused(400, 'H1-BARE-CR')),
  // HTTP Garden, Node.js 1 (CVE-2023-30589): CR and any byte ended the head.
  must(
    '9112 2.2',
    'a head that ends in CR and another byte is refused',
    `GET / HTTP/1.1\r\nHost: a\r\n\rZ${smuggled}`,
    refused(400, 'H1-BARE-CR'),
  ),
]

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: v`)

/** A field that makes a GET with it `size` bytes long. */
const filling = (size: number): string => `X: ${'v'.repeat(size - get('X: ').length)}`

const limitRows: readonly Row[] = [
  should('6585 5', 'as many fields as the limit are taken', get(...many(HEADERS - 1)), kept({ status: 200 })),
  should('6585 5', 'one field more is 431', get(...many(HEADERS)), refused(431, 'H1-HEAD-COUNT')),
  should('6585 5', 'a head as large as the limit is taken', get(filling(HEAD_BYTES)), kept({ status: 200 })),
  should('6585 5', 'one byte more is 431', get(filling(HEAD_BYTES + 1)), refused(431, 'H1-HEAD-LARGE')),
  should(
    '6585 5',
    'a value without end is 431',
    `GET / HTTP/1.1\r\nX: ${'v'.repeat(HEAD_BYTES)}`,
    refused(431, 'H1-HEAD-LARGE'),
  ),
  should(
    '6585 5',
    'a name without end is 431',
    `GET / HTTP/1.1\r\n${'x'.repeat(HEAD_BYTES)}`,
    refused(431, 'H1-HEAD-LARGE'),
  ),
  policy(
    '9112 5',
    'a head that comes byte by byte is the same',
    { bytewise: get('X-Some: thing') },
    sees('x-some', 'thing'),
  ),
  policy(
    '9112 5.1',
    'a refused head that comes byte by byte is refused',
    { bytewise: get('X : v').slice(0, -6) },
    refused(400, 'H1-FIELD-SPACE'),
  ),
]

export const fields: Table = {
  topic: 'field lines',
  rows: [...valueRows, ...spaceRows, ...nameRows, ...foldRows, ...controlRows, ...lineEndRows, ...limitRows],
}
