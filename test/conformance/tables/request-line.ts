import { get, getOf, request, smuggled } from '../bytes.ts'
import { echoed, kept, may, must, policy, type Row, refused, should, type Table } from '../row.ts'

const line = (text: string): string => request(text, 'Host: a')

// RFC 9110 section 9.1 and the registry; CONNECT and TRACE have rows of their own.
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY', 'PROPFIND', 'M-SEARCH']

/** What is not a token (RFC 9110 section 5.6.2), where the method should be. */
const notMethods: readonly (readonly [string, string])[] = [
  ['a bracket', 'GE(T'],
  ['a comma', 'GET,POST'],
  ['a colon', 'GET:'],
  ['a quote', '"GET"'],
  ['a slash', 'GET/'],
  ['an equals sign', 'G=T'],
  ['NUL', 'GE\0T'],
  ['a control character', 'GE\x01T'],
  ['DEL', 'GET\x7f'],
  ['a byte over 0x7F', 'G\xc9T'],
]

const methodRows: readonly Row[] = [
  ...methods.map(method =>
    must(
      '9112 3.1',
      `method ${method} reaches the handler`,
      line(`${method} / HTTP/1.1`),
      echoed({ method }),
    ),
  ),
  must('9112 3.1', 'a method is case-sensitive', line('get / HTTP/1.1'), echoed({ method: 'get' })),
  must(
    '9110 5.6.2',
    'a method may have every character of a token',
    line("!#$%&'*+-.^_`|~09aZ / HTTP/1.1"),
    echoed({ method: "!#$%&'*+-.^_`|~09aZ" }),
  ),
  should(
    '9110 9.1',
    'an unknown method that no handler takes is answered 501',
    line('BREW /nobody HTTP/1.1'),
    kept({ status: 501 }),
  ),
  should(
    '9110 9.1',
    'a known method that no handler of the path takes is answered 405 with Allow',
    line('DELETE /only-get HTTP/1.1'),
    kept({ status: 405, fields: { allow: 'GET, HEAD, OPTIONS' } }),
  ),
  should('9110 15.5.5', 'GET of what nobody has is 404', getOf('/nobody'), kept({ status: 404 })),
  ...notMethods.map(([what, method]) =>
    must(
      '9112 3.1',
      `a method with ${what} is refused`,
      line(`${method} / HTTP/1.1`),
      refused(400, 'H1-METHOD'),
    ),
  ),
  must('9112 3.1', 'an empty method is refused', line(' / HTTP/1.1'), refused(400, 'H1-METHOD')),
  should(
    '9112 3',
    'a method longer than any that is known is answered 501',
    line(`${'M'.repeat(40)} / HTTP/1.1`),
    refused(501, 'H1-METHOD-LONG'),
  ),
]

const spaceRows: readonly Row[] = [
  may(
    '9112 3',
    'two spaces before the target are refused',
    line('GET  / HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may(
    '9112 3',
    'two spaces before the version are refused',
    line('GET /  HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may(
    '9112 3',
    'a space and a tab before the version are refused',
    line('GET / \tHTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may(
    '9112 3',
    'a space and a tab before the target are refused',
    line('GET \t/ HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may(
    '9112 3',
    'a tab behind the version is refused',
    line('GET / HTTP/1.1\t'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  must(
    '9112 3',
    'a fourth word is refused',
    line('GET / HTTP/1.1 HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may(
    '9112 3',
    'a space behind the version is refused',
    line('GET / HTTP/1.1 '),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may('9112 3', 'a space before the method is refused', line(' GET / HTTP/1.1'), refused(400, 'H1-METHOD')),
  may('9112 3', 'a tab is no separator', line('GET\t/ HTTP/1.1'), refused(400, 'H1-METHOD')),
  may(
    '9112 3',
    'a tab before the version is no separator',
    line('GET /\tHTTP/1.1'),
    refused(400, 'H1-TARGET-CHAR'),
  ),
  may('9112 3', 'a vertical tab is no separator', line('GET\x0b/ HTTP/1.1'), refused(400, 'H1-METHOD')),
  may('9112 3', 'a form feed is no separator', line('GET\x0c/ HTTP/1.1'), refused(400, 'H1-METHOD')),
  may('9112 3', 'a no-break space is no separator', line('GET\xa0/ HTTP/1.1'), refused(400, 'H1-METHOD')),
  must(
    '9112 3.2',
    'white space within the target is refused',
    line('GET /a b HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  must(
    '9112 2.3',
    'white space within the version is refused',
    line('GET / HTTP/ 1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  may('9112 3', 'a line of white space is refused', ' \r\n\r\n', refused(400, 'H1-METHOD')),
  must('9112 3', 'a line of one word is refused', line('GET'), refused(400, 'H1-REQUEST-LINE')),
  must('9112 3', 'an empty target is refused', line('GET HTTP/1.1'), refused(400, 'H1-REQUEST-LINE')),
]

const controlRows: readonly Row[] = [
  must(
    '9112 2.3',
    'NUL behind the version is refused',
    line('GET / HTTP/1.1\0'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  must(
    '9112 2.3',
    'a vertical tab behind the version is refused',
    line('GET / HTTP/1.1\x0b'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  must('9112 3.1', 'NUL before the method is refused', line('\0GET / HTTP/1.1'), refused(400, 'H1-METHOD')),
  must(
    '9112 3.1',
    'a byte order mark before the method is refused',
    line('\xef\xbb\xbfGET / HTTP/1.1'),
    refused(400, 'H1-METHOD'),
  ),
]

const lineEndRows: readonly Row[] = [
  should('9112 2.2', 'an empty line before a request is ignored', `\r\n${get()}`, echoed({ method: 'GET' })),
  should(
    '9112 2.2',
    'an empty line before a request is ignored when it comes by itself',
    ['\r\n', get()],
    echoed({ method: 'GET' }),
  ),
  policy('9112 2.2', 'a second empty line is refused', `\r\n\r\n${get()}`, refused(400, 'H1-EMPTY-LINES')),
  policy('9112 2.2', 'a leading LF is refused', `\n${get()}`, refused(400, 'H1-BARE-LF')),
  must('9112 2.2', 'a leading CR without LF is refused', `\r${get()}`, refused(400, 'H1-BARE-CR')),
  may(
    '9112 2.2',
    'LF alone behind the request line is refused',
    `GET / HTTP/1.1\nHost: a\r\n\r\n`,
    refused(400, 'H1-BARE-LF'),
  ),
  may(
    '9112 2.2',
    'a message with LF alone everywhere is refused',
    get().replaceAll('\r\n', '\n'),
    refused(400, 'H1-BARE-LF'),
  ),
  // HTTP Garden, aiohttp 9: LF was taken as white space of the request line.
  must(
    '9112 2.2',
    'LF in place of the second space is refused',
    'GET /\nHTTP/1.1\r\nHost: a\r\n\r\n',
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 2.2',
    'LF in place of the first space is refused',
    'GET\n/ HTTP/1.1\r\nHost: a\r\n\r\n',
    refused(400, 'H1-BARE-LF'),
  ),
  must(
    '9112 2.2',
    'CR alone behind the request line is refused',
    'GET / HTTP/1.1\rHost: a\r\n\r\n',
    refused(400, 'H1-BARE-CR'),
  ),
  must(
    '9112 2.2',
    'CR CR LF behind the request line is refused',
    'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n',
    refused(400, 'H1-BARE-CR'),
  ),
  must(
    '9112 2.2',
    'CR within the target is refused',
    line('GET /a\rb HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  must(
    '9112 2.2',
    'CR within the method is refused',
    line('GE\rT / HTTP/1.1'),
    refused(400, 'H1-REQUEST-LINE'),
  ),
  must(
    '9112 2.2',
    'white space between the request line and the first field is refused',
    `GET / HTTP/1.1\r\n Host: a\r\n\r\n`,
    refused(400, 'H1-FIELD-FOLD'),
  ),
]

/** What is not `HTTP/1.` and a digit, and what comes of it. */
const versions: readonly (readonly [string, number, 'H1-VERSION' | 'H1-VERSION-MAJOR'])[] = [
  ['http/1.1', 400, 'H1-VERSION'],
  ['Http/1.1', 400, 'H1-VERSION'],
  ['HTTP/1', 400, 'H1-VERSION'],
  ['HTTP/1.', 400, 'H1-VERSION'],
  ['HTTP/.1', 400, 'H1-VERSION'],
  ['HTTP/11', 400, 'H1-VERSION'],
  ['HTTP/1,1', 400, 'H1-VERSION'],
  ['HTTP/1.1.1', 400, 'H1-VERSION'],
  ['HTTP/01.1', 400, 'H1-VERSION'],
  ['HTTP/1.01', 400, 'H1-VERSION'],
  ['HTTP/-1.1', 400, 'H1-VERSION'],
  ['HTTP//1.1', 400, 'H1-VERSION'],
  ['HTTP/1..1', 400, 'H1-VERSION'],
  ['IHTTP/1.0', 400, 'H1-VERSION'],
  // HTTP Garden, aiohttp 5: versions were read as their longest valid prefix.
  ['HTTP/1.10', 400, 'H1-VERSION'],
  ['HTTP/1.32', 400, 'H1-VERSION'],
  // HTTP Garden, libevent 1: the numbers ran over.
  ['HTTP/4294967297.1', 400, 'H1-VERSION'],
  ['HTTP/+1.1', 400, 'H1-VERSION'],
  ['HTTP/1.1x', 400, 'H1-VERSION'],
  ['HTTP/1.x', 400, 'H1-VERSION'],
  ['HTTP1.1', 400, 'H1-VERSION'],
  ['HTTPS/1.1', 400, 'H1-VERSION'],
  // llhttp's request tests: other protocols of the same shape.
  ['ICE/1.0', 400, 'H1-VERSION'],
  ['RTSP/1.0', 400, 'H1-VERSION'],
  ['HTTP/0.9', 505, 'H1-VERSION-MAJOR'],
  ['HTTP/2.0', 505, 'H1-VERSION-MAJOR'],
  ['HTTP/3.0', 505, 'H1-VERSION-MAJOR'],
  ['HTTP/9.9', 505, 'H1-VERSION-MAJOR'],
]

const versionRows: readonly Row[] = [
  ...versions.map(([version, status, id]) =>
    must('9112 2.3', `version ${version} is refused`, line(`GET / ${version}`), refused(status, id)),
  ),
  should('9110 2.5', 'HTTP/1.2 is read as HTTP/1.1', line('GET / HTTP/1.2'), echoed({ version: '1.1' })),
  should('9110 2.5', 'HTTP/1.9 is read as HTTP/1.1', line('GET / HTTP/1.9'), echoed({ version: '1.1' })),
  policy(
    '9112 2.3',
    'a line without version, as of HTTP/0.9, is refused',
    'GET /\r\n',
    refused(400, 'H1-REQUEST-LINE'),
  ),
  policy(
    '9113 3.4',
    'the preface of HTTP/2 is refused',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    refused(505, 'H1-H2-PREFACE'),
  ),
  policy(
    '9113 3.4',
    'only `PRI *` is the preface of HTTP/2',
    line('PRI / HTTP/2.0'),
    refused(505, 'H1-VERSION-MAJOR'),
  ),
  policy(
    '9113 3.4',
    'PRI * in HTTP/1.1 is no preface',
    line('PRI * HTTP/1.1'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  policy(
    '8446 5.1',
    'a TLS handshake is cut, since no answer would be understood',
    `\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03${smuggled}`,
    { answers: [], afterwards: 'reset', refusal: 'H1-TLS-HELLO' },
  ),
]

export const requestLine: Table = {
  topic: 'the request line',
  rows: [...methodRows, ...spaceRows, ...controlRows, ...lineEndRows, ...versionRows],
}
