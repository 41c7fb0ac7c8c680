import { request } from '../bytes.ts'
import { echoed, must, policy, type Row, refused, type Table } from '../row.ts'

const withHost = (...values: readonly string[]): string =>
  request('GET / HTTP/1.1', ...values.map(value => `Host: ${value}`))

const missing: readonly Row[] = [
  must(
    '9112 3.2',
    'a request without Host is refused',
    request('GET / HTTP/1.1'),
    refused(400, 'H1-HOST-MISSING'),
  ),
  must('9112 3.2', 'a second Host is refused', withHost('a', 'b'), refused(400, 'H1-HOST-TWICE')),
  must(
    '9112 3.2',
    'a second Host of the same value is refused',
    withHost('a', 'a'),
    refused(400, 'H1-HOST-TWICE'),
  ),
  must(
    '9112 3.2',
    'a second Host that is empty is refused',
    withHost('a', ''),
    refused(400, 'H1-HOST-TWICE'),
  ),
  must(
    '9112 3.2',
    'a second Host in another case is refused',
    request('GET / HTTP/1.1', 'HOST: a', 'X: y', 'host: a'),
    refused(400, 'H1-HOST-TWICE'),
  ),
  must(
    '9112 3.2',
    'Host may stand behind other fields',
    request('GET / HTTP/1.1', 'X: y', 'HOST: a'),
    echoed({ host: 'a' }),
  ),
]

/** `uri-host [":" port]` (RFC 9110 section 7.2), and the name in it. */
const valid: readonly (readonly [string, string])[] = [
  ['a', 'a'],
  ['a:80', 'a'],
  ['a:', 'a'],
  ['A.Example', 'a.example'],
  ['a.example.', 'a.example'],
  ['xn--caf-dma.example', 'xn--caf-dma.example'],
  ['a_b.example', 'a_b.example'],
  ['127.0.0.1:8080', '127.0.0.1'],
  ['a:65535', 'a'],
  ['a:00080', 'a'],
  ['[::1]', '[::1]'],
  ['[::1]:8080', '[::1]'],
  ['[0:0::0:1]', '[::1]'],
  ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
]

/** What a URI cannot have as its authority's host and port. */
const invalid: readonly (readonly [string, string])[] = [
  ['white space', 'a b'],
  ['a tab', 'a\tb'],
  ['a path', 'a/b'],
  ['a query', 'a?b'],
  ['a fragment', 'a#b'],
  ['user information', 'user@a'],
  ['a scheme', 'http://a'],
  ['a backslash', 'a\\b'],
  ['a quote', '"a"'],
  ['a pipe', 'a|b'],
  ['a port of letters', 'a:b'],
  ['a negative port', 'a:-1'],
  ['white space before the port', 'a: 80'],
  ['two ports', 'a:80:80'],
  ['a port of six digits', 'a:123456'],
  ['a port with a plus sign', 'a:+80'],
  ['a hexadecimal port', 'a:0x50'],
  ['a port and a name behind it', 'a:80.b'],
  ['a port and user information behind it', 'a:80@b'],
  ['user information and a password', 'user:pass@a'],
  ['a path behind the port', 'a:80/b'],
  ['a semicolon behind white space', 'a ;b'],
  ['braces', '{a}'],
  ['a caret', 'a^b'],
  ['a backtick', 'a`b'],
  ['angle brackets', '<a>'],
  ['no host before the port', ':80'],
  ['an IPv6 address without brackets', '::1'],
  ['a bracket that stays open', '[::1'],
  ['text behind the bracket', '[::1]a'],
  ['brackets around a name', '[a]'],
  ['brackets around nothing', '[]'],
  ['brackets around too many groups', '[1:2:3:4:5:6:7:8:9]'],
  ['brackets that close alone', 'a]'],
  ['text before the bracket', 'a[::1]'],
  ['two ports behind brackets', '[::1]:80:80'],
  ['brackets around an IPv4 address', '[127.0.0.1]'],
  // RFC 3986 section 3.2.2 has no zone; RFC 6874 wants it stripped before it is sent.
  ['a zone', '[fe80::1%eth0]'],
  ['obs-text', 'caf\xe9'],
]

const formRows: readonly Row[] = [
  ...valid.map(([host, hostname]) =>
    must('9110 7.2', `Host ${host} is taken`, withHost(host), echoed({ host, hostname })),
  ),
  ...invalid.map(([what, host]) =>
    must('9112 3.2', `a Host with ${what} is refused`, withHost(host), refused(400, 'H1-HOST-INVALID')),
  ),
  // RFC 9110 section 4.2.1: an http URI has a host, so that an empty Host names nothing here.
  policy('9112 3.2', 'an empty Host is refused', withHost(''), refused(400, 'H1-HOST-INVALID')),
  // Valid as a reg-name, but it is what somebody makes of two Hosts.
  policy('3986 3.2.2', 'a Host with a comma is refused', withHost('a,b'), refused(400, 'H1-HOST-INVALID')),
  policy('3986 3.2.2', 'a list of Hosts is refused', withHost('a, a'), refused(400, 'H1-HOST-INVALID')),
  policy(
    '3986 3.2.3',
    'a port that TCP does not have is refused',
    withHost('a:65536'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  // Valid as a reg-name, but recipients do not agree on whether it is decoded before it is looked up.
  policy(
    '3986 3.2.2',
    'a Host with an escape is refused',
    withHost('a%2eb'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  policy(
    '3986 3.2.2',
    'a Host of a future address form is refused',
    withHost('[v1.a]'),
    refused(400, 'H1-HOST-INVALID'),
  ),
]

export const host: Table = { topic: 'Host', rows: [...missing, ...formRows] }
