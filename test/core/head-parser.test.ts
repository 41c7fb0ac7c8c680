import { describe, expect, it } from 'vitest'
import {
  byteByByte,
  chunked,
  chunkedHead,
  eventsOf,
  get,
  headOf,
  outline,
  Recorder,
  refusals,
  request,
  withField,
} from './record.ts'

describe('a head', () => {
  it('is told with method, target, version and fields in wire order', () => {
    const head = headOf('PUT /a?b=1 HTTP/1.1\r\nHost: example.org\r\nX-One: 1\r\nx-one:2\r\n\r\n')
    expect(head).toMatchObject({ method: 'PUT', target: '/a?b=1', minor: 1, host: 'example.org' })
    expect(head.fields).toEqual(['host', 'example.org', 'x-one', '1', 'x-one', '2'])
  })

  it('is told as begin, head, end when it has no body', () => {
    expect(eventsOf([get]).map(({ kind }) => kind)).toEqual(['begin', 'head', 'end'])
  })

  it('begins with its first byte', () => {
    expect(eventsOf(['G'])).toEqual([{ kind: 'begin' }])
  })

  it('reads the same in pieces of every size', () => {
    const text = request('GET /path HTTP/1.0', 'User-Agent: x y', 'Accept: */*', 'X-Long-Name-Of-A-Field: v')
    const whole = eventsOf([text])
    for (let size = 1; size < text.length; size++) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!
      expect(eventsOf(pieces)).toEqual(whole)
    }
  })

  it('loses white space around values and keeps that within', () => {
    expect(headOf(withField('X: \t a \t b\t ')).fields).toEqual(['host', 'a', 'x', 'a \t b'])
  })

  it.each([':', ': ', ': \t '])('may have an empty value: %j', rest => {
    expect(headOf(withField(`X${rest}`)).fields).toEqual(['host', 'a', 'x', ''])
  })

  it('takes obs-text as latin1', () => {
    expect(headOf(withField('X: \xe9\xff\x80')).fields[3]).toBe('\xe9\xff\x80')
  })

  it('takes every token character in a method and a field name', () => {
    const symbols = "!#$%&'*+-.^_`|~09Z"
    const head = headOf(request(`${symbols} / HTTP/1.1`, 'Host: a', `${symbols}: v`))
    expect(head.method).toBe(symbols)
    expect(head.fields).toEqual(['host', 'a', symbols.toLowerCase(), 'v'])
  })

  it.each([
    ['HTTP/1.0', 0, '1.0'],
    ['HTTP/1.1', 1, '1.1'],
    ['HTTP/1.9', 1, '1.1'],
  ])('reads %s as minor version %i', (text, minor, version) => {
    expect(headOf(request(`GET / ${text}`, 'Host: a'))).toMatchObject({ minor, version })
  })

  it.each([
    ['PRI * HTTP/2.0\r\n', '2.0'],
    ['GET / HTTP/0.9\r\n', '0.9'],
    ['GET / HTTP/1.0\r\nX : y', '1.0'],
    ['GET / HTTP/1.10\r\n', '-'],
    ['GET / ICE/1.0\r\n', '-'],
    ['GET /\r\n', '-'],
    ['\x16\x03\x01', '-'],
  ])('that is refused has the version that was read: %j', (text, version) => {
    expect(eventsOf([text]).at(-1)).toMatchObject({ kind: 'refused', head: { version } })
  })

  it('forgives one empty line before it, also in pieces', () => {
    expect(outline(eventsOf([`\r\n${get}`]))).toEqual(['GET /'])
    expect(outline(eventsOf(['\r', '\n', get]))).toEqual(['GET /'])
    expect(outline(eventsOf([`\r\n${get}\r\n${get}`]))).toEqual(['GET /', 'GET /'])
  })

  it('has not begun with the empty line', () => {
    const recorder = new Recorder()
    recorder.feed('\r\n')
    expect(recorder.events).toEqual([])
    expect(recorder.parser.isInHead).toBe(false)
  })

  it('says between its first and its last byte that it is not complete', () => {
    const recorder = new Recorder()
    const text = chunked('1\r\na\r\n0\r\nX: y\r\n\r\n')
    const states = byteByByte(text).map(byte => {
      recorder.feed(byte)
      return recorder.parser.isInHead
    })
    expect(states).toEqual(states.map((_, at) => at < chunkedHead.length - 1))
  })

  it('can be asked for what has come so far', () => {
    const recorder = new Recorder()
    recorder.feed('POST /a HT', 'TP/1.1\r\nHost: a\r\nX: y\r\nZ: un')
    expect(recorder.parser.partialHead).toMatchObject({ method: 'POST', target: '/a' })
    expect(recorder.parser.partialHead.fields).toEqual(['host', 'a', 'x', 'y'])
  })

  it('is let go when its message has ended', () => {
    const recorder = new Recorder()
    recorder.feed(get)
    expect(recorder.parser.partialHead).toMatchObject({ method: '', fields: [] })
  })
})

describe('the limits of a head', () => {
  it('takes a head of limits.headBytes and refuses one byte more', () => {
    const text = withField('X-Some: thing')
    expect(refusals(text, { headBytes: text.length })).toEqual([undefined, undefined])
    for (let headBytes = text.length - 1; headBytes > 5; headBytes--)
      expect(refusals(text, { headBytes })).toEqual(['H1-HEAD-LARGE', 'H1-HEAD-LARGE'])
  })

  it('refuses a head as soon as it is too large, before it ends', () => {
    const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: '
    expect(refusals(start.padEnd(100, 'x'), { headBytes: 100 })).toEqual([undefined, undefined])
    expect(refusals(start.padEnd(101, 'x'), { headBytes: 100 })).toEqual(['H1-HEAD-LARGE', 'H1-HEAD-LARGE'])
  })

  it('counts the empty line before a head, and the message before it, to no head', () => {
    const headBytes = get.length
    expect(outline(eventsOf([`\r\n${get}${get}\r\n${get}`], { headBytes }))).toEqual([
      'GET /',
      'GET /',
      'GET /',
    ])
  })

  it('counts trailers for themselves: limits.headBytes and not one byte more', () => {
    const trailers = 'X: y\r\nLonger: than the head was\r\nZ: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n'
    const text = chunked(`5\r\nhello\r\n0\r\n${trailers}`)
    expect(trailers.length).toBeGreaterThan(chunkedHead.length)
    expect(refusals(text, { headBytes: trailers.length })).toEqual([undefined, undefined])
    expect(refusals(text, { headBytes: trailers.length - 1 })).toEqual(['H1-HEAD-LARGE', 'H1-HEAD-LARGE'])
  })

  it('takes limits.headers fields in a head and in trailers, and refuses one more', () => {
    const three = request('GET / HTTP/1.1', 'Host: a', 'X: 1', 'Y: 2')
    expect(refusals(three, { headers: 3 })).toEqual([undefined, undefined])
    expect(refusals(three, { headers: 2 })).toEqual(['H1-HEAD-COUNT', 'H1-HEAD-COUNT'])
    const trailers = (count: number) => chunked(`0\r\n${'X: 1\r\n'.repeat(count)}\r\n`)
    expect(refusals(trailers(2), { headers: 2 })).toEqual([undefined, undefined])
    expect(refusals(trailers(3), { headers: 2 })).toEqual(['H1-HEAD-COUNT', 'H1-HEAD-COUNT'])
  })

  it('takes a target of limits.targetBytes and refuses one byte more', () => {
    const text = request('GET /abcdefghi HTTP/1.1', 'Host: a')
    expect(refusals(text, { targetBytes: 10 })).toEqual([undefined, undefined])
    expect(refusals(text, { targetBytes: 9 })).toEqual(['H1-TARGET-LONG', 'H1-TARGET-LONG'])
    expect(refusals('GET /abcdefghi', { targetBytes: 9 })).toEqual(['H1-TARGET-LONG', 'H1-TARGET-LONG'])
  })

  it('takes a method of 32 letters and refuses one more', () => {
    const text = request(`${'M'.repeat(32)} / HTTP/1.1`, 'Host: a')
    expect(refusals(text, {})).toEqual([undefined, undefined])
    expect(refusals(`M${text}`, {})).toEqual(['H1-METHOD-LONG', 'H1-METHOD-LONG'])
  })
})
