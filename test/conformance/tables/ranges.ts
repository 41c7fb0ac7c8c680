import { getOf, post, request } from '../bytes.ts'
import { closed, kept, may, must, policy, type Row, should, type Table } from '../row.ts'
import { ETAG, LAST_MODIFIED, VALIDATED } from '../subject.ts'

const SIZE = VALIDATED.length
const whole = { status: 200, body: VALIDATED, fields: { 'content-range': null, 'accept-ranges': 'bytes' } }
const range = (members: string, ...fields: readonly string[]) =>
  getOf('/validated', `Range: bytes=${members}`, ...fields)

/** A 206 of one part, which has what a 200 would have had. */
const part = (start: number, end: number) => ({
  status: 206,
  body: VALIDATED.slice(start, end + 1),
  fields: {
    'content-range': `bytes ${start}-${end}/${SIZE}`,
    'content-length': String(end - start + 1),
    'content-type': 'text/plain; charset=utf-8',
    etag: ETAG,
    vary: 'Accept',
  },
})
const unsatisfiable = { status: 416, fields: { 'content-range': `bytes */${SIZE}`, etag: null } }

/** The parts of a multipart/byteranges body, as a pattern: its boundary is random. */
function parts(...texts: readonly (readonly [range: string, text: string])[]): RegExp {
  const heads = texts.map(
    ([of, text], i) =>
      `\r\n--${i === 0 ? '([0-9a-f-]+)' : '\\1'}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-range: bytes ${of}/${SIZE}\r\n\r\n${text}`,
  )
  return new RegExp(`^${heads.join('')}\r\n--\\1--\r\n$`)
}

const singleRows: readonly Row[] = [
  should('9110 14.1.2', 'the first bytes', range('0-2'), kept(part(0, 2))),
  should('9110 14.1.2', 'one byte', range('4-4'), kept(part(4, 4))),
  should('9110 14.1.2', 'from a position to the end', range('4-'), kept(part(4, SIZE - 1))),
  should('9110 14.1.2', 'the last bytes', range('-4'), kept(part(SIZE - 4, SIZE - 1))),
  must(
    '9110 14.1.2',
    'an end behind the last byte is the last byte',
    range('4-999'),
    kept(part(4, SIZE - 1)),
  ),
  must(
    '9110 14.1.1',
    'a number of any length is a number',
    range(`4-${'9'.repeat(300)}`),
    kept(part(4, SIZE - 1)),
  ),
  must(
    '9110 14.1.2',
    'a suffix longer than the representation is all of it',
    range('-999'),
    kept(part(0, SIZE - 1)),
  ),
  should(
    '9110 14.1',
    'the unit in capitals is the unit',
    getOf('/validated', 'Range: BYTES=0-2'),
    kept(part(0, 2)),
  ),
  should('9110 15.5.17', 'a range behind the end is 416', range('999-'), kept(unsatisfiable)),
  should('9110 15.5.17', 'a suffix of no bytes is 416', range('-0'), kept(unsatisfiable)),
]

const ignoredRows: readonly Row[] = [
  must(
    '9110 14.2',
    'a range in another unit is ignored',
    getOf('/validated', 'Range: lines=0-2'),
    kept(whole),
  ),
  may('9110 14.2', 'a range that ends before its start is ignored', range('4-2'), kept(whole)),
  may('9110 14.2', 'a list with one member against the grammar is ignored', range('0-2,4-2'), kept(whole)),
  may('9110 14.2', 'a range without numbers is ignored', range('-'), kept(whole)),
  may('9110 14.2', 'two Range fields are ignored', range('0-1', 'Range: bytes=4-5'), kept(whole)),
  must(
    '9110 14.2',
    'HEAD has no ranges',
    request('HEAD /validated HTTP/1.1', 'Host: a', 'Range: bytes=0-2'),
    kept({ status: 200, toHead: true, fields: { 'content-length': String(SIZE), 'accept-ranges': 'bytes' } }),
  ),
  must(
    '9110 14.2',
    'POST has no ranges',
    post('Range: bytes=0-2', 'Content-Length: 0').replace('POST /', 'POST /validated'),
    kept({ status: 200, body: VALIDATED }),
  ),
  must(
    '9110 14.2',
    'an error has no ranges',
    getOf('/teapot', 'Range: bytes=0-2'),
    kept({ status: 418, body: /short and stout/ }),
  ),
  may(
    '9110 14.2',
    'a stream has no ranges, and does not offer them',
    getOf('/sized-stream', 'Range: bytes=0-1'),
    kept({ status: 200, body: 'onetwo', fields: { 'accept-ranges': null } }),
  ),
  policy(
    '9110 17.15',
    'more than a hundred ranges are ignored',
    range(Array.from({ length: 101 }, () => '0-').join(',')),
    kept(whole),
  ),
]

const severalRows: readonly Row[] = [
  must(
    '9110 15.3.7.2',
    'several ranges are parts that each tell their place',
    range('0-2,4-5'),
    kept({
      status: 206,
      fields: {
        'content-range': null,
        'content-type': /^multipart\/byteranges; boundary=[0-9a-f-]{36}$/,
        etag: ETAG,
      },
      body: parts(['0-2', VALIDATED.slice(0, 3)], ['4-5', VALIDATED.slice(4, 6)]),
    }),
  ),
  should(
    '9110 15.3.7.2',
    'parts come in the order of the request',
    range('4-5,0-2'),
    kept({ status: 206, body: parts(['4-5', VALIDATED.slice(4, 6)], ['0-2', VALIDATED.slice(0, 3)]) }),
  ),
  may('9110 15.3.7.2', 'ranges that overlap are one', range('0-3,2-5'), kept(part(0, 5))),
  may('9110 15.3.7.2', 'ranges that adjoin are one', range('3-5,0-2'), kept(part(0, 5))),
  must('9110 15.3.7.2', 'a single range is never multipart', range('0-2'), kept(part(0, 2))),
  should('9110 14.2', 'of several ranges those that are there are sent', range('0-2,999-'), kept(part(0, 2))),
  should(
    '9110 15.5.17',
    'several ranges of which none is there are 416',
    range('999-,-0'),
    kept(unsatisfiable),
  ),
  must('9110 5.6.1.2', 'empty members of the list are no ranges', range(',0-2,,'), kept(part(0, 2))),
]

const conditionRows: readonly Row[] = [
  should('9110 13.1.5', 'If-Range with the tag is 206', range('0-2', `If-Range: ${ETAG}`), kept(part(0, 2))),
  must('9110 13.1.5', 'If-Range with another tag is the whole', range('0-2', 'If-Range: "x"'), kept(whole)),
  must('9110 13.1.5', 'If-Range compares strongly', range('0-2', `If-Range: W/${ETAG}`), kept(whole)),
  must('9110 13.1.5', 'If-Range takes no list', range('0-2', `If-Range: ${ETAG}, "x"`), kept(whole)),
  must('9110 13.1.5', 'If-Range takes no *', range('0-2', 'If-Range: *'), kept(whole)),
  should(
    '9110 13.1.5',
    'If-Range with the very time is 206',
    range('0-2', `If-Range: ${LAST_MODIFIED}`),
    kept(part(0, 2)),
  ),
  must(
    '9110 13.1.5',
    'If-Range with a later time is the whole',
    range('0-2', 'If-Range: Wed, 02 Jul 2025 10:00:00 GMT'),
    kept(whole),
  ),
  must('9110 13.1.5', 'If-Range that is false leaves no 416', range('999-', 'If-Range: "x"'), kept(whole)),
  must('9110 13.1.5', 'If-Range without Range is ignored', getOf('/validated', 'If-Range: "x"'), kept(whole)),
  must(
    '9110 13.2.2',
    'If-None-Match comes before the range',
    range('0-2', `If-None-Match: ${ETAG}`),
    kept({ status: 304, fields: { 'content-range': null } }),
  ),
  must(
    '9110 13.2.2',
    'If-Match comes before the range',
    range('0-2', 'If-Match: "x"'),
    kept({ status: 412 }),
  ),
]

const framingRows: readonly Row[] = [
  must(
    '9112 6.3',
    'what follows parts is in step',
    range('0-2,4-5') + range('0-0') + range('999-') + getOf('/text'),
    kept({ status: 206 }, part(0, 0), unsatisfiable, { status: 200, body: 'hello' }),
  ),
  must(
    '9112 9.6',
    'parts on a connection that closes are whole',
    range('0-2,4-5', 'Connection: close'),
    closed({ status: 206, body: parts(['0-2', VALIDATED.slice(0, 3)], ['4-5', VALIDATED.slice(4, 6)]) }),
  ),
]

export const ranges: Table = {
  topic: 'ranges',
  rows: [...singleRows, ...ignoredRows, ...severalRows, ...conditionRows, ...framingRows],
}
