import { coded, get, post, request } from '../bytes.ts'
import { echoed, must, policy, type Row, refused, should, type Table } from '../row.ts'

const body = '5\r\nhello\r\n0\r\n\r\n'

const takenRows: readonly Row[] = [
  must('9112 7.1', 'the chunked coding is decoded', `${coded('chunked')}${body}`, echoed({ body: 'hello' })),
  must('9112 7', 'codings are case-insensitive', `${coded('CHUNKED')}${body}`, echoed({ body: 'hello' })),
  must(
    '9112 5',
    'white space around the coding is none of it',
    `${coded(' \tchunked\t ')}${body}`,
    echoed({ body: 'hello' }),
  ),
  must(
    '9112 5.1',
    'no white space is needed behind the colon',
    `${post('Transfer-Encoding:chunked')}${body}`,
    echoed({ body: 'hello' }),
  ),
  must(
    '9110 5.1',
    'the name is case-insensitive',
    `${post('tRANSFER-eNCODING: chunked')}${body}`,
    echoed({ body: 'hello' }),
  ),
  must(
    '9112 6.3',
    'a GET may be chunked',
    `${get('Transfer-Encoding: chunked')}${body}`,
    echoed({ method: 'GET', body: 'hello' }),
  ),
  must(
    '9110 8.4',
    'Content-Encoding frames nothing',
    post('Content-Encoding: chunked'),
    echoed({ body: '' }),
  ),
  must('9110 10.1.4', 'TE frames nothing', post('TE: chunked'), echoed({ body: '' })),
]

const bothRows: readonly Row[] = [
  policy(
    '9112 6.1',
    'Content-Length beside it is refused',
    post('Content-Length: 5', 'Transfer-Encoding: chunked'),
    refused(400, 'H1-CL-TE'),
  ),
  policy(
    '9112 6.1',
    'Content-Length behind it is refused',
    post('Transfer-Encoding: chunked', 'Content-Length: 5'),
    refused(400, 'H1-CL-TE'),
  ),
  policy(
    '9112 6.1',
    'Content-Length 0 beside it is refused',
    post('Content-Length: 0', 'Transfer-Encoding: chunked'),
    refused(400, 'H1-CL-TE'),
  ),
  // HTTP Garden, Apache Traffic Server 6, Go 4, H2O 5, Squid 1: it was not looked at beside Transfer-Encoding.
  must(
    '9112 6.3',
    'an invalid Content-Length beside it is refused',
    post('Content-Length: x', 'Transfer-Encoding: chunked'),
    refused(400, 'H1-CL-INVALID'),
  ),
  policy(
    '9112 6.1',
    'Content-Length beside an unknown coding is refused',
    post('Content-Length: 5', 'Transfer-Encoding: x'),
    refused(400, 'H1-CL-TE'),
  ),
  // HTTP Garden, OpenLiteSpeed 13: a comma in front let both through.
  policy(
    '9112 6.1',
    'Content-Length beside `,chunked` is refused',
    post('Content-Length: 5', 'Transfer-Encoding: ,chunked'),
    refused(400, 'H1-CL-TE'),
  ),
  // llhttp's request tests: an empty field beside Content-Length.
  policy(
    '9112 6.1',
    'Content-Length beside an empty Transfer-Encoding is refused',
    post('Transfer-Encoding:', 'Content-Length: 5'),
    refused(400, 'H1-CL-TE'),
  ),
  policy(
    '9112 6.1',
    'Content-Length between two of them is refused',
    post('Transfer-Encoding: x', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    refused(400, 'H1-CL-TE'),
  ),
]

/** What does not end in one `chunked`, or hides it: refused with 400. */
const invalid: readonly (readonly [string, readonly string[]])[] = [
  ['an unknown coding alone', ['gzip']],
  ['identity', ['identity']],
  ['chunked before another coding', ['chunked, gzip']],
  ['chunked before identity', ['chunked, identity']],
  ['chunked twice', ['chunked, chunked']],
  ['chunked three times', ['chunked, chunked, chunked']],
  // HTTP Garden, Pound 1.
  ['chunked in two lines', ['chunked', 'chunked']],
  ['chunked in a line before another', ['chunked', 'identity']],
  ['chunked in a line before an empty one', ['chunked', '']],
  ['an empty line before chunked', ['', 'chunked']],
  ['nothing', ['']],
  ['a comma alone', [',']],
  // HTTP Garden, gunicorn 6 and nghttpx 1.
  ['a comma in front', [',chunked']],
  ['a comma behind', ['chunked,']],
  ['a comma and white space in front', [' , chunked']],
  ['a letter in front', ['xchunked']],
  ['a letter behind', ['chunkedx']],
  ['a letter missing', ['chunke']],
  ['a hyphen', ['chunked-']],
  ['a parameter', ['chunked;a=b']],
  ['an empty parameter', ['chunked;']],
  ['a weight', ['chunked;q=0']],
  ['double quotes', ['"chunked"']],
  ['single quotes', ["'chunked'"]],
  ['brackets', ['[chunked]']],
  ['a colon in front', [': chunked']],
  ['an equals sign', ['=chunked']],
  ['a backslash', ['\\chunked']],
  ['white space within', ['chun ked']],
  ['a second word', ['chunked cow']],
  ['a second word in front', ['cow chunked']],
  ['a tab before a second word', ['chunked\tcow']],
  // benoitc/gunicorn issue 3364: Python's strip() took these for white space.
  ['a no-break space in front', ['\xa0chunked']],
  ['NEL behind', ['chunked\x85']],
  ['obs-text within', ['chun\xe7ked']],
  // Where letters are folded by Unicode, the Kelvin sign is a k.
  ['the Kelvin sign', ['chun\xe2\x84\xaaed']],
]

const invalidRows: readonly Row[] = invalid.map(([what, values]) =>
  must('9112 6.3', `a coding with ${what} is refused`, coded(...values), refused(400, 'H1-TE-INVALID')),
)

const hiddenRows: readonly Row[] = [
  must(
    '9110 5.5',
    'a coding with a vertical tab in front is refused',
    coded('\x0bchunked'),
    refused(400, 'H1-FIELD-VALUE'),
  ),
  must(
    '9110 5.5',
    'a coding with a form feed behind is refused',
    coded('chunked\x0c'),
    refused(400, 'H1-FIELD-VALUE'),
  ),
  must('9110 5.5', 'a coding with NUL behind is refused', coded('chunked\0'), refused(400, 'H1-FIELD-VALUE')),
  must('9112 2.2', 'a coding with CR in front is refused', coded('\rchunked'), refused(400, 'H1-BARE-CR')),
  must('9112 2.2', 'a coding with CR behind is refused', coded('chunked\r'), refused(400, 'H1-BARE-CR')),
  must(
    '9112 5.2',
    'a coding that is folded in the middle is refused',
    coded('chunked\r\n , identity'),
    refused(400, 'H1-FIELD-FOLD'),
  ),
  must(
    '9112 5',
    'a coding behind a second colon is refused',
    post('Transfer-Encoding:: chunked'),
    refused(400, 'H1-TE-INVALID'),
  ),
]

const otherRows: readonly Row[] = [
  should(
    '9112 6.1',
    'another coding before chunked is 501',
    coded('gzip, chunked'),
    refused(501, 'H1-TE-CODING'),
  ),
  should(
    '9112 6.1',
    'another coding in a line before chunked is 501',
    coded('gzip', 'chunked'),
    refused(501, 'H1-TE-CODING'),
  ),
  should(
    '9112 6.1',
    'identity before chunked is 501',
    coded('identity, chunked'),
    refused(501, 'H1-TE-CODING'),
  ),
  must(
    '9112 6.1',
    'an HTTP/1.0 message with it is refused',
    request('POST / HTTP/1.0', 'Transfer-Encoding: chunked'),
    refused(400, 'H1-TE-VERSION'),
  ),
  must(
    '9112 6.1',
    'an HTTP/1.0 message with it and Content-Length is refused',
    request('POST / HTTP/1.0', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    refused(400, 'H1-TE-VERSION'),
  ),
  must(
    '9112 6.1',
    'an HTTP/1.0 message with it that asks to be kept is refused',
    request('POST / HTTP/1.0', 'Connection: keep-alive', 'Transfer-Encoding: identity'),
    refused(400, 'H1-TE-VERSION'),
  ),
]

export const transferEncoding: Table = {
  topic: 'Transfer-Encoding',
  rows: [...takenRows, ...bothRows, ...invalidRows, ...hiddenRows, ...otherRows],
}
