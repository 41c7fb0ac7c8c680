import { HttpResponse } from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'

const bare = () => new HttpResponse(200)
const shown = (response: HttpResponse) => [...response.headers].map(field => field.join(': '))

describe('the fields of a response', () => {
  test('are in the order in which they were set, names in lower case', () => {
    const response = bare().set('X-B', '1').append('X-A', '2').append('x-a', '3')
    expect(shown(response)).toEqual(['x-b: 1', 'x-a: 2', 'x-a: 3'])
    expect(response.headers.getAll('x-a')).toEqual(['2', '3'])
  })

  test('set puts one line in the place of all of that name', () => {
    const response = bare().append('x-a', '1').append('x-b', '2').append('X-A', '3').set('x-A', '4')
    expect(shown(response)).toEqual(['x-b: 2', 'x-a: 4'])
  })

  test('delete takes every line of a name, and one that is not there is no error', () => {
    const response = bare().append('x-a', '1').append('x-b', '2').append('x-a', '3')
    expect(shown(response.delete('X-A').delete('x-none'))).toEqual(['x-b: 2'])
  })

  test('are a list that later changes leave alone', () => {
    const response = bare().set('x-a', '1')
    const { headers } = response
    response.set('x-b', '2')
    expect([...headers]).toEqual([['x-a', '1']])
  })

  test('are read anew after each change', () => {
    const response = bare().set('x-a', '1')
    const seen = [
      () => response.append('x-b', '2'),
      () => response.delete('x-a'),
      () => response.vary('Accept'),
    ]
    const lists = seen.map(change => {
      expect(response.headers).toBe(response.headers)
      change()
      return shown(response).join()
    })
    expect(lists).toEqual(['x-a: 1,x-b: 2', 'x-b: 2', 'x-b: 2,vary: Accept'])
  })

  test('vary names each field once, whatever its case and however many lines there were', () => {
    const response = bare().append('vary', 'Accept').append('vary', 'Origin')
    response.vary('accept', 'Cookie', 'COOKIE')
    expect(shown(response)).toEqual(['vary: Accept, Origin, Cookie'])
    expect(response.vary().headers.get('vary')).toBe('Accept, Origin, Cookie')
  })

  test('vary leaves a star as it is, and nothing where nothing is named', () => {
    expect(bare().set('vary', '*').vary('Accept').headers.get('vary')).toBe('*')
    expect(bare().vary().headers.has('vary')).toBe(false)
  })
})

describe('what would begin another field or message is refused', () => {
  const values = ['a\r\nset-cookie: x', 'a\nb', 'a\rb', 'a\0b', 'a\x7fb', 'a\x01', 'snow \u2603', '\ud800']

  test.each(values)('in a value: %j', value => {
    const refused =
      /^x-a: expected text of latin1 without control characters \(RFC 9110 section 5\.5\), got "/
    expect(() => bare().set('x-a', value)).toThrow(refused)
    expect(() => bare().append('x-a', value)).toThrow(refused)
    expect(() => new HttpResponse(200, null, { 'x-a': value })).toThrow(refused)
    expect(() => bare().vary(value)).toThrow('vary: expected text')
  })

  test.each(['', 'a b', 'a:', 'a\r\nb', 'a\0', '\u2603', 'a\t'])('in a name: %j', name => {
    for (const change of [
      () => bare().set(name, 'x'),
      () => bare().append(name, 'x'),
      () => bare().delete(name),
    ]) {
      expect(change).toThrow(/ is not a field name \(RFC 9110 section 5\.1\)$/)
    }
  })

  test('a value or name that is no text is refused with what came', () => {
    expect(() => bare().set('retry-after', 120 as never)).toThrow(/^retry-after: expected text .* got 120$/)
    expect(() => bare().set(undefined as never, 'x')).toThrow('undefined is not a field name')
  })

  test('tabs and latin1 are let through', () => {
    expect(bare().set('x-a', 'a\tcaf\xe9').headers.get('x-a')).toBe('a\tcaf\xe9')
  })
})

test.each(['Connection', 'keep-alive', 'Transfer-Encoding', 'content-length', 'Upgrade', 'TE'])(
  '%s belongs to the kernel',
  name => {
    const sentence = `${name.toLowerCase()} belongs to the kernel; use response.close(), stream(…, { length }) or upgrade()`
    expect(() => bare().set(name, 'x')).toThrow(sentence)
    expect(() => bare().append(name, 'x')).toThrow(sentence)
    expect(() => bare().delete(name)).toThrow(sentence)
    expect(() => new HttpResponse(200, null, { [name]: 'x' })).toThrow(sentence)
  },
)

describe('a fork', () => {
  const base = () =>
    bare()
      .set('content-type', 'text/plain')
      .append('x-a', '1')
      .append('x-a', '2')
      .set('vary', 'Accept')
      .seal()

  test('shows what its base has', () => {
    expect(shown(base().fork())).toEqual(['content-type: text/plain', 'x-a: 1', 'x-a: 2', 'vary: Accept'])
  })

  test('sets, appends, deletes and varies over it, and the base stays as it was', () => {
    const shared = base()
    const fork = shared
      .fork()
      .set('X-A', '3')
      .append('set-cookie', 'b=1')
      .delete('content-type')
      .vary('Origin')
    expect(shown(fork)).toEqual(['x-a: 3', 'set-cookie: b=1', 'vary: Accept, Origin'])
    expect(shown(shared)).toEqual(shown(base()))
  })

  test('sets again what it has deleted, and deletes again what it has set', () => {
    const fork = base().fork().delete('x-a').set('x-a', '4').append('x-a', '5')
    expect(fork.headers.getAll('x-a')).toEqual(['4', '5'])
    expect(fork.delete('x-a').headers.has('x-a')).toBe(false)
  })

  test('of a fork has the changes of both', () => {
    const middle = base().fork().delete('vary').set('x-b', '1').seal()
    const last = middle.fork().append('x-b', '2').set('vary', 'Cookie').delete('x-a')
    expect(shown(last)).toEqual(['content-type: text/plain', 'x-b: 1', 'x-b: 2', 'vary: Cookie'])
    expect(shown(middle)).toEqual(['content-type: text/plain', 'x-a: 1', 'x-a: 2', 'x-b: 1'])
  })

  test('knows nothing of another fork of the same base', () => {
    const shared = base()
    shared.fork().append('set-cookie', 'for=one')
    expect(shared.fork().headers.has('set-cookie')).toBe(false)
  })
})

describe('the head block', () => {
  const base = () => bare().set('x-a', '1').set('x-b', '2')

  test('has one line a field', () => {
    expect(base().block()).toBe('x-a: 1\r\nx-b: 2\r\n')
    expect(bare().block()).toBe('')
  })

  test('is made once for all clients of a base', () => {
    const shared = base().seal()
    const fields = vi.spyOn(shared, 'fields')
    const blocks = [1, 2, 3].map(at => shared.fork().append('x-c', `${at}`).block())
    expect(blocks).toEqual([1, 2, 3].map(at => `x-a: 1\r\nx-b: 2\r\nx-c: ${at}\r\n`))
    expect(fields).toHaveBeenCalledTimes(1)
  })

  test('of a fork that hides a line of its base has the lines that are left', () => {
    const fork = base().seal().fork().set('x-a', '3')
    expect(fork.block()).toBe('x-b: 2\r\nx-a: 3\r\n')
  })

  test('follows every change, also when it was read before', () => {
    const response = base()
    const read: string[] = [response.block()]
    for (const change of [
      () => response.append('x-c', '3'),
      () => response.set('x-a', '4'),
      () => response.delete('x-b'),
      () => response.vary('Accept'),
    ]) {
      change()
      read.push(response.block())
    }
    expect(read.map(block => block.replaceAll('\r\n', '|'))).toEqual([
      'x-a: 1|x-b: 2|',
      'x-a: 1|x-b: 2|x-c: 3|',
      'x-b: 2|x-c: 3|x-a: 4|',
      'x-c: 3|x-a: 4|',
      'x-c: 3|x-a: 4|vary: Accept|',
    ])
  })
})

describe('once it was given as an answer', () => {
  test.each<[string, (response: HttpResponse) => unknown]>([
    ['x-a', response => response.set('x-a', '1')],
    ['x-a', response => response.append('x-a', '1')],
    ['x-a', response => response.delete('x-a')],
    ['vary', response => response.vary('Accept')],
    ['vary', response => response.set('vary', 'Accept')],
    ['content-type', response => response.set('content-type', 'text/plain')],
  ])('%s cannot change: %s', (field, change) => {
    expect(() => change(bare().seal())).toThrow(
      `${field} cannot change: this response was already given as an answer; taps change the fork they get`,
    )
  })
})

describe('in deliver', () => {
  const delivered = () => bare().set('vary', 'Accept').set('etag', '"a"').seal().fork().deliver()

  test.each([
    'Content-Type',
    'content-encoding',
    'content-language',
    'content-location',
    'content-range',
    'content-disposition',
    'content-digest',
    'ETag',
    'Last-Modified',
    'accept-ranges',
  ])('%s is refused: it is of the representation', name => {
    const sentence = `${name.toLowerCase()} cannot change in deliver: the representation is finished; use transform`
    expect(() => delivered().set(name, 'x')).toThrow(sentence)
    expect(() => delivered().append(name, 'x')).toThrow(sentence)
    expect(() => delivered().delete(name)).toThrow(sentence)
  })

  test.each([
    'content-security-policy',
    'Content-Security-Policy-Report-Only',
    'set-cookie',
    'cache-control',
    'date',
  ])('%s is set', name => {
    expect(delivered().set(name, 'x').headers.get(name.toLowerCase())).toBe('x')
  })

  test('vary grows, and what others have said stays', () => {
    expect(delivered().vary('Origin').headers.get('vary')).toBe('Accept, Origin')
    expect(delivered().append('vary', 'Origin').headers.get('vary')).toBe('Accept, Origin')
    expect(() => delivered().set('vary', 'Origin')).toThrow(
      'vary may only grow in deliver; use response.vary()',
    )
    expect(() => delivered().delete('vary')).toThrow('vary may only grow in deliver')
    expect(bare().fork().deliver().set('vary', 'Origin').headers.get('vary')).toBe('Origin')
  })
})
