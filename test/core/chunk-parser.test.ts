import { describe, expect, it } from 'vitest'
import { BODY_CHUNKED } from '../../core/framing.ts'
import { byteByByte, chunked, chunkedHead, eventsOf, get, headOf, outline, refusals } from './record.ts'

describe('a chunked body', () => {
  it('is put together from its chunks', () => {
    expect(headOf(chunkedHead)).toMatchObject({ framing: BODY_CHUNKED, contentLength: null })
    expect(outline(eventsOf([chunked('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')]))).toEqual([
      'POST / hello world',
    ])
  })

  it.each(['0\r\n\r\n', '000\r\n\r\n', '0;x\r\n\r\n'])('may be empty: %j', body => {
    expect(eventsOf([chunked(body)]).at(-1)).toEqual({ kind: 'end', trailers: [] })
  })

  it('takes sizes in both cases and with leading zeros', () => {
    const data = 'x'.repeat(0xab)
    expect(outline(eventsOf([chunked(`aB\r\n${data}\r\n0000000000Ab\r\n${data}\r\n0\r\n\r\n`)]))).toEqual([
      `POST / ${data}${data}`,
    ])
  })

  it.each(['1;a', '1;a=b', '1;a="b c"', '1;a;b', '1 \t;a', '1; a = "\xe9\t\\""', '1;a ;b'])(
    'reads over the extension in %j',
    size => {
      expect(outline(eventsOf([chunked(`${size}\r\nx\r\n0\r\n\r\n`)]))).toEqual(['POST / x'])
    },
  )

  it('gives its trailers at its end', () => {
    const text = chunked('1\r\nx\r\n0\r\nX-Sum:  1 \r\nX-Sum: 2\r\n\r\n')
    for (const pieces of [[text], byteByByte(text)])
      expect(eventsOf(pieces).at(-1)).toEqual({ kind: 'end', trailers: ['x-sum', '1', 'x-sum', '2'] })
  })

  it('leaves the trailers out of the fields of the head', () => {
    const [, head] = eventsOf([chunked('0\r\nX: y\r\n\r\n')])
    expect(head).toMatchObject({ head: { fields: ['host', 'a', 'transfer-encoding', 'chunked'] } })
  })

  it('is followed by the next message', () => {
    expect(outline(eventsOf([chunked(`0\r\nX: y\r\n\r\n${get}`)]))).toEqual(['POST /', 'GET /'])
  })
})

describe('the limits of a chunked body', () => {
  it('takes a chunk size of twelve digits and refuses one more', () => {
    expect(refusals(chunked('ffffffffffff\r\nx'), {})).toEqual([undefined, undefined])
    expect(refusals(chunked('0ffffffffffff\r\nx'), {})).toEqual(['H1-CHUNK-SIZE', 'H1-CHUNK-SIZE'])
  })

  it('takes 1,024 bytes of extensions in all chunks of a message and refuses one more', () => {
    const body = (last: number) =>
      chunked(`${`1;${'a'.repeat(256)}\r\nx\r\n`.repeat(3)}0;${'a'.repeat(last)}\r\n\r\n`)
    expect(refusals(body(256), {})).toEqual([undefined, undefined])
    expect(refusals(body(257), {})).toEqual(['H1-CHUNK-EXT', 'H1-CHUNK-EXT'])
    expect(refusals(body(256) + body(256), {})).toEqual([undefined, undefined])
  })

  // CVE-2023-39326: no limit of the body counts them, so that they must not grow with it.
  it('takes no more of them however many bytes of data there are', () => {
    const one = `100;${'a'.repeat(64)}\r\n${'x'.repeat(256)}\r\n`
    expect(refusals(chunked(`${one.repeat(16)}0\r\n\r\n`), {})).toEqual([undefined, undefined])
    expect(refusals(chunked(`${one.repeat(17)}0\r\n\r\n`), {})).toEqual(['H1-CHUNK-EXT', 'H1-CHUNK-EXT'])
  })
})
