import { chunked } from '../bytes.ts'
import { echoed, must, policy, type Row, refused, type Table } from '../row.ts'

/** A chunk of five bytes whose size line goes on like this. */
const withExtension = (extension: string): string => chunked(`5${extension}\r\nhello\r\n0\r\n\r\n`)

/** RFC 9112 section 7.1.1: names with or without a value, and white space that is read over. */
const valid: readonly (readonly [string, string])[] = [
  ['a name', ';a'],
  ['a value', ';a=b'],
  ['every character of a token', ";!#$%&'*+-.^_`|~0aZ=!#$%&'*+-.^_`|~0aZ"],
  ['several names', ';a;b=c;a'],
  ['a quoted value', ';a="b c"'],
  ['an empty quoted value', ';a=""'],
  ['what ends extensions elsewhere, quoted', ';a="b;c=0,=\\"0\\" \\\\"'],
  ['obs-text and a tab, quoted', ';a="\xe9\t\xff"'],
  ['white space before the semicolon', ' ;a'],
  ['white space wherever it may stand', ' \t;\ta \t=\t b\t ;\t c = "d" ; e'],
]

/** What is not written so. Whoever reads it does so in a way of its own. */
const invalid: readonly (readonly [string, string])[] = [
  ['nothing', ';'],
  ['white space alone', '; '],
  ['nothing behind another', ';a;'],
  ['nothing between two others', ';a;;b'],
  ['no name', ';=b'],
  ['a quoted name', ';"a"'],
  ['a name with a bracket', ';a['],
  ['a name with a colon', ';a:b'],
  ['a name with a comma', ';a,b'],
  ['a name with obs-text', ';\xe9'],
  ['no value', ';a='],
  ['white space in place of a value', ';a= '],
  ['no value before another', ';a=;b'],
  ['two equals signs', ';a==b'],
  ['a second value', ';a=b=c'],
  ['a value with a bracket', ';a=b]'],
  ['a value with obs-text', ';a=\xe9'],
  ['two words as a name', ';a b'],
  ['two words as a value', ';a=b c'],
  ['white space behind a name', ';a '],
  ['white space behind a value', ';a=b\t'],
  ['white space behind a quote', ';a="b" '],
  // llhttp's request tests, "Unbalanced chunk extensions quoting".
  ['a quote that stays open', ';a="b; c'],
  ['a quote that only an escape ends', ';a="b\\"'],
  ['an escape alone', ';a="\\'],
  ['text behind a quote', ';a="b"c'],
  ['an equals sign behind a quote', ';a="b"=c'],
  ['a quote within a token', ';a=b"c"'],
  ['single quotes around white space', ";a='b c'"],
  ['NUL', ';a\0'],
  ['NUL behind the semicolon', ';\0a'],
  ['NUL in quotes', ';a="\0"'],
  ['an escaped NUL in quotes', ';a="\\\0"'],
  ['DEL in quotes', ';a="\x7f"'],
  ['a vertical tab', ';a\x0b'],
  ['a form feed for white space', ';\x0ca'],
  ['a no-break space for white space', ';\xa0a'],
  // The line that ends in quotes: whoever looks for the quote reads on into the data (CVE-2025-55315).
  ['CR in quotes', ';a="\r"'],
  ['CRLF in quotes', ';a="\r\n"'],
  ['an escaped CR', ';a="\\\r\n"'],
  ['CR behind the semicolon', ';\ra'],
]

const formRows: readonly Row[] = [
  ...valid.map(([what, extension]) =>
    must('9112 7.1.1', `${what} is ignored`, withExtension(extension), echoed({ body: 'hello' })),
  ),
  must(
    '9112 7.1.1',
    'an extension of the last chunk is ignored',
    chunked('5\r\nhello\r\n0 ; a = "b"\r\n\r\n'),
    echoed({ body: 'hello' }),
  ),
  must(
    '9112 7.1.1',
    'an extension that comes byte by byte is the same',
    { bytewise: withExtension(' ; a = "b\\"" ; c') },
    echoed({ body: 'hello' }),
  ),
  ...invalid.map(([what, extension]) =>
    must('9112 7.1.1', `${what} is refused`, withExtension(extension), refused(400, 'H1-CHUNK-EXT')),
  ),
  must(
    '9112 7.1.1',
    'a faulty extension of the last chunk is refused',
    chunked('5\r\nhello\r\n0;=\r\n\r\n'),
    refused(400, 'H1-CHUNK-EXT'),
  ),
]

// CVE-2025-55315 (Kestrel), CVE-2025-22871 (Go net/http), benoitc/gunicorn pull request 3327: one recipient's end of
// the line was another one's text.
const lineFeeds: readonly (readonly [string, string])[] = [
  ['within a name', ';a\nb'],
  ['behind a name', ';a\n'],
  ['behind the semicolon', ';\n'],
  ['before the semicolon', '\n;a'],
  ['behind an equals sign', ';a=\n'],
  ['behind a value', ';a=b\n'],
  ['behind white space', ' \n'],
  ['in quotes', ';a="\n"'],
  ['escaped in quotes', ';a="\\\n"'],
  ['before CRLF', ';a\n\r'],
]

const carriageReturns: readonly (readonly [string, string])[] = [
  ['within a name', ';a\rb'],
  ['within a value', ';a=b\rc'],
  ['behind a quote', ';a="b"\r;c'],
  ['before CRLF', ';a\r'],
  // HTTP Garden, server bug 36: a second CR was passed on, and what followed it was data to one and line to another.
  ['before another and data', ';a=b\r\rX'],
  // HTTP Garden, Node.js 2 (CVE-2023-30589), Akamai 3, Apache Traffic Server 4.
  ['before the semicolon', '\r\r;ABCD\r\n34\r\nE'],
]

const lineEndRows: readonly Row[] = [
  ...lineFeeds.map(([where, extension]) =>
    must('9112 7.1.1', `LF ${where} is refused`, withExtension(extension), refused(400, 'H1-BARE-LF')),
  ),
  ...carriageReturns.map(([where, extension]) =>
    must('9112 7.1.1', `CR ${where} is refused`, withExtension(extension), refused(400, 'H1-BARE-CR')),
  ),
]

/** Extensions of one message, with their semicolons, may have so many bytes but the semicolons. */
const MOST = 1_024

// CVE-2023-39326 (Go net/http) and CVE-2024-22019 (Node.js): extensions as a flood that no limit of the body saw.
const sizeRows: readonly Row[] = [
  policy(
    '9112 7.1.1',
    'the longest extension is ignored',
    withExtension(`;${'a'.repeat(MOST)}`),
    echoed({ body: 'hello' }),
  ),
  policy(
    '9112 7.1.1',
    'a longer one is refused',
    withExtension(`;${'a'.repeat(MOST + 1)}`),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  policy(
    '9112 7.1.1',
    'a longer one in quotes is refused',
    withExtension(`;a="${'b'.repeat(MOST)}"`),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  policy(
    '9112 7.1.1',
    'white space without end is refused',
    withExtension(`${' '.repeat(MOST + 2)};a`),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  policy(
    '9112 7.1.1',
    'many extensions are too long together, however much data stands between them',
    chunked(`64;${'a'.repeat(99)}\r\n${'x'.repeat(100)}\r\n`.repeat(12)),
    refused(400, 'H1-CHUNK-EXT'),
  ),
  policy(
    '9112 7.1.1',
    'an extension without end is refused before its line ends',
    chunked(`5;${'a'.repeat(65_536)}`),
    refused(400, 'H1-CHUNK-EXT'),
  ),
]

export const chunkExtensions: Table = {
  topic: 'chunk extensions',
  rows: [...formRows, ...lineEndRows, ...sizeRows],
}
