import { get, getOf, post, request, smuggled } from '../bytes.ts'
import {
  closed,
  echoed,
  FIN,
  kept,
  may,
  must,
  policy,
  type Row,
  refused,
  should,
  type Table,
} from '../row.ts'

const old = (target: string, ...fields: readonly string[]): string =>
  request(`GET ${target} HTTP/1.0`, ...fields)
const noOption = { status: 200, fields: { connection: null } }
const closing = { status: 200, fields: { connection: 'close' } }

const optionRows: readonly Row[] = [
  must('9112 9.3', 'a connection is kept, and no option says so', get(), kept(noOption)),
  must(
    '9112 9.6',
    'close ends the connection, and the answer says so',
    get('Connection: close'),
    closed(closing),
  ),
  must('9110 7.6.1', 'options are case-insensitive', get('Connection: CLOSE'), closed(closing)),
  must('9110 7.6.1', 'close may stand in a list', get('Connection: foo ,\tclose, bar'), closed(closing)),
  must('9110 5.6.1', 'a list may have empty members', get('Connection: , close,'), closed(closing)),
  must(
    '9110 5.3',
    'close may stand in a second line',
    get('Connection: foo', 'Connection: close'),
    closed(closing),
  ),
  must(
    '9112 9.3',
    'close counts more than keep-alive',
    get('Connection: keep-alive, close'),
    closed(closing),
  ),
  must('9112 9.3', 'keep-alive changes nothing in HTTP/1.1', get('Connection: keep-alive'), kept(noOption)),
  must(
    '9110 7.6.1',
    'a longer word is not close',
    get('Connection: closed, enclose, close-x'),
    kept(noOption),
  ),
  must(
    '9110 7.6.1',
    'Keep-Alive and Proxy-Connection are no options',
    get('Keep-Alive: timeout=1', 'Proxy-Connection: close'),
    kept(noOption),
  ),
  must(
    '9112 9.6',
    'what stands behind a request with close is not answered',
    get('Connection: close') + smuggled,
    closed(closing),
  ),
  // HTTP Garden, server bug 45: the valid request was not answered.
  must(
    '9112 9.6',
    'an invalid message behind a request with close is not looked at',
    `${get('Connection: close')}Invalid\r\n\r\n`,
    closed(closing),
  ),
  must(
    '9110 7.6.1',
    'close is found behind white space that goes on',
    get(`Connection: x${' '.repeat(500)}y, close`),
    closed(closing),
  ),
  must('9112 9.6', 'a handler can end the connection', getOf('/close'), closed({ ...closing, body: 'bye' })),
  must(
    '9112 9.6',
    'what stands behind an answer with close is not answered',
    getOf('/close') + smuggled,
    closed(closing),
  ),
  policy('9112 9.6', 'a client that ends its side is answered first', [get(), FIN], closed({ status: 200 })),
  policy(
    '9112 9.6',
    'a client that ends its side is answered later too',
    [getOf('/later'), FIN],
    closed({ status: 200, body: 'later' }),
  ),
  policy('9112 9.6', 'a client that says nothing is told nothing', [FIN], closed()),
  may(
    '9112 8',
    'half a head is told nothing when the client ends its side',
    ['GET / HTTP/1.1\r\nHo', FIN],
    closed(),
  ),
]

const oldRows: readonly Row[] = [
  must(
    '9112 9.3',
    'HTTP/1.0 is answered in HTTP/1.1, and the connection ends',
    old('/'),
    closed({ ...closing, saw: { version: '1.0', host: '' } }),
  ),
  must(
    '9112 3.2',
    'HTTP/1.0 needs no Host, but may have one',
    old('/', 'Host: a'),
    closed({ ...closing, saw: { host: 'a' } }),
  ),
  must(
    '9112 3.2',
    'an invalid Host is refused in HTTP/1.0 too',
    old('/', 'Host: a b'),
    refused(400, 'H1-HOST-INVALID'),
  ),
  must(
    '9112 3.2',
    'a second Host is refused in HTTP/1.0 too',
    old('/', 'Host: a', 'Host: a'),
    refused(400, 'H1-HOST-TWICE'),
  ),
  must(
    '9112 9.3',
    'HTTP/1.0 is kept when it asks to be',
    old('/text', 'Connection: Keep-Alive'),
    kept({ status: 200, fields: { connection: 'keep-alive' }, body: 'hello' }),
  ),
  must(
    '9112 9.3',
    'HTTP/1.0 with close is not kept',
    old('/', 'Connection: keep-alive, close'),
    closed(closing),
  ),
  must(
    '9112 9.3',
    'Proxy-Connection keeps nothing',
    old('/', 'Proxy-Connection: keep-alive'),
    closed(closing),
  ),
  must(
    '9112 6.1',
    'HTTP/1.0 gets no chunked coding: the end is the end',
    old('/stream', 'Connection: keep-alive'),
    closed({ ...closing, fields: { 'transfer-encoding': null, 'content-length': null }, body: 'onetwo' }),
  ),
  must(
    '9112 6.3',
    'HTTP/1.0 may have a body',
    `${request('POST / HTTP/1.0', 'Content-Length: 5')}hello`,
    closed({ status: 200, saw: { body: 'hello' } }),
  ),
]

const pipelined: readonly Row[] = [
  must(
    '9112 9.3.2',
    'answers come in the order of the requests',
    getOf('/1') + getOf('/2') + getOf('/3'),
    echoed({ path: '/1' }, { path: '/2' }, { path: '/3' }),
  ),
  must(
    '9112 9.3.2',
    'a late answer holds back those behind it',
    getOf('/later') + getOf('/text'),
    kept({ status: 200, body: 'later' }, { status: 200, body: 'hello' }),
  ),
  must(
    '9112 9.3.2',
    'forty requests at once are answered',
    getOf('/text').repeat(40),
    kept(...Array.from({ length: 40 }, () => ({ status: 200, body: 'hello' }))),
  ),
  must(
    '9112 9.3.2',
    'forty late answers come in order',
    getOf('/later').repeat(40),
    kept(...Array.from({ length: 40 }, () => ({ status: 200, body: 'later' }))),
  ),
  must(
    '9112 6.3',
    'a request behind a body is the next one',
    `${post('Content-Length: 5')}hello${get()}`,
    echoed({ body: 'hello' }, { method: 'GET' }),
  ),
  must(
    '9112 7.1',
    'a request behind a chunked body is the next one',
    `${post('Transfer-Encoding: chunked')}1\r\na\r\n0\r\n\r\n${get()}`,
    echoed({ body: 'a' }, { method: 'GET' }),
  ),
  should(
    '9112 2.2',
    'an empty line behind a body is ignored',
    `${post('Content-Length: 5')}hello\r\n${get()}`,
    echoed({ body: 'hello' }, { method: 'GET' }),
  ),
  must(
    '9112 9.3.2',
    'a body that nobody reads is not the next request',
    `${request('POST /ignore HTTP/1.1', 'Host: a', `Content-Length: ${smuggled.length}`)}${smuggled}${getOf('/text')}`,
    kept({ status: 200, body: 'ignored' }, { status: 200, body: 'hello' }),
  ),
  must(
    '9110 9.3.2',
    'HEAD between others has no body',
    getOf('/text') + request('HEAD /text HTTP/1.1', 'Host: a') + getOf('/text'),
    kept({ status: 200, body: 'hello' }, { status: 200, toHead: true }, { status: 200, body: 'hello' }),
  ),
  must(
    '9112 9.6',
    'close in the middle ends what is behind it',
    getOf('/1') + getOf('/2', 'Connection: close') + getOf('/3'),
    closed({ status: 200 }, closing),
  ),
  // node:http drops the valid answers before an error in the pipeline.
  policy(
    '9112 9.3.2',
    'a refused message does not swallow the answers before it',
    `${getOf('/later')}${getOf('/text')}GET / HTTP/1.1\r\nX : y\r\n\r\n`,
    refused(400, 'H1-FIELD-SPACE', { status: 200, body: 'later' }, { status: 200, body: 'hello' }),
  ),
  policy(
    '9112 9.3.2',
    'a failure in the middle does not end the connection',
    getOf('/throw') + getOf('/text'),
    kept({ status: 500 }, { status: 200 }),
  ),
  must(
    '9112 9.3.2',
    'requests that come byte by byte are the same',
    { bytewise: getOf('/text').repeat(3) },
    kept(...Array.from({ length: 3 }, () => ({ status: 200, body: 'hello' }))),
  ),
]

const refusedBodies: readonly Row[] = [
  must(
    '9112 11.2',
    'a body that is broken ends the connection of an answer that was given already',
    `${request('POST /ignore HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}0x5\r\n${smuggled}`,
    closed({ status: 200, body: 'ignored' }),
  ),
  must(
    '9112 11.2',
    'a body that breaks while it is read is refused',
    [`${post('Transfer-Encoding: chunked')}5\r\nhello\r\n`, { bytewise: '5_0\r\n' }],
    refused(400, 'H1-CHUNK-SIZE'),
  ),
]

export const connection: Table = {
  topic: 'the connection',
  rows: [...optionRows, ...oldRows, ...pipelined, ...refusedBodies],
}
