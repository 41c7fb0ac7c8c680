import { describe, expect, it } from 'vitest'
import {
  asError,
  describe as described,
  HttpError,
  printable,
  reasonPhrase,
  refusals,
  refused,
} from '../../core/errors.ts'

describe('an HttpError', () => {
  it('has the phrase of its status for a message and a code made of it', () => {
    expect(new HttpError(404)).toMatchObject({
      name: 'HttpError',
      message: 'Not Found',
      status: 404,
      code: 'HTTP_404',
      headers: undefined,
    })
  })

  it('keeps what it is given', () => {
    const cause = new Error('why')
    const headers = { 'retry-after': '5' }
    expect(new HttpError(503, 'later', { code: 'LATER', headers, cause })).toMatchObject({
      message: 'later',
      code: 'LATER',
      headers,
      cause,
    })
  })

  it('has no cause when none is given', () => {
    expect('cause' in new HttpError(400)).toBe(false)
  })

  it.each([200, 399, 600, 404.5, Number.NaN, '404' as unknown as number])(
    'is refused for the status %s',
    status => {
      expect(() => new HttpError(status)).toThrow(`HttpError: status must be 400 to 599, got ${status}`)
    },
  )
})

describe('the refusals', () => {
  const rows = Object.entries(refusals)

  it.each(rows)(
    '%s has an error status, an RFC section and a sentence of its own',
    (id, { status, section, sentence }) => {
      expect(id).toMatch(/^(?:H1|PATH|HOST)-[A-Z0-9-]+$/)
      expect(reasonPhrase(status)).not.toContain('Status')
      expect(status).toBeGreaterThanOrEqual(400)
      expect(section).toMatch(/^RFC \d{4} \d+(?:\.\d+)*$/)
      expect(sentence).toMatch(/^(?:an?|the|more|no|white|[A-Z]\w*(?:-\w+)*) .*[^.]$/)
      expect(rows.filter(([, other]) => other.sentence === sentence)).toHaveLength(1)
    },
  )

  it('are told to a request by id, status and section', () => {
    expect(refused('H1-TARGET-LONG')).toEqual({ id: 'H1-TARGET-LONG', status: 414, section: 'RFC 9112 3' })
  })
})

describe('a reason phrase', () => {
  it('is the registered one, or says that there is none', () => {
    expect(reasonPhrase(418)).toBe('Status 418')
    expect(reasonPhrase(431)).toBe('Request Header Fields Too Large')
  })
})

describe('what is caught', () => {
  it('is the error itself', () => {
    const error = new TypeError('x')
    expect(asError(error)).toBe(error)
  })

  it.each([
    ['text', 'a non-error was thrown: "text"'],
    [undefined, 'a non-error was thrown: undefined'],
    [{ a: 1 }, 'a non-error was thrown: an object'],
  ])('becomes one that keeps %j', (thrown, message) => {
    expect(asError(thrown)).toMatchObject({ message, cause: thrown })
  })
})

describe('a value in a few words', () => {
  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [1, '1'],
    [true, 'true'],
    [Symbol('a'), 'Symbol(a)'],
    ['a"b', '"a\\"b"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    [[1], 'an array'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [new Map(), 'an object (Map)'],
    [Promise.resolve(), 'a promise'],
    [function named() {}, 'a function (named)'],
    [() => 0, 'a function'],
  ])('is made of %s', (value, text) => {
    expect(described(value)).toBe(text)
  })
})

describe('printable text', () => {
  it('has everything but printable ASCII escaped', () => {
    expect(printable('a b\r\n\x00\x7f\xe9\x1b[0m\\')).toBe('a b\\x0d\\x0a\\x00\\x7f\\xe9\\x1b[0m\\x5c')
  })

  it('is cut at its limit before it is escaped', () => {
    expect(printable('x'.repeat(2_000))).toHaveLength(1_024)
    expect(printable('ab\n', 2)).toBe('ab')
  })
})
