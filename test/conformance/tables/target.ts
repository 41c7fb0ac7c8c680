import { get, getOf, request, TARGET_BYTES } from '../bytes.ts'
import { closed, echoed, kept, may, must, policy, type Row, refused, should, type Table } from '../row.ts'

const targetOf = (length: number): string => `/${'t'.repeat(length - 1)}`

/** Bytes that no URI may have, so that none may stand in a target. */
const forbidden: readonly (readonly [string, string])[] = [
  ['a fragment', '/a#b'],
  ['a fragment alone', '/#'],
  ['NUL', '/a\0b'],
  ['a control character', '/a\x01b'],
  ['a vertical tab', '/a\x0bb'],
  ['DEL', '/a\x7fb'],
  ['UTF-8', '/caf\xc3\xa9'],
  ['a no-break space', '/a\xa0b'],
]

const originRows: readonly Row[] = [
  must(
    '9112 3.2.1',
    'path and query come apart',
    getOf('/a/b?c=d?e'),
    echoed({ path: '/a/b', query: 'c=d%3Fe' }),
  ),
  must(
    '9112 3.2.1',
    'an escape of the query stays',
    getOf('/?a=%zz'),
    echoed({ target: '/?a=%zz', path: '/' }),
  ),
  policy('9112 3.2', 'what browsers send raw is taken', getOf('/a|b"c'), echoed({ path: '/a%7Cb%22c' })),
  ...forbidden.map(([what, target]) =>
    must('9112 3.2', `a target with ${what} is refused`, getOf(target), refused(400, 'H1-TARGET-CHAR')),
  ),
  must(
    '9112 3',
    'the longest target is taken',
    getOf(targetOf(TARGET_BYTES)),
    echoed({ target: targetOf(TARGET_BYTES) }),
  ),
  must('9112 3', 'a longer target is 414', getOf(targetOf(TARGET_BYTES + 1)), refused(414, 'H1-TARGET-LONG')),
  must(
    '9112 3',
    'a target without end is 414',
    `GET ${targetOf(TARGET_BYTES + 1)}`,
    refused(414, 'H1-TARGET-LONG'),
  ),
  must(
    '9112 3.2.1',
    'a target without its first slash is refused',
    getOf('index.html'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must('9112 3.2.1', 'a query alone is refused', getOf('?a=b'), refused(400, 'H1-TARGET-FORM')),
]

const absoluteRows: readonly Row[] = [
  must(
    '9112 3.2.2',
    'the absolute form is taken',
    getOf('http://a/x?y'),
    echoed({ target: 'http://a/x?y', path: '/x', host: 'a' }),
  ),
  must(
    '9112 3.2.2',
    'the authority of the absolute form overrides Host',
    request('GET http://real:81/x HTTP/1.1', 'Host: other'),
    echoed({ host: 'real:81', hostname: 'real' }),
  ),
  must(
    '9112 3.2.2',
    'the absolute form needs Host too',
    request('GET http://a/ HTTP/1.1'),
    refused(400, 'H1-HOST-MISSING'),
  ),
  must(
    '9112 3.2',
    'beside the absolute form an invalid Host is still refused',
    request('GET http://a/ HTTP/1.1', 'Host: b c'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  must(
    '9112 3.2',
    'beside the absolute form a second Host is still refused',
    request('GET http://a/ HTTP/1.1', 'Host: a', 'Host: a'),
    refused(400, 'H1-HOST-TWICE'),
  ),
  must(
    '9112 3.2.2',
    'an absolute target without path is /',
    getOf('http://a'),
    echoed({ path: '/', query: '' }),
  ),
  must(
    '9112 3.2.2',
    'an absolute target may have a query and no path',
    getOf('http://a?x=1'),
    echoed({ path: '/', query: 'x=1' }),
  ),
  must(
    '9110 4.2.3',
    'scheme and host are case-insensitive',
    getOf('HTTP://A.EXAMPLE/'),
    echoed({ hostname: 'a.example' }),
  ),
  // RFC 9110 section 7.4: a resource of https may not be served over a connection that is not secured.
  must(
    '9110 7.4',
    'a target of https over plain TCP is rejected',
    getOf('https://a/'),
    refused(421, 'H1-SCHEME'),
  ),
  must('9110 4.2', 'another scheme is refused', getOf('ftp://a/x'), refused(400, 'H1-TARGET-FORM')),
  must(
    '9110 4.2.1',
    'an absolute target with an empty host is refused',
    getOf('http:///x'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must(
    '9110 4.2.1',
    'an absolute target with a port alone is refused',
    getOf('http://:80/'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  should(
    '9110 4.2.4',
    'user information in a target is refused',
    getOf('http://user@a/'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must(
    '9112 3.2.2',
    'an authority that is none is refused',
    getOf('http://a:x/'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  must(
    '9112 3.2.2',
    'an authority with two ports is refused',
    getOf('http://a:80:80/'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  must('9112 3.2.2', 'two authorities are refused', getOf('http://a,b/'), refused(400, 'H1-HOST-INVALID')),
  must(
    '9112 3.2.2',
    'an authority with an escape is refused',
    getOf('http://a%2eb/'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  should(
    '9110 4.2.4',
    'user information and a password in a target are refused',
    getOf('http://a:b@c:80/'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must(
    '9112 3.2.2',
    'an IPv6 address is an authority',
    getOf('http://[::1]:80/x'),
    echoed({ host: '[::1]:80', hostname: '[::1]', path: '/x' }),
  ),
  must(
    '9112 3.2.2',
    'the absolute form counts in HTTP/1.0 as well',
    [request('GET http://real/x HTTP/1.0', 'Host: other')],
    closed({ status: 200, saw: { host: 'real', path: '/x' } }),
  ),
  must(
    '9112 3.2.2',
    'an authority within the path is none',
    getOf('//b/x'),
    echoed({ host: 'a', path: '/b/x' }),
  ),
  must('9112 3.2.2', 'backslashes are no slashes', getOf('http:\\\\a/'), refused(400, 'H1-TARGET-FORM')),
  must(
    '9112 3.2.2',
    'an authority with a backslash is refused',
    getOf('http://a\\b/'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  must('9112 3.2.2', 'a scheme with one slash is refused', getOf('http:/a/'), refused(400, 'H1-TARGET-FORM')),
  must(
    '9112 3.2',
    'a fragment in the absolute form is refused',
    getOf('http://a/x#y'),
    refused(400, 'H1-TARGET-CHAR'),
  ),
]

const otherForms: readonly Row[] = [
  must(
    '9112 3.2.4',
    'OPTIONS * is answered for the server',
    request('OPTIONS * HTTP/1.1', 'Host: a'),
    kept({ status: 204 }),
  ),
  must(
    '9112 3.2.4',
    'OPTIONS of an authority alone is that of the server',
    request('OPTIONS http://a HTTP/1.1', 'Host: a'),
    kept({ status: 204 }),
  ),
  must(
    '9112 3.2.4',
    'OPTIONS of an authority with a path is that of the path',
    request('OPTIONS http://a/ HTTP/1.1', 'Host: a'),
    echoed({ method: 'OPTIONS', path: '/' }),
  ),
  must(
    '9112 3.2.4',
    '* is not for M-SEARCH',
    request('M-SEARCH * HTTP/1.1', 'Host: a'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must('9112 3.2.4', '* is for OPTIONS only', getOf('*'), refused(400, 'H1-TARGET-FORM')),
  must(
    '9112 3.2.4',
    '* has nothing behind it',
    request('OPTIONS *x HTTP/1.1', 'Host: a'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must('9112 3.2.3', 'the authority form is for CONNECT only', getOf('a:80'), refused(400, 'H1-TARGET-FORM')),
  should(
    '9110 9.3.6',
    'CONNECT is answered 501',
    request('CONNECT a:80 HTTP/1.1', 'Host: a:80'),
    refused(501, 'H1-CONNECT'),
  ),
  must(
    '9112 3.2.3',
    'CONNECT to a path is refused',
    request('CONNECT / HTTP/1.1', 'Host: a'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must(
    '9110 9.3.6',
    'CONNECT without port is refused',
    request('CONNECT a HTTP/1.1', 'Host: a'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must(
    '9110 9.3.6',
    'CONNECT with user information is refused',
    request('CONNECT u@a:80 HTTP/1.1', 'Host: a:80'),
    refused(400, 'H1-TARGET-FORM'),
  ),
  must(
    '9110 9.3.6',
    'CONNECT needs Host too',
    request('CONNECT a:80 HTTP/1.1'),
    refused(400, 'H1-HOST-MISSING'),
  ),
]

const pathRows: readonly Row[] = [
  should(
    '3986 6.2.2.2',
    'an escape that is not needed is decoded',
    getOf('/%7Euser'),
    echoed({ target: '/%7Euser', path: '/~user' }),
  ),
  should(
    '3986 6.2.2.1',
    'an escape that is needed is in upper case',
    getOf('/a%2fb'),
    echoed({ path: '/a%2Fb' }),
  ),
  must(
    '3986 2.1',
    'escaped line ends stay escaped',
    getOf('/a%0d%0aX:%20y'),
    echoed({ path: '/a%0D%0AX:%20y' }),
  ),
  must('3629 3', 'an overlong slash is no slash', getOf('/a%c0%afb'), echoed({ path: '/a%C0%AFb' })),
  should('3986 6.2.2.3', 'dot segments are removed', getOf('/a/./b/../c'), echoed({ path: '/a/c' })),
  policy('3986 3.3', 'repeated slashes are one', getOf('//a///b'), echoed({ path: '/a/b' })),
  must('3986 2.1', 'a broken escape is refused', getOf('/a%z0'), refused(400, 'PATH-ESCAPE')),
  must('3986 2.1', 'an escape that is cut off is refused', getOf('/a%2'), refused(400, 'PATH-ESCAPE')),
  policy('3986 7.3', 'an escaped NUL is refused', getOf('/a%00b'), refused(400, 'PATH-ESCAPE')),
  must('3986 3.3', 'a backslash is refused', getOf('/a\\..\\b'), refused(400, 'PATH-CHAR')),
  policy(
    '3986 5.2.4',
    'a path that climbs above its root is refused',
    getOf('/a/../../b'),
    refused(400, 'PATH-CLIMB'),
  ),
  policy(
    '3986 5.2.4',
    'a path that climbs by escapes is refused',
    getOf('/%2e%2E/b'),
    refused(400, 'PATH-CLIMB'),
  ),
  policy(
    '3986 5.2.4',
    'a path that climbs in the absolute form is refused',
    getOf('http://a/../b'),
    refused(400, 'PATH-CLIMB'),
  ),
]

const hostOfSite: readonly Row[] = [
  { ...may('9110 7.4', 'a host that a site has is answered', get(), echoed({ host: 'a' })), on: 'one-host' },
  {
    ...may(
      '9110 15.5.20',
      'a host that no site has is 421',
      request('GET / HTTP/1.1', 'Host: b'),
      refused(421, 'HOST-UNKNOWN'),
    ),
    on: 'one-host',
  },
  {
    ...may(
      '9110 15.5.20',
      'the authority of the absolute form chooses the site, not Host',
      request('GET http://b/ HTTP/1.1', 'Host: a'),
      refused(421, 'HOST-UNKNOWN'),
    ),
    on: 'one-host',
  },
  {
    ...may(
      '9110 15.5.20',
      'no Host in HTTP/1.0 is no site either',
      request('GET / HTTP/1.0'),
      refused(421, 'HOST-UNKNOWN'),
    ),
    on: 'one-host',
  },
]

export const target: Table = {
  topic: 'the request target',
  rows: [...originRows, ...absoluteRows, ...otherForms, ...pathRows, ...hostOfSite],
}
