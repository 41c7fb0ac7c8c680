import { describe, expect, it } from 'vitest'
import { checkPreconditions, type Preconditions, rangeStands } from '../../core/conditional.ts'
import { HttpRequest } from '../../core/request.ts'

const before = 'Sun, 06 Nov 1994 08:49:36 GMT'
const exactly = 'Sun, 06 Nov 1994 08:49:37 GMT'
const after = 'Sun, 06 Nov 1994 08:49:38 GMT'

const state: Preconditions = { etag: '"a"', lastModified: exactly, exists: true }
const none: Preconditions = { exists: false }

function check(fields: Record<string, string>, some: Preconditions = state, method = 'GET') {
  return checkPreconditions(
    new HttpRequest({ method, target: '/', fields: Object.entries(fields).flat() }),
    some,
  )
}

describe('without preconditions', () => {
  it('a request goes on, whatever the state', () => {
    expect(check({})).toBe('go')
    expect(check({}, none, 'PUT')).toBe('go')
  })
})

describe('If-Match', () => {
  it.each(['"a"', '"b", "a"', '"b","a"', ' , "b" ,, "a" ,', '"a", W/"b"', '*'])(
    '%j goes on for "a"',
    field => {
      expect(check({ 'if-match': field })).toBe('go')
      expect(check({ 'if-match': field }, state, 'PUT')).toBe('go')
    },
  )

  it.each([
    '"b"',
    'W/"a"',
    '"A"',
    '""',
    '',
    'a',
    "'a'",
    '"a',
    'w/"a"',
    'x"a"',
    '"b" "a"',
    '"b"; "a"',
    '"b"x, "a"',
    '**',
  ])('%j fails for "a"', field => {
    expect(check({ 'if-match': field })).toBe('failed')
    expect(check({ 'if-match': field }, state, 'DELETE')).toBe('failed')
  })

  it('compares strongly: a weak tag matches not even itself', () => {
    expect(check({ 'if-match': 'W/"a"' }, { ...state, etag: 'W/"a"' })).toBe('failed')
    expect(check({ 'if-match': '"a"' }, { ...state, etag: 'W/"a"' })).toBe('failed')
  })

  it('fails without a representation, also as *', () => {
    expect(check({ 'if-match': '*' }, none, 'PUT')).toBe('failed')
    expect(check({ 'if-match': '"a"' }, { ...state, exists: false })).toBe('failed')
  })

  it('as * goes on for a representation without a tag, a tag does not', () => {
    expect(check({ 'if-match': '*' }, { exists: true })).toBe('go')
    expect(check({ 'if-match': '"a"' }, { exists: true })).toBe('failed')
  })
})

describe('If-None-Match', () => {
  it.each(['"a"', 'W/"a"', '"b", "a"', '"b",W/"a"', '*', '"b" , "a"'])(
    '%j is not modified for "a" when read',
    field => {
      for (const method of ['GET', 'HEAD'])
        expect(check({ 'if-none-match': field }, state, method)).toBe('not-modified')
    },
  )

  it.each(['"a"', 'W/"a"', '*'])('%j fails for "a" when written', field => {
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH'])
      expect(check({ 'if-none-match': field }, state, method)).toBe('failed')
  })

  it.each(['"b"', '"A"', 'a', '"a', '', 'w/"a"', '"b" "a"'])('%j goes on for "a"', field => {
    expect(check({ 'if-none-match': field })).toBe('go')
    expect(check({ 'if-none-match': field }, state, 'PUT')).toBe('go')
  })

  it('compares weakly', () => {
    for (const field of ['"a"', 'W/"a"'])
      expect(check({ 'if-none-match': field }, { ...state, etag: 'W/"a"' })).toBe('not-modified')
  })

  it('as * lets a PUT create what does not exist', () => {
    expect(check({ 'if-none-match': '*' }, none, 'PUT')).toBe('go')
  })

  it('takes commas and spaces within a tag for a part of it', () => {
    expect(check({ 'if-none-match': '"x, \x22a"' })).toBe('go')
    expect(check({ 'if-none-match': '"b,c", "a,d"' }, { ...state, etag: '"a,d"' })).toBe('not-modified')
  })
})

describe('If-Modified-Since', () => {
  it.each([
    [before, 'go'],
    [exactly, 'not-modified'],
    [after, 'not-modified'],
  ])('%s is %s', (field, verdict) => {
    for (const method of ['GET', 'HEAD'])
      expect(check({ 'if-modified-since': field }, state, method)).toBe(verdict)
  })

  it('counts for nothing but GET and HEAD', () => {
    for (const method of ['POST', 'PUT', 'OPTIONS'])
      expect(check({ 'if-modified-since': after }, state, method)).toBe('go')
  })

  it.each([
    '',
    'yesterday',
    '0',
    '2100-01-01',
    `${after}, ${after}`,
    after.replace('GMT', 'UTC'),
    `${after} `,
  ])('is ignored when it is no date: %j', field => {
    expect(check({ 'if-modified-since': field })).toBe('go')
  })

  it.each([undefined, 'yesterday', '', Number.NaN, new Date(Number.NaN)])(
    'is ignored when the modification time is %s',
    lastModified => {
      expect(check({ 'if-modified-since': after }, { ...state, lastModified })).toBe('go')
    },
  )

  it('counts whole seconds of a Date or a number', () => {
    const milliseconds = Date.parse(exactly) + 999
    for (const lastModified of [milliseconds, new Date(milliseconds)]) {
      expect(check({ 'if-modified-since': exactly }, { ...state, lastModified })).toBe('not-modified')
      expect(check({ 'if-modified-since': before }, { ...state, lastModified })).toBe('go')
    }
  })
})

describe('If-Unmodified-Since', () => {
  it.each([
    [before, 'failed'],
    [exactly, 'go'],
    [after, 'go'],
  ])('%s is %s for every method', (field, verdict) => {
    for (const method of ['GET', 'PUT'])
      expect(check({ 'if-unmodified-since': field }, state, method)).toBe(verdict)
  })

  it('is ignored when it is no date or no time is known', () => {
    expect(check({ 'if-unmodified-since': 'yesterday' }, state, 'PUT')).toBe('go')
    expect(check({ 'if-unmodified-since': before }, { ...state, lastModified: undefined }, 'PUT')).toBe('go')
    expect(check({ 'if-unmodified-since': before }, none, 'PUT')).toBe('go')
  })
})

// RFC 9110 section 13.2.2.
describe('the order of preconditions', () => {
  it('lets If-Match win over If-Unmodified-Since', () => {
    expect(check({ 'if-match': '"a"', 'if-unmodified-since': before }, state, 'PUT')).toBe('go')
    expect(check({ 'if-match': '"b"', 'if-unmodified-since': after }, state, 'PUT')).toBe('failed')
  })

  it('lets If-None-Match win over If-Modified-Since', () => {
    expect(check({ 'if-none-match': '"b"', 'if-modified-since': after })).toBe('go')
    expect(check({ 'if-none-match': '"a"', 'if-modified-since': before })).toBe('not-modified')
  })

  it('lets a failure win over not modified', () => {
    expect(check({ 'if-match': '"b"', 'if-none-match': '"a"' })).toBe('failed')
    expect(check({ 'if-unmodified-since': before, 'if-none-match': '"a"' })).toBe('failed')
    expect(check({ 'if-unmodified-since': before, 'if-modified-since': after })).toBe('failed')
  })

  it('goes on to the second pair when the first holds', () => {
    expect(check({ 'if-match': '"a"', 'if-none-match': '"a"' })).toBe('not-modified')
    expect(check({ 'if-unmodified-since': after, 'if-modified-since': after })).toBe('not-modified')
    expect(check({ 'if-match': '"a"', 'if-none-match': '"a"' }, state, 'PUT')).toBe('failed')
  })
})

describe('If-Range', () => {
  const made = { etag: '"a"', lastModified: exactly, date: after }

  it('that did not come lets a range stand', () => {
    expect(rangeStands(undefined, made)).toBe(true)
  })

  it.each([
    ['"a"', true],
    ['"b"', false],
    ['W/"a"', false],
    ['"A"', false],
    ['"a", "b"', false],
    ['"a', false],
    ['a', false],
    ['*', false],
    ['', false],
  ])('%j stands for "a": %s', (field, stands) => {
    expect(rangeStands(field, made)).toBe(stands)
  })

  it('compares strongly: a weak tag matches not even itself', () => {
    for (const field of ['W/"a"', '"a"']) expect(rangeStands(field, { ...made, etag: 'W/"a"' })).toBe(false)
  })

  it('that is a tag is false without one', () => {
    expect(rangeStands('"a"', { ...made, etag: undefined })).toBe(false)
  })

  it.each([
    [exactly, true],
    ['Sunday, 06-Nov-94 08:49:37 GMT', true],
    [before, false],
    [after, false],
    ['06 Nov 1994', false],
  ])('of %s stands for the same second alone: %s', (field, stands) => {
    expect(rangeStands(field, made)).toBe(stands)
  })

  it('that is a date is false without a modification time', () => {
    expect(rangeStands(exactly, { ...made, lastModified: undefined })).toBe(false)
  })

  it('that is a date is false while its second may still bring another representation', () => {
    expect(rangeStands(exactly, { ...made, date: exactly })).toBe(false)
    expect(rangeStands(exactly, { ...made, date: before })).toBe(false)
    const inSeconds = (seconds: number) => {
      const date = new Date(Date.now() + seconds * 1_000).toUTCString()
      return rangeStands(date, { etag: undefined, lastModified: date, date: undefined })
    }
    expect([inSeconds(60), inSeconds(1), inSeconds(-5)]).toEqual([false, false, true])
  })

  it('takes an answer whose Date cannot be read for one of this moment', () => {
    expect(rangeStands(exactly, { ...made, date: 'yesterday' })).toBe(true)
  })
})
