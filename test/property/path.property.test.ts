import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath, canonicalPattern, decodeSegment, encodeSegment, PathError } from '../../core/path.ts'

const numRuns = 5_000

/** What paths are made of when somebody wants them misread, and any bytes. */
const part = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '/./',
    '/../',
    '%2e',
    '%2E',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    '%00',
    '%25',
    '%252e',
    '%61',
    'a',
    'b',
    ';',
    '%c0%ae',
    '%u002e',
    '%',
    '*',
    ' ',
    '"',
    '?',
    '#',
    '\xe9',
    '%C3%A9',
    '%7e',
    '%41',
  ),
  fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code)),
  fc.integer({ min: 0, max: 255 }).map(code => `%${code.toString(16).padStart(2, '0')}`),
)
const path = fc.array(part, { maxLength: 12 }).map(parts => `/${parts.join('')}`)

const orNull = (run: () => string): string | null => {
  try {
    return run()
  } catch (error) {
    if (error instanceof PathError) return null
    throw error
  }
}

/** RFC 3986 section 6.2.2 by another way than the code's: decoded as a whole, then taken apart. */
function model(path: string): string | null {
  if (/%(?![0-9a-f]{2})|%00|[^\x21-\x7e]|[#\\]/i.test(path)) return null
  const plain = path
    .replace(/%[0-9a-f]{2}/gi, triplet => {
      const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
      return /[-\w.~!$&'()*+,;=:@]/.test(character) ? character : triplet.toUpperCase()
    })
    .replace(
      /[^-\w.~!$&'()*+,;=:@/%]/g,
      character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    .replace(/\/+/g, '/')
  const climbs = plain
    .split('/')
    .slice(1)
    .reduce<number>((depth, segment) => {
      if (depth < 0 || segment === '' || segment === '.') return depth
      return segment === '..' ? depth - 1 : depth + 1
    }, 0)
  return climbs < 0 ? null : new URL(plain, 'http://a').pathname
}

describe('canonicalPath', () => {
  it('gives a path its canonical form once and for all', () => {
    const property = fc.property(path, path => {
      const canonical = orNull(() => canonicalPath(path))
      if (canonical !== null) expect(canonicalPath(canonical)).toBe(canonical)
    })
    fc.assert(property, { numRuns })
  })

  it('leaves no dot segment, empty segment, lower-case escape, escape of a pchar, NUL or raw character', () => {
    const property = fc.property(path, path => {
      const canonical = orNull(() => canonicalPath(path))
      if (canonical === null) return
      expect(canonical).toMatch(/^\/(?:[-\w.~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/)
      expect(canonical).not.toMatch(/\/\/|\/\.{1,2}(?:\/|$)|%00/)
      for (const [triplet] of canonical.matchAll(/%../g))
        expect(String.fromCharCode(Number.parseInt(triplet.slice(1), 16))).not.toMatch(/[-\w.~!$&'()*+,;=:@]/)
    })
    fc.assert(property, { numRuns })
  })

  it('agrees with another reading of RFC 3986', () => {
    const property = fc.property(path, path => {
      expect(orNull(() => canonicalPath(path))).toBe(model(path))
    })
    fc.assert(property, { numRuns })
  })

  it('means the same segments as the path that came', () => {
    const segment = fc
      .string({ unit: fc.constantFrom(...'ab/\\.%?# \xe9'), minLength: 1 })
      .filter(text => !/^\.{1,2}$/.test(text))
    const property = fc.property(fc.array(segment, { minLength: 1 }), segments => {
      const canonical = canonicalPath(segments.map(text => `/${encodeURIComponent(text)}`).join(''))
      expect(canonical.slice(1).split('/').map(decodeSegment)).toEqual(segments)
    })
    fc.assert(property, { numRuns: 1_000 })
  })
})

describe('canonicalPattern', () => {
  it('is settled after one time, and equals the path unless it ends in a dot segment', () => {
    const ascii = path.map(path => path.replace(/[^\x21-\x7f]/g, ''))
    const property = fc.property(ascii, path => {
      const pattern = orNull(() => canonicalPattern(path))
      if (pattern === null) return
      expect(canonicalPattern(pattern)).toBe(pattern)
      expect(pattern).not.toMatch(/\/\/|\/\.{1,2}\//)
      if (!/\/\.{1,2}$/.test(pattern)) expect(canonicalPath(path)).toBe(pattern)
    })
    fc.assert(property, { numRuns })
  })
})

// Each of these, in any combination, is what somebody tried to walk around a guard on `/admin/`.
describe('/admin/x, spelt in two hundred ways', () => {
  const letter = (character: string) => {
    const hex = character.charCodeAt(0).toString(16)
    return fc.constantFrom(character, `%${hex}`, `%${hex.toUpperCase()}`)
  }
  const word = (text: string) => fc.tuple(...[...text].map(letter)).map(letters => letters.join(''))
  const slash = fc.constantFrom(
    '/',
    '//',
    '///',
    '/./',
    '/%2e/',
    '/%2E//',
    '/y/../',
    '/y/%2e%2e/',
    '/y/z/.%2E/..//',
  )
  const fault = fc.constantFrom('', '', '', '', '%00', '%', '%u0061', '\\', '#', '\x00', '\xe9', '/../../../')
  const spelling = fc.tuple(slash, word('admin'), slash, fault, word('x')).map(parts => parts.join(''))

  it('has the one canonical form or is refused', () => {
    const spellings = fc.sample(spelling, { numRuns: 200 })
    expect(new Set(spellings).size).toBeGreaterThan(190)
    const forms = new Set(spellings.map(spelling => orNull(() => canonicalPath(spelling))))
    expect(forms).toEqual(new Set(['/admin/x', null]))
  })

  it('is refused only for a fault', () => {
    const whole = fc.tuple(slash, word('admin'), slash, word('x')).map(parts => parts.join(''))
    const property = fc.property(whole, path => {
      expect(canonicalPath(path)).toBe('/admin/x')
    })
    fc.assert(property, { numRuns: 1_000 })
  })
})

it('a segment that was decoded is the same when it is encoded again', () => {
  fc.assert(
    fc.property(path, given => {
      const canonical = orNull(() => canonicalPath(given))
      for (const segment of canonical?.split('/') ?? []) {
        const decoded = orNull(() => decodeSegment(segment))
        if (decoded !== null) expect(encodeSegment(decoded)).toBe(segment)
      }
    }),
    { numRuns },
  )
})
