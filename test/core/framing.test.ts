import { describe, expect, it } from 'vitest'
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  frame,
  isRefusedTrailer,
  RequestHead,
} from '../../core/framing.ts'
import { eventsOf } from './record.ts'

/** A head as the parser hands it to `frame`. */
function framed(lines: readonly string[], some: { method?: string; target?: string; minor?: 0 | 1 } = {}) {
  const head = { ...new RequestHead(), method: 'POST', target: '/', ...some }
  for (const line of lines) {
    const colon = line.indexOf(':')
    head.fields.push(
      line.slice(0, colon).toLowerCase(),
      line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''),
    )
  }
  return { refusal: frame(head), head }
}

const withFields = (...lines: string[]) => framed(['Host: a', ...lines])
const refusalOf = (...lines: string[]) => withFields(...lines).refusal

/** What the parser makes of field lines behind Host, with a second request where a chunked body would end. */
function outcome(lines: string): string {
  const bytes = `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`
  const event = eventsOf([bytes])[1]
  if (event?.kind === 'refused') return event.id
  return event?.kind === 'head' ? ['none', 'length', 'chunked'][event.head.framing]! : 'nothing'
}

describe('a message without Content-Length and Transfer-Encoding', () => {
  it('has no body', () => {
    expect(withFields()).toMatchObject({ refusal: null, head: { framing: BODY_NONE, contentLength: null } })
  })
})

describe('Content-Length', () => {
  it.each([
    ['1', 1],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
  ])('%s is a length', (value, contentLength) => {
    expect(withFields(`Content-Length: ${value}`)).toMatchObject({
      refusal: null,
      head: { framing: BODY_LENGTH, contentLength },
    })
  })

  it('0 is no body', () => {
    expect(withFields('Content-Length: 0').head).toMatchObject({ framing: BODY_NONE, contentLength: 0 })
  })

  it.each([
    '',
    '+1',
    '-1',
    '-0',
    '0x1',
    '1e1',
    '1.0',
    '1_0',
    '1 0',
    '1\t0',
    '1,1',
    '1, 1',
    '1;1',
    '"1"',
    'a',
    'Infinity',
    'NaN',
    '1\xa0',
    '\xb2',
    '1\x00',
    '1000000000000000',
    '99999999999999999999',
    '18446744073709551617',
  ])('%j is refused', value => {
    expect(refusalOf(`Content-Length: ${value}`)).toBe('H1-CL-INVALID')
  })

  it('is refused when it comes twice, even with one value', () => {
    expect(refusalOf('Content-Length: 1', 'Content-Length: 1')).toBe('H1-CL-TWICE')
    expect(refusalOf('Content-Length: 0', 'X: y', 'content-length: 5')).toBe('H1-CL-TWICE')
  })

  it.each(['chunked', 'gzip', 'identity', ''])(
    'is refused beside Transfer-Encoding: %s, in any order',
    coding => {
      expect(refusalOf('Content-Length: 1', `Transfer-Encoding: ${coding}`)).toBe('H1-CL-TE')
      expect(refusalOf(`Transfer-Encoding: ${coding}`, 'Content-Length: 0')).toBe('H1-CL-TE')
    },
  )

  it.each(['Content_Length: 5', 'ContentLength: 5', 'X-Content-Length: 5', 'Content-Length-: 5'])(
    'is not what %s says',
    line => {
      expect(outcome(line)).toBe('none')
    },
  )
})

describe('Transfer-Encoding', () => {
  it.each(['Transfer-Encoding: chunked', 'transfer-encoding:chunked', 'TRANSFER-ENCODING: \t CHUNKED \t'])(
    'is read in any case and with white space around its value: %j',
    line => {
      expect(outcome(line)).toBe('chunked')
    },
  )

  it.each([
    ['H1-TE-INVALID', 'Transfer-Encoding:'],
    ['H1-TE-INVALID', 'Transfer-Encoding: ,'],
    ['H1-TE-INVALID', 'Transfer-Encoding: xchunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunkedx'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunk'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked,'],
    ['H1-TE-INVALID', 'Transfer-Encoding: ,chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: , chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: gzip,,chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked, chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked, identity'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked, gzip'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked, gzip, chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: gzip'],
    ['H1-TE-INVALID', 'Transfer-Encoding: identity'],
    ['H1-TE-INVALID', 'Transfer-Encoding: cow'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked;'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked;q=1'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked; ext="a"'],
    ['H1-TE-INVALID', 'Transfer-Encoding: "chunked"'],
    ['H1-TE-INVALID', "Transfer-Encoding: 'chunked'"],
    ['H1-TE-INVALID', 'Transfer-Encoding: (chunked)'],
    ['H1-TE-INVALID', 'Transfer-Encoding: =chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: : chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chu nked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked\xa0'],
    ['H1-TE-INVALID', 'Transfer-Encoding: \x85chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: \xefchunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: gzip;x, chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked\r\nTransfer-encoding: cow'],
    ['H1-TE-INVALID', 'Transfer-Encoding: chunked\r\nTransfer-Encoding:'],
    ['H1-TE-INVALID', 'Transfer-Encoding:\r\nTransfer-Encoding: chunked'],
    ['H1-TE-CODING', 'Transfer-Encoding: identity, chunked'],
    ['H1-TE-CODING', 'Transfer-Encoding: gzip, chunked'],
    ['H1-TE-CODING', 'Transfer-Encoding: GZIP ,\tChunked'],
    ['H1-TE-CODING', 'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked'],
    ['H1-FIELD-VALUE', 'Transfer-Encoding: \x00chunked'],
    ['H1-FIELD-VALUE', 'Transfer-Encoding: \x0bchunked'],
    ['H1-FIELD-VALUE', 'Transfer-Encoding: chunked\x0c'],
    ['H1-FIELD-VALUE', 'Transfer-Encoding: chunked\x7f'],
    ['H1-FIELD-SPACE', 'Transfer-Encoding : chunked'],
    ['H1-FIELD-SPACE', 'Transfer-Encoding\t: chunked'],
    ['H1-FIELD-NAME', 'Transfer-Encoding\x0b: chunked'],
    ['H1-FIELD-NAME', 'Transfer-Encoding\x00: chunked'],
    ['H1-FIELD-NAME', 'Transfer-Encoding\r\n: chunked'],
    ['H1-FIELD-NAME', '"Transfer-Encoding": chunked'],
    ['H1-FIELD-NAME', '\x00Transfer-Encoding: chunked'],
    ['H1-FIELD-NAME', '\xa0Transfer-Encoding: chunked'],
    ['H1-FIELD-FOLD', ' Transfer-Encoding: chunked'],
    ['H1-FIELD-FOLD', '\tTransfer-Encoding: chunked'],
    ['H1-FIELD-FOLD', 'Transfer-Encoding:\r\n chunked'],
    ['H1-FIELD-FOLD', 'Transfer-Encoding: chunked\r\n , identity'],
    ['H1-BARE-LF', 'Transfer-Encoding: chunked\nX: y'],
    ['H1-BARE-LF', 'X: y\nTransfer-Encoding: chunked'],
    ['H1-BARE-LF', 'Transfer-Encoding\n: chunked'],
    ['H1-BARE-CR', 'X: y\rTransfer-Encoding: chunked'],
    ['H1-BARE-CR', 'Transfer-Encoding: chunked\r\r'],
    ['H1-CL-TE', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
  ])('is refused as %s when it is hidden: %j', (id, lines) => {
    expect(outcome(lines)).toBe(id)
  })

  it.each([
    'Transfer_Encoding: chunked',
    'TransferEncoding: chunked',
    'X-Transfer-Encoding: chunked',
    'Transfer-Encodings: chunked',
    'Transfer-Encodin: chunked',
    'TE: chunked',
    'Content-Encoding: chunked',
    'X: Transfer-Encoding: chunked',
    'Trailer: chunked',
  ])('is not what %j says', line => {
    expect(outcome(line)).toBe('none')
  })

  it('is refused in HTTP/1.0', () => {
    expect(framed(['Transfer-Encoding: chunked'], { minor: 0 }).refusal).toBe('H1-TE-VERSION')
    expect(framed(['Transfer-Encoding: gzip', 'Content-Length: 1'], { minor: 0 }).refusal).toBe(
      'H1-TE-VERSION',
    )
  })
})

describe('Host', () => {
  it('must come in HTTP/1.1, also beside an absolute target', () => {
    expect(framed([]).refusal).toBe('H1-HOST-MISSING')
    expect(framed([], { target: 'http://a/' }).refusal).toBe('H1-HOST-MISSING')
  })

  it('need not come in HTTP/1.0', () => {
    expect(framed([], { minor: 0 })).toMatchObject({ refusal: null, head: { host: null } })
  })

  it('must come once, even with one value', () => {
    expect(refusalOf('Host: a')).toBe('H1-HOST-TWICE')
    expect(framed(['Host: a', 'Host: b'], { minor: 0 }).refusal).toBe('H1-HOST-TWICE')
    expect(framed(['Host:', 'Host: b']).refusal).toBe('H1-HOST-TWICE')
  })

  it('is looked at again when the message before had another one, or the same', () => {
    const hosts = ['a:80', 'a:80', '', 'a:80', 'a b', 'a:80']
    const refusals = hosts.map(host => framed([`Host: ${host}`]).refusal)
    expect(refusals).toEqual([null, null, 'H1-HOST-INVALID', null, 'H1-HOST-INVALID', null])
  })

  it.each(['', 'a b', 'a@b', 'a/b', 'http://a', 'a:x', 'a, b', '[::1'])('%j is refused', host => {
    expect(framed([`Host: ${host}`]).refusal).toBe('H1-HOST-INVALID')
    expect(framed([`Host: ${host}`], { target: 'http://good/' }).refusal).toBe('H1-HOST-INVALID')
  })
})

describe('the target', () => {
  it.each([
    ['http://example.org/a', 'example.org'],
    ['http://example.org', 'example.org'],
    ['HTTPS://Example.org:8443?q', 'Example.org:8443'],
    ['http://[::1]:80/', '[::1]:80'],
  ])('%s has the authority %s, whatever Host says', (target, authority) => {
    expect(framed(['Host: other'], { target })).toMatchObject({
      refusal: null,
      head: { authority, host: 'other' },
    })
  })

  it('has no authority in origin form, also when it looks like one', () => {
    expect(framed(['Host: a'], { target: '//b/c' }).head.authority).toBeNull()
    expect(framed(['Host: a'], { target: '/http://b/' }).head.authority).toBeNull()
  })

  it.each([
    'http://a b/',
    'http://a:x/',
    'http://[::1/',
    'http://a%41/',
    'http://:80/',
    'http://a\\b/',
    'http://a:80:80/',
  ])('%s is refused for its authority', target => {
    expect(framed(['Host: a'], { target }).refusal).toBe('H1-HOST-INVALID')
  })

  it.each([
    ['GET', '*'],
    ['GET', 'a'],
    ['GET', 'a:80'],
    ['GET', 'ftp://a/'],
    ['GET', 'http:/a'],
    ['GET', 'http:a'],
    ['GET', 'http:///a'],
    ['GET', 'http://?a'],
    ['GET', 'http://user@a/'],
    ['GET', 'http://user:secret@a/'],
    ['GET', '?a'],
    ['GET', '\\a'],
    ['OPTIONS', '**'],
    ['OPTIONS', '*?'],
    ['CONNECT', '/'],
    ['CONNECT', 'a'],
    ['CONNECT', 'a:'],
    ['CONNECT', 'http://a/'],
    ['CONNECT', 'user@a:80'],
  ])('%s %s is refused for its form', (method, target) => {
    expect(framed(['Host: a'], { method, target }).refusal).toBe('H1-TARGET-FORM')
  })

  it.each([
    ['OPTIONS', '*'],
    ['OPTIONS', '/'],
    ['OPTIONS', 'http://a'],
    ['CONNECT', 'a:80'],
    ['CONNECT', '[::1]:80'],
    ['GET', '//'],
  ])('%s %s is taken', (method, target) => {
    expect(framed(['Host: a'], { method, target }).refusal).toBeNull()
  })
})

describe('the connection', () => {
  it.each([
    [1, [], true],
    [1, ['Connection: keep-alive'], true],
    [1, ['Connection: close'], false],
    [1, ['Connection: CLOSE'], false],
    [1, ['Connection: x, close'], false],
    [1, ['Connection: x\t,\tclose , y'], false],
    [1, ['Connection: keep-alive', 'Connection: close'], false],
    [1, ['Connection: keep-alive, close'], false],
    [1, ['Connection: closed'], true],
    [1, ['Connection: x-close'], true],
    [1, ['Connection:'], true],
    [0, [], false],
    [0, ['Connection: keep-alive'], true],
    [0, ['Connection: Keep-Alive'], true],
    [0, ['Connection: x, keep-alive'], true],
    [0, ['Connection: keep-alive, close'], false],
    [0, ['Proxy-Connection: keep-alive'], false],
  ] as const)('of HTTP/1.%i with %j is kept: %s', (minor, lines, keepAlive) => {
    expect(framed(['Host: a', ...lines], { minor }).head.keepAlive).toBe(keepAlive)
  })

  it.each([
    [1, ['Upgrade: websocket', 'Connection: Upgrade'], 'websocket'],
    [1, ['Connection: keep-alive, upgrade', 'Upgrade: a', 'Upgrade: b'], 'a, b'],
    [1, ['Upgrade: websocket'], null],
    [1, ['Upgrade: websocket', 'Connection: keep-alive'], null],
    [1, ['Connection: Upgrade'], null],
    [0, ['Upgrade: websocket', 'Connection: Upgrade'], null],
  ] as const)('of HTTP/1.%i with %j is asked to become %s', (minor, lines, upgrade) => {
    const { head } = framed(['Host: a', ...lines], { minor })
    expect(head.upgrade).toBe(upgrade)
    // What is no offer shows nowhere (RFC 9110 section 7.8).
    expect(head.fields.includes('upgrade')).toBe(upgrade !== null)
  })

  it('loses no other field when it loses Upgrade', () => {
    const { head } = withFields('Upgrade: a', 'X: upgrade', 'UPGRADE: b', 'Y: z')
    expect(head.fields).toEqual(['host', 'a', 'x', 'upgrade', 'y', 'z'])
  })
})

// Each took its square once: 16 kB were a quarter of a second. The time-out is only there to see that.
it('reads lists in linear time, whatever white space is in them', { timeout: 1_000 }, () => {
  const list = `a${' '.repeat(60_000)}b`
  const names = ['connection', 'upgrade', 'expect', 'transfer-encoding']
  const head = { ...new RequestHead(), method: 'POST', target: '/', fields: ['host', 'a'] }
  for (const name of names) head.fields.push(name, list)
  expect(frame(head)).toBe('H1-TE-INVALID')
})

describe('Expect', () => {
  it.each([
    [1, ['Expect: 100-Continue'], '100-continue'],
    [1, ['Expect: 100-continue', 'Expect: x'], '100-continue, x'],
    [1, ['Expect: , 100-continue ,100-CONTINUE'], '100-continue'],
    [1, ['Expect: 100-continue', 'Expect: 100-continue'], '100-continue'],
    [1, ['Expect:'], null],
    [1, ['Expect: ,', 'Expect:'], null],
    [1, [], null],
    [0, ['Expect: 100-continue'], null],
  ] as const)('of HTTP/1.%i in %j is %s', (minor, lines, expected) => {
    expect(framed(['Host: a', ...lines], { minor }).head.expect).toBe(expected)
  })
})

describe('a trailer', () => {
  it.each([
    'content-length',
    'transfer-encoding',
    'host',
    'connection',
    'upgrade',
    'authorization',
    'cookie',
    'expect',
    'range',
    'if-match',
  ])('may not be %s', name => {
    expect(isRefusedTrailer(name)).toBe(true)
  })

  it.each(['x-checksum', 'server-timing', 'etag', 'constructor', '__proto__'])('may be %s', name => {
    expect(isRefusedTrailer(name)).toBe(false)
  })

  it('names are free in the head', () => {
    const event = eventsOf([
      'POST / HTTP/1.1\r\nHost: a\r\nCookie: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    ])[1]
    expect(event).toMatchObject({ kind: 'head', head: { framing: BODY_CHUNKED } })
  })
})
