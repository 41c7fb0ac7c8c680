import type { RefusalId } from '../../../core/errors.ts'
import { get, post } from '../bytes.ts'
import { echoed, must, type Row, refused, type Table } from '../row.ts'

// How Transfer-Encoding has been hidden from one of two recipients, by what was tried against them: the ways of
// PortSwigger's HTTP Request Smuggler, of the HTTP Garden, of llhttp's tests. All but the harmless ones are refused,
// whether Content-Length stands beside them or not.

type Named = readonly (readonly [string, string])[]

const controls: Named = [
  ['NUL', '\0'],
  ['a control character', '\x01'],
  ['a backspace', '\b'],
  ['a vertical tab', '\x0b'],
  ['a form feed', '\f'],
  // Python's str.strip() and splitlines() know these two.
  ['a file separator', '\x1c'],
  ['a unit separator', '\x1f'],
  ['DEL', '\x7f'],
]

const highs: Named = [
  ['byte 0x80', '\x80'],
  ['NEL', '\x85'],
  ['a no-break space', '\xa0'],
  ['a soft hyphen', '\xad'],
  ['byte 0xFF', '\xff'],
]

const spaces: Named = [
  ['a space', ' '],
  ['a tab', '\t'],
]

const lineFeeds: Named = [
  ['LF', '\n'],
  ['LF and a space', '\n '],
  ['LF and a vertical tab', '\n\x0b'],
]
const carriageReturns: Named = [
  ['CR', '\r'],
  ['CR CR', '\r\r'],
]
const folds: Named = [
  ['a line end and a space', '\r\n '],
  ['a line end and a tab', '\r\n\t'],
  ['two line ends and spaces', '\r\n \r\n '],
]
const tokenMarks: Named = [
  ['a comma', ','],
  ['a semicolon', ';'],
  ['a quote', '"'],
  ['a backslash', '\\'],
  ['an equals sign', '='],
  ['a bracket', '('],
]

interface Place {
  readonly where: string
  readonly line: (disguise: string) => string
  readonly refusals: readonly (readonly [RefusalId, Named])[]
}

const inName: readonly (readonly [RefusalId, Named])[] = [
  ['H1-FIELD-NAME', [...controls, ...highs, ...tokenMarks, ...carriageReturns]],
  ['H1-BARE-LF', lineFeeds],
]
const inValue: readonly (readonly [RefusalId, Named])[] = [
  ['H1-FIELD-VALUE', controls],
  ['H1-TE-INVALID', [...highs, ...tokenMarks]],
  ['H1-BARE-LF', lineFeeds],
  ['H1-BARE-CR', carriageReturns],
]

const places: readonly Place[] = [
  {
    where: 'in front of the name',
    line: disguise => `${disguise}Transfer-Encoding: chunked`,
    refusals: [
      ['H1-FIELD-NAME', [...controls, ...highs, ...tokenMarks]],
      ['H1-FIELD-FOLD', spaces],
      ['H1-BARE-LF', lineFeeds],
      ['H1-BARE-CR', carriageReturns],
    ],
  },
  {
    where: 'in place of the hyphen',
    line: disguise => `Transfer${disguise}Encoding: chunked`,
    refusals: [...inName, ['H1-FIELD-SPACE', spaces]],
  },
  {
    where: 'behind the name',
    line: disguise => `Transfer-Encoding${disguise}: chunked`,
    refusals: [...inName, ['H1-FIELD-SPACE', spaces]],
  },
  {
    where: 'in place of the space',
    line: disguise => `Transfer-Encoding:${disguise}chunked`,
    refusals: [...inValue, ['H1-FIELD-FOLD', folds]],
  },
  {
    where: 'within the value',
    line: disguise => `Transfer-Encoding: chun${disguise}ked`,
    refusals: [...inValue, ['H1-TE-INVALID', spaces], ['H1-FIELD-FOLD', folds]],
  },
  {
    where: 'behind the value',
    line: disguise => `Transfer-Encoding: chunked${disguise}`,
    refusals: inValue,
  },
]

const placedRows: readonly Row[] = places.flatMap(({ where, line, refusals }) =>
  refusals.flatMap(([id, disguises]) =>
    disguises.map(([what, disguise]) =>
      must('9112 6.1', `${what} ${where} is refused`, post(line(disguise)), refused(400, id)),
    ),
  ),
)

/** Other ways, and what becomes of them. */
const others: readonly (readonly [string, string, RefusalId])[] = [
  ['a word behind the name', 'Transfer-Encoding x: chunked', 'H1-FIELD-SPACE'],
  ['a second colon', 'Transfer-Encoding:: chunked', 'H1-TE-INVALID'],
  ['no colon', 'Transfer-Encoding chunked', 'H1-FIELD-SPACE'],
  ['a pseudo-header', ':Transfer-Encoding: chunked', 'H1-FIELD-NAME'],
  ['a name that is folded', 'Transfer-\r\n Encoding: chunked', 'H1-FIELD-NAME'],
  ['the value in the next line', 'Transfer-Encoding:\r\nchunked', 'H1-FIELD-NAME'],
  ['a line of white space before it', ' \r\nTransfer-Encoding: chunked', 'H1-FIELD-FOLD'],
  ['LF in the line before it', 'X: y\nTransfer-Encoding: chunked', 'H1-BARE-LF'],
  ['LF LF in the line before it', 'X: y\n\nTransfer-Encoding: chunked', 'H1-BARE-LF'],
  ['CR in the line before it', 'X: y\rTransfer-Encoding: chunked', 'H1-BARE-CR'],
  ['a line end and CR before it', 'X: y\r\n\rTransfer-Encoding: chunked', 'H1-BARE-CR'],
  ['a faulty line before it', 'X-Invalid Y: \r\nTransfer-Encoding: chunked', 'H1-FIELD-SPACE'],
  ['accented letters in the name', 'Transf\x82r-Encoding: chunked', 'H1-FIELD-NAME'],
  ['an accented letter in the value', 'Transfer-Encoding: ch\x96nked', 'H1-TE-INVALID'],
  ['an encoded word', 'Transfer-Encoding: =?utf-8?B?Y2h1bmtlZA==?=', 'H1-TE-INVALID'],
  ['percent escapes in the value', 'Transfer-Encoding: %63hunked', 'H1-TE-INVALID'],
  ['the beginning of the word', 'Transfer-Encoding: chunk', 'H1-TE-INVALID'],
  ['the word twice without a comma', 'Transfer-Encoding: chunkedchunked', 'H1-TE-INVALID'],
  ['the word between two others', 'Transfer-Encoding: identity, chunked, identity', 'H1-TE-INVALID'],
  ['a coding that nobody knows', 'Transfer-Encoding: blegh', 'H1-TE-INVALID'],
  ['three empty lines', 'Transfer-Encoding:\r\nTransfer-Encoding:\r\nTransfer-Encoding:', 'H1-TE-INVALID'],
  ['a parameter with a comma in quotes', 'Transfer-Encoding: x;a=", chunked"', 'H1-TE-INVALID'],
  ['quotes around the comma', 'Transfer-Encoding: "x, chunked"', 'H1-TE-INVALID'],
  ['a line in another case', 'Transfer-Encoding: chunked\r\nTRANSFER-ENCODING: identity', 'H1-TE-INVALID'],
]

const otherRows: readonly Row[] = others.map(([what, line, id]) =>
  must('9112 6.1', `${what} is refused`, post(line), refused(400, id)),
)

/** Fields of nearly the same name or meaning: they frame nothing, for nobody who reads tokens. */
const harmless: readonly (readonly [string, string])[] = [
  ['an underscore', 'Transfer_Encoding: chunked'],
  ['no hyphen', 'TransferEncoding: chunked'],
  ['two hyphens', 'Transfer--Encoding: chunked'],
  ['a percent escape in the name', 'Transfer-%45ncoding: chunked'],
  ['an apostrophe behind the name', "Transfer-Encoding': chunked"],
  ['a letter missing', 'Transfer-Encodin: chunked'],
  ['a prefix', 'X-Transfer-Encoding: chunked'],
  ['Content-Encoding', 'Content-Encoding: chunked'],
  ['TE', 'TE: chunked'],
  ['a value that looks like the field', 'X: Transfer-Encoding: chunked'],
]

const harmlessRows: readonly Row[] = harmless.flatMap(([what, line]) => [
  must(
    '9112 6.3',
    `${what} does not make a body chunked`,
    `${post(line, 'Content-Length: 5')}hello${get()}`,
    echoed({ body: 'hello' }, { method: 'GET' }),
  ),
  must('9112 6.3', `${what} makes no body`, post(line) + get(), echoed({ body: '' }, { method: 'GET' })),
])

const seenRows: readonly Row[] = [
  must(
    '9110 7.6.1',
    'Connection cannot take it away',
    `${post('Connection: Transfer-Encoding', 'Transfer-Encoding: chunked')}1\r\na\r\n0\r\n\r\n${get()}`,
    echoed({ body: 'a' }, { method: 'GET' }),
  ),
  must(
    '9110 7.6.1',
    'Connection cannot take Content-Length away',
    `${post('Connection: Content-Length', 'Content-Length: 5')}hello${get()}`,
    echoed({ body: 'hello' }, { method: 'GET' }),
  ),
]

export const disguises: Table = {
  topic: 'Transfer-Encoding in disguise',
  rows: [...placedRows, ...otherRows, ...harmlessRows, ...seenRows],
}
