import { get, getOf, post, request, smuggled } from '../bytes.ts'
import { closed, kept, may, must, policy, type Row, refused, should, type Table } from '../row.ts'
import { ETAG, LAST_MODIFIED, VALIDATED } from '../subject.ts'

const head = (target: string, ...fields: readonly string[]): string =>
  request(`HEAD ${target} HTTP/1.1`, 'Host: a', ...fields)
const options = (target: string): string => request(`OPTIONS ${target} HTTP/1.1`, 'Host: a')

const headRows: readonly Row[] = [
  should(
    '9110 9.3.2',
    'HEAD has the fields of GET',
    head('/text'),
    kept({
      status: 200,
      toHead: true,
      fields: { 'content-length': '5', 'content-type': 'text/plain; charset=utf-8' },
    }),
  ),
  must('9110 9.3.2', 'HEAD of a stream has no body', head('/stream'), kept({ status: 200, toHead: true })),
  must(
    '9110 9.3.2',
    'HEAD of a stream of known length says the length',
    head('/sized-stream'),
    kept({ status: 200, toHead: true, fields: { 'content-length': '6' } }),
  ),
  must('9110 9.3.2', 'HEAD of an error has no body', head('/nobody'), kept({ status: 404, toHead: true })),
  must('9110 9.3.2', 'HEAD of a failure has no body', head('/throw'), kept({ status: 500, toHead: true })),
  must(
    '9110 9.3.2',
    'HEAD of what has trailers has neither body nor trailers',
    head('/trailers'),
    kept({ status: 200, toHead: true }),
  ),
  must(
    '9110 9.3.2',
    'HEAD with close has no body',
    head('/text', 'Connection: close'),
    closed({ status: 200, toHead: true }),
  ),
  must('9112 6.3', 'a refused HEAD has no body', head('/a%zz'), {
    answers: [{ status: 400, toHead: true }],
    afterwards: 'closed',
    refusal: 'PATH-ESCAPE',
  }),
]

const bodylessRows: readonly Row[] = [
  must(
    '9110 15.3.5',
    '204 has neither body nor length',
    getOf('/204'),
    kept({ status: 204, fields: { 'content-length': null, 'transfer-encoding': null } }),
  ),
  must(
    '9110 15.3.5',
    'a body that a handler gives to 204 is dropped',
    getOf('/204-with-body'),
    kept({ status: 204 }),
  ),
  must(
    '9110 15.3.6',
    '205 says that it has no body',
    getOf('/205'),
    kept({ status: 205, fields: { 'content-length': '0' }, body: '' }),
  ),
  must(
    '9110 15.3.6',
    'a body that a handler gives to 205 is dropped',
    getOf('/205-with-body'),
    kept({ status: 205, fields: { 'content-length': '0' }, body: '' }),
  ),
  must(
    '9110 15.4.5',
    'a body that a handler gives to 304 is dropped',
    getOf('/304-with-body'),
    kept({ status: 304, fields: { etag: ETAG } }),
  ),
  must(
    '9112 6.3',
    'a redirect without body has the length 0',
    getOf('/redirect'),
    kept({ status: 302, fields: { location: '/text', 'content-length': '0' } }),
  ),
]

const notModified = { status: 304, fields: { etag: ETAG, vary: 'Accept', 'content-type': null } }
const whole = { status: 200, body: VALIDATED }

const conditionRows: readonly Row[] = [
  should(
    '9110 13.1.2',
    'If-None-Match with the tag is 304',
    getOf('/validated', `If-None-Match: ${ETAG}`),
    kept(notModified),
  ),
  must(
    '9110 13.1.2',
    'If-None-Match compares weakly',
    getOf('/validated', `If-None-Match: "x", W/${ETAG}`),
    kept(notModified),
  ),
  must('9110 13.1.2', 'If-None-Match * is 304', getOf('/validated', 'If-None-Match: *'), kept(notModified)),
  must(
    '9110 13.1.2',
    'If-None-Match with another tag is 200',
    getOf('/validated', 'If-None-Match: "x"'),
    kept(whole),
  ),
  should(
    '9110 13.1.3',
    'If-Modified-Since of the same time is 304',
    getOf('/validated', `If-Modified-Since: ${LAST_MODIFIED}`),
    kept(notModified),
  ),
  must(
    '9110 13.1.3',
    'If-Modified-Since is ignored beside If-None-Match',
    getOf('/validated', 'If-None-Match: "x"', `If-Modified-Since: ${LAST_MODIFIED}`),
    kept(whole),
  ),
  must(
    '9110 13.1.3',
    'If-Modified-Since that is no date is ignored',
    getOf('/validated', 'If-Modified-Since: yesterday'),
    kept(whole),
  ),
  must(
    '9110 13.1.1',
    'If-Match with another tag is 412',
    getOf('/validated', 'If-Match: "x"'),
    kept({ status: 412 }),
  ),
  must('9110 13.1.1', 'If-Match with the tag is 200', getOf('/validated', `If-Match: ${ETAG}`), kept(whole)),
  must(
    '9110 13.1.1',
    'If-Match compares strongly',
    getOf('/validated', `If-Match: W/${ETAG}`),
    kept({ status: 412 }),
  ),
  must(
    '9110 13.1.4',
    'If-Unmodified-Since of an earlier time is 412',
    getOf('/validated', 'If-Unmodified-Since: Mon, 30 Jun 2025 10:00:00 GMT'),
    kept({ status: 412 }),
  ),
  must(
    '9110 13.2.1',
    'conditions are ignored without a representation',
    getOf('/nobody', 'If-Match: "x"'),
    kept({ status: 404 }),
  ),
  must(
    '9110 15.4.5',
    '304 to HEAD is as to GET',
    head('/validated', `If-None-Match: ${ETAG}`),
    kept({ ...notModified, toHead: true }),
  ),
  may(
    '9110 14.2',
    'a Range that is not served is ignored',
    getOf('/stream', 'Range: bytes=0-1'),
    kept({ status: 200, body: 'onetwo' }),
  ),
]

const methodRows: readonly Row[] = [
  must(
    '9110 9.3.7',
    'OPTIONS is answered by the kernel when a plugin knows the methods',
    options('/only-get'),
    kept({ status: 204, fields: { allow: 'GET, HEAD, OPTIONS' } }),
  ),
  must(
    '9110 15.5.6',
    '405 says which methods the path has',
    post('Content-Length: 0').replace('POST /', 'POST /only-get'),
    kept({ status: 405, fields: { allow: 'GET, HEAD, OPTIONS' } }),
  ),
  policy('9110 9.3.8', 'TRACE is refused', request('TRACE / HTTP/1.1', 'Host: a', 'Cookie: secret'), {
    answers: [{ status: 501, body: /^(?![\s\S]*secret)/ }],
    afterwards: 'closed',
    refusal: 'H1-TRACE',
  }),
  must(
    '9110 9.3.8',
    'TRACE with a body is refused',
    request('TRACE / HTTP/1.1', 'Host: a', `Content-Length: ${smuggled.length}`),
    refused(501, 'H1-TRACE'),
  ),
  policy(
    '9110 9.3.6',
    'CONNECT with a body is refused',
    request('CONNECT a:80 HTTP/1.1', 'Host: a:80', `Content-Length: ${smuggled.length}`),
    refused(501, 'H1-CONNECT'),
  ),
]

const bodyRows: readonly Row[] = [
  must(
    '9112 6.3',
    'a body of unknown length is chunked',
    getOf('/stream'),
    kept({ status: 200, fields: { 'transfer-encoding': 'chunked' }, body: 'onetwo' }),
  ),
  must(
    '9112 6.2',
    'a stream of known length has Content-Length',
    getOf('/sized-stream'),
    kept({ status: 200, fields: { 'content-length': '6' }, body: 'onetwo' }),
  ),
  must(
    '9110 15.6.1',
    'a failure is 500 and tells nothing of itself',
    getOf('/throw'),
    kept({ status: 500, body: /^(?![\s\S]*secret)/ }),
  ),
  may(
    '9110 15.5',
    'an error that is thrown is answered with its text',
    getOf('/teapot'),
    kept({ status: 418, body: /short and stout/ }),
  ),
  must(
    '9112 7.1.2',
    'trailers of an answer are announced and sent',
    getOf('/trailers'),
    kept({
      status: 200,
      fields: { trailer: 'x-sum, x-end' },
      body: 'one',
      trailers: ['x-sum: 1', 'x-end: yes'],
    }),
  ),
  must(
    '9112 7.1.2',
    'HTTP/1.0 gets no trailers',
    request('GET /trailers HTTP/1.0'),
    closed({ status: 200, fields: { trailer: null }, body: 'one' }),
  ),
]

const interimRows: readonly Row[] = [
  must(
    '9110 15.2',
    'interim answers come before the final one',
    getOf('/hints'),
    kept(
      { status: 103, fields: { link: '</style.css>; rel=preload' } },
      { status: 103, fields: { link: '</script.js>; rel=preload' } },
      { status: 200, body: 'hinted', fields: { link: null } },
    ),
  ),
  must(
    '9110 15.2',
    'HTTP/1.0 gets no interim answers',
    request('GET /hints HTTP/1.0'),
    closed({ status: 200, body: 'hinted' }),
  ),
  must(
    '9110 15.2',
    'interim answers wait for the answers before theirs',
    getOf('/later') + getOf('/hints'),
    kept({ status: 200, body: 'later' }, { status: 103 }, { status: 103 }, { status: 200, body: 'hinted' }),
  ),
  must(
    '9110 15.2',
    'HEAD gets interim answers as well',
    head('/hints'),
    kept({ status: 103 }, { status: 103 }, { status: 200, toHead: true }),
  ),
  must(
    '9110 15.2',
    'what follows an interim answer is in step',
    getOf('/hints') + get(),
    kept({ status: 103 }, { status: 103 }, { status: 200 }, { status: 200, saw: { method: 'GET' } }),
  ),
]

export const semantics: Table = {
  topic: 'methods, statuses and bodies',
  rows: [...headRows, ...bodylessRows, ...conditionRows, ...methodRows, ...bodyRows, ...interimRows],
}
